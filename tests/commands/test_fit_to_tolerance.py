"""`fit` to a tolerance: what Python's `solve(equation)` does, from options and files; what it refuses; its folder."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import pinnlab
from pinnlab.cli import FIT_USAGE, main
from pinnlab.commands.options.given import Given
from pinnlab.solution.tolerance import solve_to
from pinnlab.strategy import Refinement

FALL = ["--model.equation", "fall_of_commands.Fall", "--model.equation.rate", "2.0"]

MODULE = """
import torch
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval
from pinnlab.strategy import Accept, Features, Proposal, Recipe, Stop


class Fall(Equation):
    inputs, outputs = ("t",), ("u",)

    def __init__(self, rate=1.0):
        super().__init__()
        self.rate = rate

    def constraints(self):
        line = Interval(t=(0, 1))
        return {"law": Constraint(line, self.law), "start": Constraint(line.face("t", 0), lambda u: u - 1)}

    def law(self, t, u):
        return u.d(t) + self.rate * u

    def exact(self, t):
        return torch.exp(-self.rate * t)


class Bent(Equation):
    inputs, outputs = ("t",), ("u",)

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def constraints(self):
        line = Interval(t=(0, 1))
        return {"law": Constraint(line, self.law), "ends": Constraint(line.boundary, lambda u: u)}

    def law(self, t, u):
        return u.d(t, t) + self.rate * torch.exp(u)


class Wrong(Fall):
    def law(self, t, u):
        return 1 / 0


class Stranger(Fall):
    def law(self, t, u, viscosity):
        return u.d(t) + viscosity


class Once(Recipe):
    def __init__(self, count):
        self.count = count

    def decisions(self, progress):
        outcome = yield Proposal(Features(self.count, (4.0,)), progress.evolution.end, "once")
        yield Accept()
        return Stop(outcome.error <= progress.tol, f"{self.count} features are too few")
