"""Configurations as people write and save them: encodings, lists and what refers into them, nothing but an equation."""

import json

import pytest
import yaml

from pinnlab.cli import main
from pinnlab.commands.options.configuration import defaults, read_chain
from pinnlab.commands.options.overrides import Override, changed, split
from pinnlab.errors import UserError

MINE = """
from torch import nn
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval, PointSet
from pinnlab.networks import Build

class Decay(Equation):
    inputs, outputs = ("t",), ("u",)
    def constraints(self):
        line = Interval(t=(0, 1))
        return {
            "ode": Constraint(line, lambda t, u: u.d(t) + u, points=9),
            "start": Constraint(line.face("t", 0), lambda u: u - 1),
            "data": Constraint(PointSet(t=[0.5, 1.0], m=[0.6, 0.4]), lambda u, m: u - m),
        }

class Untyped(nn.Module):
    def __init__(self, inputs, outputs, network):
        super().__init__()
        self.network = network(inputs, outputs)
    def forward(self, x):
        return self.network(x)

class Typed(Untyped):
    def __init__(self, inputs, outputs, network: Build):
        super().__init__(inputs, outputs, network)

class Broken(Decay):
    def __init__(self, rate: float = 1.0):
        super().__init__()
        self.rate = rates
"""

REFERRING = """
model:
  equation: mine_here.Decay
  network: {class_path: MLP, init_args: {depth: 1, width: 5}}
  phases:
    - {class_path: Adam, init_args: {steps: 4}}
    - {class_path: GaussNewton, init_args: {steps: "${model.phases[0].init_args.steps}"}}
    - {class_path: Adam, init_args: {steps: "${model.phases[1].init_args.steps}", lr: 1e-2}}
trainer: {accelerator: cpu}
"""


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    (tmp_path / "mine_here.py").write_text(MINE)
    (tmp_path / "referring.yaml").write_text(REFERRING)

    def run(*arguments):
        capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as end:  # --print_config
            status = end.code
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    run.folder = tmp_path
    return run


def refused(outcome, *fragments):
    status, _, err = outcome
    assert status == 2 and err.count("\n") == 1, err
    for fragment in fragments:
        assert fragment in err
    return err


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_file_is_read_by_its_byte_order_mark(here, encoding):
    (here.folder / "file.yaml").write_bytes("# Wärme\nmodel: {equation: mine_here.Decay}\n".encode(encoding))
    status, out, _ = here("fit", "--config", "file.yaml", "--print_config")
    assert status == 0 and yaml.safe_load(out)["model"]["equation"]["class_path"] == "mine_here.Decay"


@pytest.mark.parametrize(
    ("content", "fragments"),
    [
        ("model: {}\n# W\xe4rme\n".encode("latin-1"), ["file.yaml, line 2", "UTF-8"]),
        (b"- a\n- b\n", ["file.yaml", "a list"]),
        (b"Poisson\n", ["file.yaml", "Poisson"]),
        (b"1: 2\n", ["file.yaml", "keys"]),
        (b"model:\n\tequation: Poisson\n", ["file.yaml, line 2", "blanks"]),
        (b"model: {a: 1}\nmodel: {b: 1}\n", ["line 2", "'model' is given twice"]),
        (b"model:\n  engine: NTP\n  engine: Autograd\n", ["line 3", "'engine' is given twice"]),
        (b"model: *nothing\n", ["line 1", "nothing"]),
        (b"model: !!python/name:os.system\n", ["line 1"]),
        (b"\x00\x01", ["file.yaml"]),
        (b"", ["missing model.equation"]),
        (b"# nothing yet\n", ["missing model.equation"]),
    ],
)
def test_what_is_no_configuration_is_refused_with_its_line(here, content, fragments):
    (here.folder / "file.yaml").write_bytes(content)
    refused(here("fit", "--config", "file.yaml"), *fragments)
    assert not (here.folder / "runs").exists()


def test_a_folder_and_a_missing_file_are_no_configurations(here):
    (here.folder / "folder").mkdir()
    refused(here("fit", "--config", "folder"), "folder is a folder")
    refused(here("fit", "--config", "nowhere.yaml"), "nowhere.yaml")
    refused(here("fit", "--config"), "--config needs a file")


