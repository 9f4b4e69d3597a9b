"""What `solve` returns can be kept: pickled, sent from processes, copied, and loaded again from its folder."""

import copy
import json
import pickle
import shutil
import subprocess
import sys
import types
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

import pinnlab
from pinnlab.cli import main
from pinnlab.collocation import Clustered, Grid
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown, Vector
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Interval
from pinnlab.networks import MLP, Columns, Corner, Enriched, Fourier, Periodic, RandomFeatures, Staged
from pinnlab.problems import Poisson
from pinnlab.reporting.description import IndescribableError, build, describe
from pinnlab.residuals import Weights
from pinnlab.training import LBFGS, Adam, GaussNewton, Plateau

MODULE = """
import torch
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Interval
from pinnlab.networks import MLP


class Decay(Equation):
    inputs, outputs = ("t",), ("u",)

    def __init__(self, rate=1.0, span=(0, 1)):
        super().__init__()
        self.k = Unknown(0.5, truth=rate)
        self.rate, self.span = rate, span

    def constraints(self):
        line = Interval(t=tuple(self.span))
        return {
            "ode": Constraint(line, lambda t, u, k: u.d(t) + k * u, points=20),
            "start": Constraint(line.face("t", self.span[0]), lambda u: u - 1),
        }

    def exact(self, t):
        return torch.exp(-self.rate * t)


class Net(torch.nn.Module):
    def __init__(self, inputs, outputs, inner, activation=torch.nn.Tanh):
        super().__init__()
        self.inner, self.last = inner(inputs, 4), torch.nn.Linear(4, outputs)
        self.activation = activation()

    def forward(self, x):
        return self.last(self.activation(self.inner(x)))


def plain(inputs, outputs):
    return torch.nn.Sequential(torch.nn.Linear(inputs, 5), torch.nn.Tanh(), torch.nn.Linear(5, outputs))
"""