"""

FILES = {
    "solve.yaml": "tol: 1e-6\nmodel: {equation: {class_path: fall_of_commands.Fall, init_args: {rate: 2.0}}}\n"
    "recipe: {init_args: {safety: 0.05}}\n",
    "base.yaml": "base: solve.yaml\nseed_everything: 3\n",
    "network.yaml": "tol: 1e-6\nmodel: {equation: Poisson, network: {class_path: MLP}}\n",
    "agreeing.yaml": "base: solve.yaml\nmodel: {network: null, hard: null}\ndata: {}\ntrainer: {devices: 1}\n"
    "ckpt_path: null\nwandb: null\n",
    "recipe.yaml": "recipe: {class_path: Refinement}\n",
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a module of the user's and files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "fall_of_commands.py").write_text(MODULE)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def values(name):
    with np.load(f"runs/{name}/solution.npz") as arrays:
        return dict(arrays)


def test_options_and_files_say_the_same_as_python(here, capsys):
    assert (
        main(
            [
                "fit",
                *FALL,
                "--tol",
                "1e-6",
                "--recipe.safety",
                "0.05",
                "--seed_everything",
                "3",
                "--run.name",
                "options",
            ]
        )
        == 0
    )
    out, err = capsys.readouterr()
    assert err == ""
    *steps, folder, ending = out.splitlines()
    assert all(re.match(r" +\d+\.\d s  t from 0 to 1, \d+ features: error ", line) for line in steps) and steps
    assert folder == "run folder: runs/options"
    assert re.match(r"Fall: u ± \S+, relative error \S+, tol 1e-06 reached, \d+ features, \d+ points, ", ending)
    assert ending == repr(pinnlab.load("runs/options"))

    assert main(["fit", "--config", "base.yaml", "--run.name", "file"]) == 0
    from fall_of_commands import Fall

    pinnlab.solve(Fall(2.0), tol=1e-6, recipe=Refinement(safety=0.05), seed=3, folder="runs/python")
    for name in ("file", "python"):
        for key, column in values("options").items():
            np.testing.assert_array_equal(values(name)[key], column)
        files = {path.name for path in Path("runs", name).iterdir()}
        assert files == {path.name for path in Path("runs/options").iterdir()}
    assert json.loads(Path("runs/file/summary.json").read_text())["seed"] == 3


def test_an_equation_alone_is_solved_to_a_millionth(here, capsys):
    assert main(["fit", *FALL, "--run.name", "alone"]) == 0
    assert "tol 1e-06 reached" in capsys.readouterr().out.splitlines()[-1]
    from fall_of_commands import Fall

    solution = pinnlab.solve(Fall(2.0))
    assert solution.ending.tol == json.loads(Path("runs/alone/solve.json").read_text())["tol"] == 1e-6
    np.testing.assert_array_equal(solution(t=values("alone")["t"]), values("alone")["u"][0])
    # a number of points alone is a training by hand
    short = ["--model.phases.0.steps", "2", "--model.phases.1.steps", "1"]
    assert main(["fit", *FALL, "--data.points.law", "9", *short, "--run.name", "trained"]) == 0
    assert pinnlab.load("runs/trained").ending is None


def test_the_default_tolerance_is_the_one_that_is_documented():
    written = f"{solve_to.TOL:.0e}".replace("e-0", "e-")
    assert f"largest value of the solution; {written} by" in FIT_USAGE
    assert f"{written} by default" in pinnlab.solve.__doc__


def test_what_a_solve_was_begun_with_repeats_it(here, capsys):
    assert main(["fit", *FALL, "--tol", "1e-9", "--run.name", "first"]) == 0
    assert main(["fit", "--config", "runs/first/solve.json", "--run.root", "again"]) == 0
    (again,) = Path("again").iterdir()
    assert re.fullmatch(r"Fall-1e-09-0-\d{8}-\d{6}", again.name)
    assert (again / "solve.json").read_text() == Path("runs/first/solve.json").read_text()
    with np.load(again / "solution.npz") as arrays:
        np.testing.assert_array_equal(arrays["u"], values("first")["u"])


def test_a_continuation_and_its_recipe_from_options(here, capsys):
    equation = ["--model.equation", "fall_of_commands.Bent", "--model.equation.rate", "3.5"]
    recipe = ["--recipe", "Continuation", "--recipe.parameter", "rate", "--recipe.start", "1"]
    further = ["--recipe.recipe", "Refinement", "--recipe.recipe.most", "900", "--tol", "1e-6"]
    assert main(["fit", *equation, *recipe, *further, "--run.name", "bent"]) == 0
    out, err = capsys.readouterr()
    assert err == "" and "tol 1e-06 reached" in out and "rate = 3.5: the next value" in out
    begun = json.loads(Path("runs/bent/solve.json").read_text())["recipe"]["init_args"]
    assert begun["parameter"] == "rate" and begun["recipe"]["init_args"]["most"] == 900
    assert main(["fit", "--config", "runs/bent/solve.json", "--run.name", "again"]) == 0
    np.testing.assert_array_equal(values("again")["u"], values("bent")["u"])


def test_a_recipe_of_ones_own_and_a_tolerance_that_is_not_reached(here, capsys):
    recipe = ["--recipe", "fall_of_commands.Once", "--recipe.count", "3"]
    assert main(["fit", *FALL, "--tol", "1e-12", *recipe, "--run.name", "few"]) == 0
    out, err = capsys.readouterr()
    assert "tol 1e-12 not reached: 3 features are too few" in out.splitlines()[-1] and err == ""
    assert json.loads(Path("runs/few/summary.json").read_text())["tolerance"]["reached"] is False


POISSON = ["--tol", "1e-6", "--model.equation", "Poisson", "--model.equation.modes", "[1, 2]"]


def test_print_config_shows_what_a_tolerance_takes(here, capsys):
    with pytest.raises(SystemExit) as end:
        main(["fit", *POISSON, "--model.equation.modes.0", "4", "--recipe.most", "900", "--print_config"])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    Path("printed.yaml").write_text(printed)
    given = Given.read(["--config", "printed.yaml"]).values()
    assert given["tol"] == 1e-6 and given["recipe.init_args.most"] == 900
    assert given["model.equation.init_args.modes"] == [4, 2]
    names = {"tol", "tol_unknowns", "recipe", "time_limit", "memory", "seed_everything", "model", "run", "wandb"}
    assert {key.split(".")[0] for key in given} == names


def test_options_that_ask_for_nothing_else_are_taken(here, capsys):
    """As job scripts and files of trainings have them."""
    script = ["--trainer.devices", "1", "--trainer.num_nodes", "1", "--run.name", "job", "--ckpt_path", "last"]
    assert main(["fit", *script, "--config", "agreeing.yaml", "--time_limit", "600", "--run.threads", "1"]) == 0
    assert Path("runs/job/summary.json").exists()


EQUATION = ["--model.equation", "Poisson"]
TOL = [*EQUATION, "--tol", "1e-6"]
PHASE = ["--model.phases.0.steps", "3"]
OF = ["--tol", "1e-6", "--model.equation"]
ITSELF = "{}: a solve to a tolerance chooses it itself: leave it out, or all of tol, "
CASES = {
    "too large": ([*EQUATION, "--tol", "2"], "tol lies between 0 and 1, as 1e-6, not 2.0"),
    "no number": ([*EQUATION, "--tol", "many"], "tol: expected float, got many"),
    "no value": ([*EQUATION, "--tol"], "tol has no value: give --tol 1e-8, or leave it out\n"),
    "time limit": ([*TOL, "--time_limit", "soon"], "time_limit: expected float or null, got soon"),
    "no time": ([*TOL, "--time_limit", "0"], "time_limit is a number of seconds, not 0.0"),
    "too little time": ([*TOL, "--time_limit", "1e-9"], "no solution was found: the time limit; continue with: "),
    "seed": ([*TOL, "--seed_everything", "-1"], "seed_everything: a seed lies between 0 and 4294967295, not -1"),
    "phases": ([*TOL, *PHASE], ITSELF.format("model.phases")),
    "network": ([*TOL, "--model.network", "MLP"], ITSELF.format("model.network")),
    "network in a file": (["--config", "network.yaml"], ITSELF.format("model.network")),
    "hard": ([*TOL, "--model.hard", "true"], ITSELF.format("model.hard")),
    "points": ([*TOL, "--data.points.interior", "4"], ITSELF.format("data.points")),
    "accelerator": ([*TOL, "--trainer.accelerator", "gpu"], ITSELF.format("trainer.accelerator")),
    "devices": ([*EQUATION, "--trainer.devices", "2"], "runs in one process: leave trainer.devices out, or make it 1"),
    "nodes": ([*TOL, "--trainer.num_nodes=2"], "runs in one process: leave trainer.num_nodes out, or make it 1"),
    "W&B": ([*TOL, "--wandb.init_timeout", "0"], "wandb.init_timeout must be a positive number of seconds, not 0.0"),
    "warm start": ([*TOL, "--run.warm_start", "x"], "run.warm_start: a solve to a tolerance begins from nothing"),
    "checkpoints": ([*TOL, "--run.checkpoint_steps", "5"], "run.checkpoint_steps: a solve to a tolerance keeps each"),
    "checkpoint": ([*TOL, "--ckpt_path", "x.ckpt"], "ckpt_path: a solve to a tolerance goes on from its folder alone"),
    "last of what": ([*TOL, "--ckpt_path", "last"], "--ckpt_path last needs the name of the solve to continue"),
    "recipe": ([*TOL, "--recipe", "Refinment"], "there is no class 'Refinment' (did you mean 'Refinement'?)"),
    "no recipe": (
        [*TOL, "--recipe", "Adam"],
        "recipe: there is no class 'Adam'; there are Continuation, Refinement, or give one",
    ),
    "recipe for a time": (
        [*OF, "fall_of_commands.Fall", "--recipe", "Continuation", "--recipe.parameter", "rate", "--recipe.start", "2"],
        "Fall has a time, t: only an equation without one is solved for other values of rate first",
    ),
    "recipe's parameter": (
        [*TOL, "--recipe", "Continuation", "--recipe.parameter", "speed", "--recipe.start", "1"],
        "Poisson has no number 'speed' among its attributes",
    ),
    "recipe's option": ([*TOL, "--recipe.moost", "5"], "Refinement has no option 'moost' (did you mean 'most'?)"),
    "recipe's value": ([*TOL, "--recipe.most", "x"], "recipe.most: expected int, got x"),
    "recipe in a training": (["--config", "recipe.yaml", *PHASE], ITSELF.format("model.phases")),
    "time limit in a training": ([*EQUATION, *PHASE, "--time_limit", "5"], ITSELF.format("model.phases")),
    "misspelt": ([*TOL, "--model.equatin", "x"], "no option 'model.equatin' (did you mean 'model.equation'?)"),
    "misspelt, too": ([*TOL, "--run.naem", "x"], "no option 'run.naem' (did you mean 'run.name'?)"),
    "equation's option": ([*TOL, "--model.equation.mods", "1"], "Poisson has no option 'mods' (did you mean 'modes'?)"),
    "no equation": (["--tol", "1e-6"], "missing model.equation: give a --config file with it"),
    "unknown equation": ([*OF, "Poissn"], "there is no class 'Poissn' (did you mean 'Poisson'?)"),
    "unknown module": ([*OF, "nowhere.X"], "there is no module 'nowhere'"),
    "unknown variable": ([*OF, "fall_of_commands.Stranger"], "asks for 'viscosity'"),
    "program error": ([*OF, "fall_of_commands.Wrong"], "in law: ZeroDivisionError: division by zero"),
    "unwritable": ([*TOL, "--run.root", "solve.yaml/runs"], "cannot write a run folder in solve.yaml/runs"),
    "threads": ([*TOL, "--run.threads", "0"], "run.threads must be positive, not 0"),
    "junk": ([*TOL, "junk"], "unrecognized arguments: junk"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_line_and_status_2(name, here, capsys):
    arguments, message = CASES[name]
    before = sorted(here.iterdir())
    assert main(["fit", *arguments]) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1 and message in err, err
    assert out == "" and [path for path in sorted(here.iterdir()) if path.name != "__pycache__"] == before


@pytest.mark.parametrize("variable", ["SLURM_NTASKS", "WORLD_SIZE"])
def test_several_processes_are_refused(variable, here, capsys, monkeypatch):
    monkeypatch.setenv(variable, "2")
    assert main(["fit", *TOL]) == 2
    assert capsys.readouterr().err == (
        f"pinnlab: a solve to a tolerance runs in one process, and {variable} is 2: start one\n"
    )


# its folder


@pytest.fixture
def solved(here, capsys):
    assert main(["fit", "--config", "solve.yaml", "--run.name", "one"]) == 0
    capsys.readouterr()
    return Path("runs/one")


def test_the_commands_take_its_folder(solved, capsys):
    before = (solved / "summary.json").read_bytes()
    solution = pinnlab.load(solved)
    assert main(["predict", "runs/one", "--grid", "t=0:1:5", "--derivatives", "u_t", "--out", "p.npz"]) == 0
    with np.load("p.npz") as arrays:
        np.testing.assert_array_equal(arrays["u_t"], solution.d("t", t=arrays["t"]))
    assert main(["figures", "runs/one", "--formats", "png"]) == 0
    capsys.readouterr()
    record = ["--config", "runs/one/config.yaml", "--ckpt_path", "runs/one/checkpoints/last.ckpt"]
    assert main(["validate", *record]) == 0
    shown = dict(re.findall(r"(max_error|relative_l2|uncertainty_u)\D+([\d.e-]+)", capsys.readouterr().out))
    assert float(shown["max_error"]) < 10 * float(shown["uncertainty_u"]) < 1e-6
    assert main(["predict", *record]) == 0
    assert (solved / "summary.json").read_bytes() == before


@pytest.mark.slow
def test_its_folder_is_exported(solved):
    assert main(["export", "runs/one"]) == 0 and (solved / "solution.pt2").exists()


def test_nothing_takes_the_place_of_its_record(solved, capsys):
    before = {path: path.read_bytes() for path in solved.rglob("*") if path.is_file()}
    record = ["--config", "runs/one/config.yaml", "--model.phases.0.steps", "2"]
    for arguments, message in (
        (["--config", "solve.yaml", "--run.name", "one"], "the solve in runs/one has ended: read it with pinnlab.load"),
        ([*record, "--run.name", "one", "--ckpt_path", "last"], "runs/one is of a solve to a tolerance: continue it"),
        ([*record, "--ckpt_path", "runs/one/checkpoints/last.ckpt"], "runs/one is of a solve to a tolerance"),
        (record[:2], "nothing left to train: --config runs/one/solve.json repeats the solve"),
    ):
        assert main(["fit", *arguments]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and message in err
    assert {path: path.read_bytes() for path in solved.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("file", "text"),
    [("solve.json", "{"), ("solve.json", "[]"), ("decisions.jsonl", "{\n"), ("decisions.jsonl", "3\n")],
)
def test_a_damaged_folder_is_named(file, text, solved, capsys):
    (solved / "summary.json").unlink()
    (solved / "metrics.csv").unlink()
    (solved / file).write_text(text)
    for arguments in (["fit", "--config", "solve.yaml", "--run.name", "one"], ["compare", "runs"]):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and f"runs/one/{file} is damaged" in err
    assert (solved / file).read_text() == text


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_only_fit_takes_a_tolerance(command, here, capsys):
    assert main([command, "--config", "solve.yaml"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("pinnlab: tol is for fit: ") and err.count("\n") == 1


def test_windows_are_evaluated_without_an_estimate_that_knows_no_windows(here, capsys):
    """A correction of a late window costs no residual at the start: the solve's own ± is the estimate."""
    (here / "swing_of_commands.py").write_text(
        MODULE.replace("u.d(t) + self.rate * u", "u.d(t, t) + torch.sin(u)")
        .replace("lambda u: u - 1", "lambda t, u: (u - 2, u.d(t))")
        .replace("t=(0, 1)", "t=(0, 5)")
    )
    assert main(["fit", "--model.equation", "swing_of_commands.Fall", "--tol", "1e-6", "--run.name", "swing"]) == 0
    assert pinnlab.load("runs/swing").ending.windows > 1
    capsys.readouterr()
    record = ["--config", "runs/swing/config.yaml", "--ckpt_path", "runs/swing/checkpoints/last.ckpt"]
    assert main(["validate", *record]) == 0
    out, err = capsys.readouterr()
    assert "residual_law" in out and "uncertainty" not in out and err == ""
