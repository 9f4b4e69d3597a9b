"""What comes after the training: tried before it, and where it fails all the same, nothing of the training is lost."""

import json
import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import EarlyStopping

import pinnlab
from pinnlab.cli import main
from pinnlab.collocation import Grid, Sobol
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Vector
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Interval
from pinnlab.networks import MLP
from pinnlab.problems import Poisson
from pinnlab.reporting.figures import panels
from pinnlab.training import Adam

small = partial(MLP, width=4, depth=1)
FOREVER = [Adam(10**9)]


def truth(t):
    return torch.exp(-t), 2 * torch.exp(-t)


class Decay(Equation):
    """u' = -u, and v = 2u."""

    inputs, outputs = ("t",), ("u", "v")

    def __init__(self, exact=truth):
        super().__init__()
        self.given = exact

    def constraints(self):
        line = Interval(t=(0, 1))
        return {
            "ode": Constraint(line, lambda t, u, v: (u.d(t) + u, v - 2 * u), points=8),
            "start": Constraint(line.face("t", 0), lambda u: u - 1),
        }

    def exact(self, t):
        return self.given(t)


class Flat(Equation):
    """One constant over two axes, one a vector of one component."""

    inputs, outputs = ("t", Vector("x", 1)), ("u",)

    def __init__(self, exact):
        super().__init__()
        self.given = exact

    def constraints(self):
        return {"all": Constraint(Box(t=(0, 1), x=([0.0], [1.0])), lambda u: u - 3, points=8)}

    def exact(self, t, x):
        return self.given(t, x)


def missing(t):
    raise KeyError("table")


@pytest.mark.parametrize("engine", [NTP(), Autograd()])
@pytest.mark.parametrize(
    ("exact", "message"),
    [
        (lambda t: math.exp(-t), "Decay.exact fails|math.exp|torch.exp"),
        (lambda t: np.exp(-t.value.numpy()), "exact"),
        (lambda t: (np.exp(-t.value.numpy()), 0.0), "returns a numpy.ndarray for u"),
        (lambda t: (torch.exp(-t.value), 0.0), "returns a torch.Tensor for u"),
        (lambda t: torch.exp(-t), "returns 1 of 2 outputs"),
        (lambda t: (t, t, t), "returns 3 of 2 outputs"),
        (lambda t: {"u": t, "v": t}, "returns 1 of 2 outputs"),
        (lambda t: (torch.stack([t, t], -1), t), "returns the shape"),
        (lambda t: (t.sum(), t), "shape|exact"),
        (lambda t: (None, t), "returns a builtins.NoneType for u"),
        (lambda t: ("0", t), "returns a builtins.str for u"),
        (missing, "Decay.exact fails: KeyError: 'table'"),
        (lambda t: (t, torch.special.airy_ai(t)), "exact|airy"),
    ],
)
def test_a_wrong_exact_solution_is_refused_before_the_training(exact, message, engine):
    with pytest.raises(UserError, match=message) as raised:
        pinnlab.solve(Decay(exact), small, engine, FOREVER)
    assert "\n" not in str(raised.value)


def test_so_are_arguments_that_it_does_not_get():
    class Other(Decay):
        def exact(self, x):
            return x, x

    with pytest.raises(UserError, match="the function exact asks for 'x'"):
        pinnlab.solve(Other(), small, phases=FOREVER)


@pytest.mark.parametrize("engine", [NTP(), Autograd()])
@pytest.mark.parametrize(
    ("equation", "error"),
    [
        (Decay(lambda t: [torch.exp(-t), 2.0]), "max_error_v"),
        (Decay(lambda t: (1, np.float64(2.0))), "max_error_u"),
        (Flat(lambda t, x: 3.0), "max_error"),
        (Flat(lambda t, x: torch.tensor(3.0)), "max_error"),
        (Flat(lambda t, x: (3 + 0 * x)[:, 0]), "max_error"),
    ],
)
def test_numbers_and_lists_are_constants_and_tuples(equation, error, engine):
    solution = pinnlab.solve(equation, small, engine, Adam(2))
    truth = {"max_error_v": 2.0, "max_error_u": 1.0, "max_error": 3.0}[error]
    points = {"t": torch.rand(3), "x": torch.rand(3, 1)}
    field = solution.model.equation.solution(points, 1)[error[-1] if error[-2] == "_" else "u"]
    assert (field.value == truth).all()
    assert all((field.derivative(alpha) == 0).all() for alpha in field.indices if sum(alpha))
    t = np.linspace(0, 1, 7)
    found = solution(**{name: {"t": t, "x": np.zeros((7, 1))}[name] for name in equation.inputs})
    found = found[error[-1]] if isinstance(found, dict) else found
    assert abs(found - truth).max() <= solution.metrics[error] + 0.05