@pytest.fixture
def decay(tmp_path, monkeypatch):
    """A module of the user's own, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    (tmp_path / "decay_of_kept.py").write_text(MODULE)
    import decay_of_kept

    yield decay_of_kept
    del sys.modules["decay_of_kept"]


def local():
    """An equation that nothing outside of this function can import, whose residuals are lambdas."""

    class Local(Equation):
        inputs, outputs = ("t",), ("u",)

        def constraints(self):
            line = Interval(t=(0, 1))
            return {
                "ode": Constraint(line, lambda t, u: u.d(t) + u, points=8),
                "start": Constraint(line.face("t", 0), lambda u: u - 1),
            }

    return Local()


small = partial(MLP, width=6, depth=1)


@pytest.mark.parametrize("engine", [NTP(), NTP(composition="faa_di_bruno"), Autograd()])
@pytest.mark.parametrize("again", [lambda s: pickle.loads(pickle.dumps(s)), copy.deepcopy, copy.copy])
def test_a_solution_is_copied_whole_and_alone(decay, engine, again):
    solution = pinnlab.solve(decay.Decay(), small, engine, [Adam(3), LBFGS(1)])
    twin = again(solution)
    t = np.linspace(0, 1, 5)
    np.testing.assert_array_equal(twin(t=t), solution(t=t))
    np.testing.assert_array_equal(twin.d("t", t=t), solution.d("t", t=t))
    assert twin.unknowns == solution.unknowns and twin.metrics == solution.metrics
    np.testing.assert_array_equal(twin.history["loss"], solution.history["loss"])
    assert len(pickle.dumps(solution)) < 60_000  # no trainer, points or optimiser


def test_copies_of_an_equation_within_a_function():
    solution = pinnlab.solve(local(), small, phases=[Adam(2)])
    np.testing.assert_array_equal(copy.deepcopy(solution)(t=0.3), solution(t=0.3))


def networks(module):
    return {
        "a partial": partial(MLP, width=5, activation="sin"),
        "with positions": partial(Fourier, features=4, network=small),
        "stages": partial(Staged, stages=[small, partial(RandomFeatures, features=7)]),
        "of one's own": partial(module.Net, inner=small),
        "of one's own with a class": partial(module.Net, inner=MLP, activation=torch.nn.Sigmoid),
        "a function": module.plain,
        "keys that are numbers": partial(Periodic, periods={0: 2.0}),
    }


@pytest.mark.parametrize("name", networks(types.SimpleNamespace(Net=MLP, plain=MLP)))
def test_a_folder_is_loaded_bit_for_bit(decay, name):
    phases = [Adam(3, plateau=Plateau(2)), LBFGS(1)] + [GaussNewton(1, stage=2)] * (name == "stages")
    options = {"points": {"ode": 9}, "sobolev": {"ode": Weights([1.0, 0.1])}, "weights": {"start": 2.0}}
    solution = pinnlab.solve(
        decay.Decay(rate=2.0), networks(decay)[name], NTP("faa_di_bruno"), phases, folder="run",
        sampler={"ode": Clustered(0, sampler=Grid())}, seed=3, **options,
    )  # fmt: skip
    again = pinnlab.load("run")
    t = np.linspace(0, 1, 5)
    np.testing.assert_array_equal(again(t=t), solution(t=t))
    np.testing.assert_array_equal(again.d("t", "t", t=t), solution.d("t", "t", t=t))
    assert again.unknowns == solution.unknowns and again.model.equation.rate == 2.0
    assert again.metrics.items() >= solution.metrics.items()
    assert list(again.history) == list(solution.history)
    for column in again.history:
        np.testing.assert_array_equal(again.history[column], solution.history[column])
    residual = solution.model.residual_values({"ode": {"t": torch.rand(3)}})["ode"]
    assert residual.isfinite().all()


@pytest.mark.slow
def test_the_commands_take_a_folder_of_solve(decay, capsys):
    solution = pinnlab.solve(decay.Decay(2.0), small, phases=[Adam(3)], folder="run")
    assert main(["predict", "run", "--grid", "t=0:1:5", "--derivatives", "u_t"]) == 0
    with np.load("run/prediction.npz") as arrays:
        np.testing.assert_array_equal(arrays["u_t"], solution.d("t", t=arrays["t"]))
    assert main(["export", "run"]) == 0 and Path("run/solution.pt2").exists()
    assert main(["figures", "run", "--formats", "png"]) == 0
    checkpoint = ["--config", "run/config.yaml", "--ckpt_path", "run/checkpoints/last.ckpt"]
    assert main(["validate", *checkpoint]) == 0
    assert f"{solution.metrics['max_error']:.5}"[:7] in capsys.readouterr().out
    assert main(["fit", *checkpoint, "--model.phases.0.steps", "5"]) == 0
    assert len(pinnlab.load("run").history["step"]) > len(solution.history["step"])


@pytest.mark.parametrize(
    ("made", "options", "part"),
    [
        (local, {}, "equation"),
        (Poisson, {"network": lambda i, o: MLP(i, o, width=6, depth=1)}, "network"),
    ],
)
def test_what_cannot_be_described_is_given_to_load(made, options, part, tmp_path):
    given = {"equation": made(), "network": small} | options
    solution = pinnlab.solve(
        **given, phases=[Adam(2)], points={"ode": 4} if part == "equation" else {}, folder=tmp_path / "run"
    )
    with pytest.raises(
        UserError, match=rf"does not tell how to make the {part} again: give it, as pinnlab.load\(.*{part}="
    ) as raised:
        pinnlab.load(tmp_path / "run")
    assert "\n" not in str(raised.value)
    assert f"# the {part} cannot be built from this file" in (tmp_path / "run" / "config.yaml").read_text()
    again = pinnlab.load(tmp_path / "run", **{part: given[part]})
    where = {name: np.linspace(0, 1, 4) for name in solution.model.equation.inputs}
    np.testing.assert_array_equal(again(**where), solution(**where))


def test_an_equation_that_was_changed_is_not_described_by_its_arguments(decay, tmp_path):
    equation = decay.Decay()
    equation.rate = 3.0
    pinnlab.solve(equation, small, phases=[Adam(1)], folder="run")
    assert "rate was changed" in Path("run/config.yaml").read_text()
    with pytest.raises(UserError, match="make the equation again"):
        pinnlab.load("run")
    with pytest.raises(UserError, match="was written with another model"):
        pinnlab.load("run", equation=equation, network=MLP)


@pytest.mark.slow
def test_a_source_that_changed_is_told(decay, caplog, tmp_path):
    pinnlab.solve(decay.Decay(), small, phases=[Adam(2)], folder="run")
    kept = Path("run/source/decay_of_kept.py")
    assert kept.read_text() == MODULE
    assert list(json.loads(Path("run/summary.json").read_text())["sources"]) == ["decay_of_kept.py"]
    caplog.clear()
    pinnlab.load("run")
    assert not caplog.records
    Path("decay_of_kept.py").write_text(MODULE + "# another\n")
    checkpoint = ["--config", "run/config.yaml", "--ckpt_path", "run/checkpoints/last.ckpt"]
    for use in (
        lambda: pinnlab.load("run"),
        lambda: main(["predict", "run"]),
        lambda: main(["fit", *checkpoint, "--model.phases.0.steps", "3"]),
    ):
        caplog.clear()
        use()
        # of a network of three steps more is said
        assert [message for message in caplog.messages if "as large as" not in message] == [
            "pinnlab: decay_of_kept.py changed after the run run was trained; what it was then is in run/source"
        ]


SCRIPT = """
import multiprocessing, pickle, sys
import pinnlab
from pinnlab.training import Adam
{source}

def job(seed):
    return pinnlab.solve(Decay(), phases=[Adam(2)], seed=seed)


{guard}
    solution = pinnlab.solve(Decay(3.0), phases=[Adam(2)], folder="run")
    again = pinnlab.load("run")
    assert again.model.equation.rate == 3.0 and type(again.model.equation) is Decay
    assert again(t=0.5) == solution(t=0.5)
    if "processes" in sys.argv:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            (found,) = pool.map(job, [1])
        assert found(t=0.5) == job(1)(t=0.5)