def steps(config):
    return [phase["init_args"]["steps"] for phase in config["model"]["phases"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--model.phases.0.steps", "6"],
        ["--model.phases.0.steps=6"],
        ["--model.phases.0.init_args.steps", "6"],
        ["--config", "overlay.yaml"],
        ["--model.phases.0", "{class_path: Adam, init_args: {steps: 6}}"],
        ["--model.phases", "[{class_path: Adam, init_args: {steps: 6}}, {class_path: GaussNewton, init_args: {steps: "
         "'${model.phases[0].init_args.steps}'}}, {class_path: Adam, init_args: {steps: 6}}]"],
    ],
)  # fmt: skip
def test_what_refers_to_an_entry_follows_it_in_print_and_in_the_run(here, arguments):
    overlay = yaml.safe_load(REFERRING)["model"]["phases"]
    overlay[0]["init_args"]["steps"] = 6
    (here.folder / "overlay.yaml").write_text(yaml.safe_dump({"model": {"phases": overlay}}))
    status, out, _ = here("fit", "--config", "referring.yaml", *arguments, "--print_config")
    assert status == 0 and steps(yaml.safe_load(out)) == [6, 6, 6]
    assert here("fit", "--config", "referring.yaml", *arguments, "--run.name", "one")[0] == 0
    assert steps(yaml.safe_load((here.folder / "runs" / "one" / "config.yaml").read_text())) == [6, 6, 6]
    summary = json.loads((here.folder / "runs" / "one" / "summary.json").read_text())
    assert [phase["steps"] for phase in summary["phases"]] == [6, 6, 6]


def test_an_entry_keeps_the_other_values_of_a_default(here):
    """LBFGS has plateau = {steps: 10, decrease: 1e-3} by default."""
    arguments = ["--model.equation", "mine_here.Decay", "--model.phases.1.plateau.steps", "3", "--print_config"]
    printed = yaml.safe_load(here("fit", *arguments)[1])
    assert printed["model"]["phases"][1]["init_args"]["plateau"] == {"steps": 3, "decrease": 1e-3}


def test_entries_within_a_network_are_found_without_init_args(here):
    network = "{class_path: Staged, init_args: {stages: [MLP, {class_path: RandomFeatures, init_args: {features: 9}}]}}"
    arguments = ["--model.equation", "mine_here.Decay", "--model.network", network]
    changes = ["--model.network.stages.1.features", "7", "--model.network.stages.0.width", "4", "--print_config"]
    stages = yaml.safe_load(here("fit", *arguments, *changes)[1])["model"]["network"]["init_args"]["stages"]
    assert (stages[0]["init_args"]["width"], stages[1]["init_args"]["features"]) == (4, 7)


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["--model.phases.9.steps", "1"], ["model.phases has 3 entries", "no 9"]),
        (["--model.equation.0.a", "1"], ["no list 'model.equation'"]),
        (["--model.phases.0.steps"], ["needs a value"]),
        (["--model.phases.0.steps", "[1"], ["'[1' is no value"]),
        (["--model.phases.0.step", "1"], ["Adam has no option 'step'", "'steps'"]),
        (["--model.phases.0.steps", "ten"], ["model.phases.steps", "int", "ten"]),
        (["--model.phases.0.steps", "1.5"], ["model.phases.steps", "int", "1.5"]),
        (["--model.phases.0.steps", "null"], ["model.phases.steps"]),
        (["--model.phases.0.lr", "nan"], ["lr", "nan"]),
        (["--model.phases.0.lr", ".inf"], ["lr", "inf"]),
        (["--model.phases.0.betas", "[1.0, 2.0]"], ["Adam", "beta"]),
        (["--model.phases.0", "{class_path: Adam, steps: 3}"], ["init_args"]),
        (["--model.phases", "Adam"], ["model.phases", "list"]),
        (["--model.phases", "[]"], ["phases", "at least one"]),
        (["--model.phases", "[torch.optim.Adam]"], ["torch.optim.Adam is no Phase"]),
        (["--model.equation", "null"], ["model.equation", "expected a class"]),
        (["--model.equation", "mine_here.decay"], ["no 'decay' in mine_here", "'Decay'"]),
        (["--model.equation", "mine_here.Typed"], ["mine_here.Typed is no Equation"]),
        (["--model.equation", "pinnlab.equations.Equation"], ["abstract", "constraints"]),
        (["--model.equation", "mine_here.Broken"], ["mine_here.py, line 31, in __init__", "rates"]),
        (["--model.equation", "nowhere_else.Decay"], ["no module 'nowhere_else'", "current folder", "nowhere_else.py"]),
        (["--model.equation", "imports.A"], ["imports.py, line 2", "nothing_there"]),
        (["--model.equation", "syntax.A"], ["syntax.py, line 2", "SyntaxError"]),
        (["--model.equation", "divides.A"], ["divides.py, line 1", "ZeroDivisionError"]),
        (["--model.network", "{class_path: MLP, init_args: [1]}"], ["model.network", "expected a class"]),
        (["--model.network", "{class_path: mine_here.Untyped, init_args: {network: {class_path: MLP}}}"],
         ["MLP", "network: Build", "pinnlab.networks"]),
        (["--model.network", "{class_path: mine_here.Untyped, init_args: {network: MLP}}"],
         ["model.network.network: MLP", "network: Build"]),
        (["--model.network", "{class_path: Even, init_args: {network: {class_path: mine_here.Untyped, init_args: "
          "{network: {class_path: Staged, init_args: {stages: [MLP]}}}}}}"], ["Staged", "network: Build"]),
        (["--model.weights", "[1]"], ["model.weights", "dict"]),
        (["--run.checkpoint_steps", "0"], ["run.checkpoint_steps", "0"]),
        (["--run.threads", "-1"], ["run.threads", "-1"]),
        (["--run.name", ""], ["run.name"]),
        (["--wandb.init_timeout", "0"], ["wandb.init_timeout"]),
        (["--seed_everything", "-1"], ["seed_everything", "-1"]),
        (["--seed_everything", "99999999999999999999"], ["seed_everything", "4294967295"]),
        (["--model.phases.0.plateau", "{steps: 0}"], ["plateau: steps must be at least 1"]),
        (["--data.points", "{data: 5}"], ["points.data", "given", "2 of them"]),
        (["--data.sampler", "{start: Sobol}"], ["sampler.start", "given"]),
        (["--data.sampler", "Grid", "--data.resample_every", "3"], ["resample_every", "Grid"]),
        (["--trainer.callbacks", "{class_path: ResidualAdaptive, init_args: {constraint: data}}"], ["data", "given"]),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_before_a_step(here, arguments, fragments):
    for name, text in {
        "imports.py": "import math\nimport nothing_there\n",
        "syntax.py": "a = 1\ndef f(:\n",
        "divides.py": "x = 1 / 0\n",
    }.items():
        (here.folder / name).write_text(text)
    refused(here("fit", "--config", "referring.yaml", "--run.name", "one", *arguments), *fragments)
    record = here.folder / "runs" / "one" / "metrics.csv"
    assert not record.exists() or record.read_text().count("\n") <= 1