def few_points_only(t):
    """Right on two points, and on many an error."""
    if t.shape[0] > 2:
        raise ZeroDivisionError("too many points")
    return torch.exp(-t), 2 * torch.exp(-t)


class BreaksAtTheEnd(Callback):
    """A callback of the user's own with a mistake."""

    def __init__(self, hook="on_train_end"):
        self.hook = hook
        setattr(self, hook, self._fail)

    def _fail(self, *_, **__):
        raise AttributeError("no such plot")


def broken(*_):
    raise RuntimeError("no such figure")


def check_record(folder, *words):
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["status"] == "finished"
    assert len(summary["failures"]) >= 1 and all(word in " ".join(summary["failures"]) for word in words)
    assert summary["metrics"]["residual_ode"] > 0 and summary["metrics"]["loss"] > 0
    assert (folder / "checkpoints" / "last.ckpt").exists()
    assert len((folder / "metrics.csv").read_text().splitlines()) == 3
    with np.load(folder / "solution.npz") as arrays:
        assert {"t", "u", "v", "residual"} <= set(arrays)


@pytest.mark.parametrize("engine", [NTP(), Autograd()])
def test_an_exact_solution_that_fails_afterwards_takes_nothing_along(engine, tmp_path, caplog):
    solution = pinnlab.solve(Decay(few_points_only), small, engine, Adam(3), folder=tmp_path / "run")
    plain = pinnlab.solve(Decay(), small, engine, Adam(3))
    np.testing.assert_array_equal(solution(t=0.3)["u"], plain(t=0.3)["u"])
    assert solution.metrics["held_out_loss"] == plain.metrics["held_out_loss"]
    assert "max_error" not in solution.metrics
    check_record(tmp_path / "run", "evaluation on held-out points", "ZeroDivisionError: too many points")
    assert "the solution is kept" in caplog.text


@pytest.mark.parametrize("hook", ["on_train_end", "on_validation_end", "teardown"])
def test_so_does_a_callback(hook, tmp_path, caplog):
    breaks = BreaksAtTheEnd(hook)
    solution = pinnlab.solve(Decay(), small, phases=Adam(3), folder=tmp_path / "run", callbacks=breaks)
    assert solution.metrics["max_error"] > 0 and len(solution.history["step"]) == 2
    if hook != "teardown":
        check_record(tmp_path / "run", "no such plot")
    assert "no such plot" in caplog.text