"""


@pytest.mark.slow
def test_a_script_is_known_by_its_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    script = SCRIPT.format(source=MODULE, guard='if __name__ == "__main__":')
    Path("script_of_kept.py").write_text(script)
    subprocess.run([sys.executable, "script_of_kept.py", "processes"], check=True)
    assert "script_of_kept.Decay" in Path("run/config.yaml").read_text()
    monkeypatch.syspath_prepend(tmp_path)
    assert pinnlab.load("run").model.equation.rate == 3.0
    shutil.move("script_of_kept.py", "elsewhere.py")
    shutil.rmtree("__pycache__", ignore_errors=True)
    del sys.modules["script_of_kept"]
    with pytest.raises(UserError, match="no module 'script_of_kept' here"):
        pinnlab.load("run")


@pytest.mark.slow
def test_importing_a_script_never_trains(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("bare_of_kept.py").write_text(SCRIPT.format(source=MODULE, guard="if True:"))
    subprocess.run([sys.executable, "bare_of_kept.py"], check=True)
    with pytest.raises(UserError, match="importing bare_of_kept solves an equation: put what it runs below"):
        pinnlab.load("run")


def test_descriptions_are_plain_and_come_back():
    values = [
        None, True, 3, 0.1, float("inf"), "a", [1, [2.5]], {"a": {1: 2}}, Adam(3, betas=(0.8, 0.9)),
        Plateau(2, decrease=0.5), MLP, small, torch.nn.Tanh, torch.sin, Weights([1.0]), Poisson(),
    ]  # fmt: skip
    for value in values:
        data = describe(value)
        assert yaml.safe_load(yaml.safe_dump(data)) == data
        assert describe(build(data)) == data
    # by the package that offers it: files within may move
    assert describe(Adam(3))["class_path"] == "pinnlab.training.Adam"
    assert describe(Weights([1.0]))["class_path"] == "pinnlab.residuals.Weights"
    assert build(describe(np.float64(0.1))) == 0.1 and type(describe(np.int64(3))) is int
    for value in (lambda: 1, local(), np.zeros(3), Vector("x", 2), 1j, MLP(1, 1), partial(lambda i, o: 1), object()):
        with pytest.raises(IndescribableError):
            describe(value)
    with pytest.raises(UserError, match="nothing that a run's record makes"):
        build({"class_path": "pathlib.Path", "init_args": {}})


def test_seeds_in_a_loop_start_alike_and_leave_each_other_alone(decay):
    equation = decay.Decay()
    alone = [pinnlab.solve(decay.Decay(), small, phases=[Adam(5)], seed=seed) for seed in (0, 1)]
    together = [pinnlab.solve(equation, small, phases=[Adam(5)], seed=seed) for seed in (0, 1)]
    for one, other in zip(alone, together, strict=True):
        assert one.unknowns == other.unknowns
        np.testing.assert_array_equal(one.history["k"], other.history["k"])
    assert together[0].unknowns != together[1].unknowns
    assert float(equation.k.value.detach()) == together[1].unknowns["k"]


class WithNetwork(Equation):
    """An equation with a network of its own, an unknown coefficient."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, linear=False, bounds=None):
        super().__init__()
        self.k = Unknown(0.25, bounds, linear=linear)
        self.coefficient = torch.nn.Linear(1, 1)
        self.residual_of = self.residual  # which stays with this equation while it is trained

    def constraints(self):
        return {"all": Constraint(Box(x=(0, 1)), self.residual_of, points=8)}

    def residual(self, x, u):
        return u.d(x) - self.k.value - self.coefficient(torch.stack([x], -1))[..., 0]


@pytest.mark.parametrize("engine", [NTP(), Autograd()])
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)])
def test_all_else_that_an_equation_trains_starts_again_too(bounds, engine):
    equation = WithNetwork(bounds=bounds)
    before = {name: value.clone() for name, value in equation.coefficient.state_dict().items()}
    first, second = (pinnlab.solve(equation, small, engine, Adam(4)) for _ in range(2))
    np.testing.assert_array_equal(first.history["loss"], second.history["loss"])
    assert first.unknowns == second.unknowns != {"k": 0.25}
    for name, value in before.items():
        assert torch.equal(equation.coefficient.state_dict()[name], value)
        assert not torch.equal(first.model.equation.coefficient.state_dict()[name], value)


def test_the_source_of_functions_added_to_a_network_is_kept(tmp_path, monkeypatch):
    import importlib

    from pinnlab.reporting.sources import sources

    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "bumps_of_kept.py").write_text("def bump(x, width=1.0):\n    return x * width\n")
    module = importlib.import_module("bumps_of_kept")
    try:
        functions = [module.bump, partial(module.bump, width=2.0), Corner(names=("x", "y"))]
        network = Enriched(Columns(("x", "y")), 1, functions)
        kept = (tmp_path / "bumps_of_kept.py").read_bytes()
        assert sources(torch.nn.Sequential(network)) == {"bumps_of_kept.py": kept}
    finally:
        sys.modules.pop("bumps_of_kept")