def test_a_typed_argument_takes_a_class(here):
    network = "{class_path: mine_here.Typed, init_args: {network: {class_path: MLP, init_args: {width: 4, depth: 1}}}}"
    arguments = ["--config", "referring.yaml", "--model.network", network, "--run.name", "typed"]
    assert here("fit", *arguments)[0] == 0


def test_a_training_whose_network_is_not_given_is_that_of_solve(here):
    import pinnlab
    from pinnlab.problems import Blasius
    from pinnlab.training import LBFGS, Adam

    short = ["--model.phases.0.steps", "3", "--model.phases.1.steps", "1", "--run.name", "one"]
    assert here("fit", "--model.equation", "Blasius", "--trainer.accelerator", "cpu", *short)[0] == 0
    summary = json.loads((here.folder / "runs" / "one" / "summary.json").read_text())
    solution = pinnlab.solve(Blasius(), phases=[Adam(3), LBFGS(1)], accelerator="cpu")
    assert summary["metrics"]["loss"] == solution.history["loss"][-1]
    assert defaults({"model": {"engine": "Autograd"}})["model"].keys() == {"network", "phases"}


def test_the_default_steps_are_those_of_solve():
    """`solve` has them in its code and in its docstring, a configuration in its own: they must not part."""
    import inspect

    import pinnlab

    first, second = defaults({})["model"]["phases"]
    words = f"{first['init_args']['steps']:,} steps of {first['class_path']}"
    assert words in " ".join(inspect.getdoc(pinnlab.solve).split())
    assert f"{second['class_path']}({second['init_args']['steps']})" in inspect.getsource(pinnlab.solve)


def test_bases_come_first_and_must_end(tmp_path):
    (tmp_path / "a.yaml").write_text("base: b.yaml\nx: 1e-3\n")
    (tmp_path / "b.yaml").write_bytes("x: 2\ny: 3\n".encode("utf-16"))
    assert read_chain(tmp_path / "a.yaml") == [{"x": 2, "y": 3}, {"x": 1e-3}]
    (tmp_path / "b.yaml").write_text("base: a.yaml\n")
    with pytest.raises(UserError, match="itself"):
        read_chain(tmp_path / "a.yaml")


def test_changes_of_several_entries_of_one_list_add_up():
    _, overrides = split(["fit", "--a.b.0.x", "1", "--a.b.1.y.z", "[2, 3]", "--a.c", "4"])
    assert overrides == [Override("a.b", 0, "x", 1), Override("a.b", 1, "y.z", [2, 3])]
    content = {"a": {"b": [{"x": "${a.c}"}, {}], "c": 0}}
    assert changed(content, overrides, dict) == {"a": {"b": [{"x": 1}, {"y": {"z": [2, 3]}}]}}
    assert content["a"]["b"][0] == {"x": "${a.c}"}, "what was read is not changed"


@pytest.mark.parametrize("value", ["[]", "[1]", "null", "3", "x"])
@pytest.mark.parametrize("section", ["model", "data", "trainer", "run", "wandb"])
def test_a_section_holds_keys_and_values(section, value, tmp_path, capsys):
    file = tmp_path / "a.yaml"
    file.write_text(f"{section}: {value}\n")
    assert main(["fit", "--config", str(file), "--model.phases.0.steps", "1"]) == 2
    assert f"{section}: expected keys and their values, got" in capsys.readouterr().err