def test_so_does_a_figure(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(panels, "solution", broken)
    pinnlab.solve(Decay(), small, phases=Adam(3), folder=tmp_path / "run")
    check_record(tmp_path / "run", "the picture of the run", "no such figure")
    assert "no such figure" in caplog.text


def test_an_error_of_the_training_itself_is_one(tmp_path):
    class Broken(BreaksAtTheEnd):
        def on_train_batch_start(self, trainer, module, batch, number):
            if number == 1:
                self._fail()

    with pytest.raises(AttributeError, match="no such plot"):
        pinnlab.solve(Decay(), small, phases=Adam(3), folder=tmp_path / "run", callbacks=[Broken("on_fit_start_not")])
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["status"] == "failed"


@pytest.mark.parametrize("monitor", ["loss", "val_loss", "max_errors", "train_loss"])
def test_a_monitor_that_will_not_be_there_is_refused_with_the_nearest(monitor):
    with pytest.raises(
        UserError, match=f"EarlyStopping: there is no metric '{monitor}'.*there are residual_ode"
    ) as raised:
        pinnlab.solve(Decay(), small, phases=FOREVER, callbacks=[EarlyStopping(monitor)])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("monitor", ["held_out_loss", "residual_ode", "max_error_u", "uncertainty_u"])
def test_a_monitor_that_will_be_there_is_taken(monitor):
    pinnlab.solve(Decay(), small, phases=Adam(2), callbacks=[EarlyStopping(monitor)], val_check_interval=1)


CONFIG = """
model:
  equation: after_of_fit.Decay
  network: {class_path: MLP, init_args: {width: 4, depth: 1}}
  engine: NTP
  phases: [{class_path: Adam, init_args: {steps: 3}}]
"""


@pytest.mark.slow
def test_fit_keeps_everything_and_its_status_says_so(tmp_path, monkeypatch, caplog, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    source = Path(__file__).read_text()
    Path("after_of_fit.py").write_text(source.replace("self.given(t)", "few_points_only(t)"))
    Path("fit.yaml").write_text(CONFIG)
    assert main(["fit", "--config", "fit.yaml", "--run.name", "a"]) == 1
    check_record(tmp_path / "runs" / "a", "too many points")
    assert "3 steps in" in capsys.readouterr().out
    Path("fit.yaml").write_text(CONFIG + "trainer:\n  callbacks: [{class_path: after_of_fit.BreaksAtTheEnd}]\n")
    assert main(["fit", "--config", "fit.yaml", "--run.name", "b"]) == 1
    check_record(tmp_path / "runs" / "b", "too many points", "no such plot")
    Path("fit.yaml").write_text(
        CONFIG + "trainer:\n  callbacks: [{class_path: EarlyStopping, init_args: {monitor: loss}}]\n"
    )
    assert main(["fit", "--config", "fit.yaml", "--run.name", "c"]) == 2
    assert "there is no metric 'loss'" in capsys.readouterr().err and not Path("runs/c").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"equation": Poisson}, r"solve takes an Equation, such as Poisson\(\), not the class Poisson"),
        ({"equation": "Poisson"}, r"solve takes an Equation, such as Poisson\(\), not 'Poisson'"),
        ({"network": torch.nn.Sequential(torch.nn.Linear(2, 1))}, "Sequential is one already"),
        ({"network": "MLP"}, "network must be a class or a function"),
        ({"network": lambda n: MLP(n, 1)}, r"network\(2, 1\), which builds the network, fails"),
        ({"network": lambda i, o: None}, r"network\(2, 1\) must return a torch module, not NoneType"),
        ({"network": torch.nn.Tanh}, r"network\(2, 1\), which builds the network, fails"),
        ({"engine": NTP}, r"solve takes an Engine, such as NTP\(\), not the class NTP"),
        ({"engine": "NTP"}, r"solve takes an Engine, such as NTP\(\), not 'NTP'"),
        ({"phases": Adam}, r"solve takes a Phase, such as Adam\(2000\), not the class Adam"),
        ({"phases": [Adam]}, r"solve takes a Phase, such as Adam\(2000\), not the class Adam"),
        ({"phases": "Adam"}, r"solve takes a Phase, such as Adam\(2000\), not 'Adam'"),
        ({"phases": 100}, r"solve takes a Phase, such as Adam\(2000\), not 100"),
        ({"phases": []}, "phases: at least one"),
        ({"points": 100}, "points is a dictionary by constraint"),
        ({"points": {"interior": 10.5}}, "must be a whole number, not 10.5"),
        ({"points": {"interior": True}}, "must be a whole number, not True"),
        ({"points": {"interor": 10}}, "no constraint 'interor'"),
        ({"sampler": Sobol}, r"solve takes a Sampler, such as Sobol\(\), not the class Sobol"),
        ({"sampler": {"interior": "Grid"}}, "solve takes a Sampler"),
        ({"sampler": {"wall": Grid()}}, "no constraint 'wall'"),
        ({"sobolev": {"interior": [1.0, 0.1]}}, "solve takes a Sobolev"),
        ({"weights": 3.0}, "weights is a dictionary by constraint"),
        ({"weights": {"interior": "much"}}, "weights are numbers"),
        ({"weights": {"wall": 1.0}}, "has no constraint 'wall'"),
        ({"seed": 0.5}, "seed must be a whole number"),
        ({"seed": -1}, "seed: a seed lies between 0 and 4294967295, not -1"),
        ({"resample_every": None}, "resample_every must be a whole number"),
        ({"start": "nowhere"}, "there is no run folder or checkpoint nowhere"),
        ({"start": Poisson()}, "start is a Solution or the folder of a run"),
        ({"epochs": 3}, "the trainer cannot be made.*epochs"),
        ({"precision": "many"}, "precision: many"),
    ],
)
def test_what_solve_cannot_take_is_one_line(given, message):
    with pytest.raises(UserError, match=message) as raised:
        pinnlab.solve(**{"equation": Poisson(), "phases": FOREVER} | given)
    assert "\n" not in str(raised.value)
