"""Training of small problems: laws of the phases, float64 throughout, and what a checkpoint holds."""

import functools
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback

import pinnlab
from pinnlab.collocation import Grid
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation
from pinnlab.errors import DivergedError, UserError
from pinnlab.geometry import Box, PointSet
from pinnlab.networks import MLP
from pinnlab.residuals import Residuals
from pinnlab.training import LBFGS, Adam
from pinnlab.training.objective import Objective
from tests.problems import Decay

SMALL = functools.partial(MLP, width=8, depth=1)


class Waves(Equation):
    """Two outputs in two inputs: u_t = v_x, v_t = u_x."""

    inputs, outputs = ("t", "x"), ("u", "v")

    def constraints(self):
        box = Box(t=(0, 1), x=(0, 1))
        return {"interior": Constraint(box, lambda t, x, u, v: (u.d(t) - v.d(x), v.d(t) - u.d(x)), points=16)}

    def exact(self, t, x):
        return torch.sin(t + x), torch.sin(t + x)


def solve(equation, *arguments, **options):
    return pinnlab.solve(equation, *arguments, **{"accelerator": "cpu", "sampler": Grid(), **options})


@pytest.fixture(scope="module")
def decay():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    solution = solve(Decay(), SMALL, phases=[Adam(100, lr=1e-2), LBFGS(20)])
    torch.set_default_dtype(before)
    return solution


def test_finds_solution_and_unknown(decay):
    assert decay.unknowns["k"] == pytest.approx(np.log(2), abs=1e-5)
    assert decay.metrics["max_error"] < 1e-5 and decay.metrics["error_k"] < 1e-5
    x = np.linspace(0, 1, 6).reshape(2, 3)
    assert decay(x=x).shape == (2, 3)
    assert np.abs(decay(x=x) - 0.5**x).max() < 1e-5
    for order in range(3):
        assert np.abs(decay.derivative(order, x=x) - (-np.log(2)) ** order * 0.5**x).max() < 1e-2
    assert np.array_equal(decay.derivative(2, x=x), decay.d("x", "x", x=x))
    assert decay.history["loss"][-1] < 1e-8 * decay.history["loss"][0]
    assert decay.history["phase"][-1] == "2 LBFGS"


def test_solution_names_what_is_wrong(decay):
    for call in (lambda: decay(), lambda: decay(t=1), lambda: decay.d("t", x=1), lambda: decay.derivative(-1, x=1)):
        with pytest.raises(UserError):
            call()


def test_several_inputs_and_outputs():
    solution = solve(Waves(), SMALL, phases=[Adam(3)])
    t, x = np.array([[0.1], [0.2]]), np.array([0.3, 0.4, 0.5])
    found = solution.d("t", "x", t=t, x=x)
    assert set(found) == {"u", "v"} and found["u"].shape == (2, 3)
    h = 1e-4
    corners = [s * r * solution(t=t + s * h, x=x + r * h)["u"] for s in (1, -1) for r in (1, -1)]
    assert np.allclose(found["u"], sum(corners) / (4 * h * h), atol=1e-6)
    assert {"max_error", "max_error_u", "max_error_v", "relative_l2", "residual_interior"} <= set(solution.metrics)
    assert solution.metrics["max_error"] == max(solution.metrics["max_error_u"], solution.metrics["max_error_v"])


def test_nothing_is_written_and_no_random_state_is_spent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = torch.get_rng_state()
    solve(Decay(), SMALL, phases=[Adam(2)])
    assert not list(tmp_path.iterdir())
    assert torch.equal(torch.get_rng_state(), state) and torch.get_default_dtype() == torch.float64
    solve(Decay(), SMALL, phases=[Adam(2)], folder=tmp_path / "kept")
    assert {"config.yaml", "metrics.csv", "summary.json", "profile.png", "checkpoints"} <= {
        path.name for path in (tmp_path / "kept").iterdir()
    }


def test_lbfgs_does_not_see_the_scale_of_the_loss():
    """torch's L-BFGS freezes when the loss is small; ours takes the same steps for a loss a billion times smaller."""
    found = []
    for factor in (1.0, 1e-9):
        weights = {"interior": factor, "ends": factor}
        solution = solve(Decay(), SMALL, phases=[LBFGS(4, inner=10)], weights=weights)
        found.append((solution.history["loss"][-1] / factor, solution.unknowns["k"]))
    assert found[0][0] < 1e-3
    assert found[1] == pytest.approx(found[0], rel=1e-4)


def test_a_stalled_phase_ends():
    """Started at a minimum, L-BFGS has nothing to gain: its phase ends by the rule and not by its steps."""
    solution = solve(Decay(), SMALL, phases=[Adam(50, lr=1e-2), LBFGS(100_000, inner=5)])
    (_, last) = solution.model.schedule.ended
    assert "settled" in last.reason and last.steps < 100_000


def test_engines_train_alike():
    losses = [
        solve(Decay(), SMALL, engine, phases=[Adam(30)], log_every_n_steps=1).history["loss"]
        for engine in (NTP(), NTP("faa_di_bruno"), Autograd())
    ]
    assert len(losses[0]) == 31
    for other in losses[1:]:
        assert np.allclose(other, losses[0], rtol=1e-10, atol=0)


def test_weights_are_drawn_in_float64_even_under_a_float32_default():
    torch.set_default_dtype(torch.float32)
    solution = solve(Decay(), SMALL, phases=[Adam(0), Adam(1, lr=1e-300)])
    for name, value in solution.model.residuals.network.named_parameters():
        assert value.dtype == torch.float64
        if "weight" in name:
            assert not torch.equal(value, value.float().double()), "drawn in float32 and widened"
    assert solution.model.equation.k.parameter.dtype == torch.float64
    assert torch.get_default_dtype() == torch.float32


def test_resampling_reaches_the_training_batch():
    class Watch(Decay):
        seen: list

        def residual(self, x, u, k):
            self.seen.append(x.value.detach().clone())
            return u.d(x) + k * u

    from pinnlab.collocation import Uniform

    for every, different in ((0, 1), (2, 3)):
        Watch.seen = []
        solve(Watch(), SMALL, Autograd(), phases=[Adam(6)], sampler=Uniform(), resample_every=every)
        batches = {tuple(x.tolist()) for x in Watch.seen if len(x) == 20 and x.device.type == "cpu"}
        assert len(batches) == different


def test_a_closure_changes_nothing_but_gradients():
    """However often a line search asks, the same parameters give the same loss, and the first blocks are kept."""
    equation = Decay()
    residuals = Residuals(SMALL(1, 1), equation, NTP())
    points = {name: Grid().sample(c.region, c.points, 0) for name, c in equation.constraints().items()}
    objective = Objective(residuals, points)
    optimizer = torch.optim.SGD(residuals.parameters(), lr=1e-2)
    closure = objective.closure(optimizer, scale=4.0)
    first = closure()
    gradients = [p.grad.clone() for p in residuals.parameters()]
    for _ in range(3):
        assert closure() == first
        assert all(torch.equal(p.grad, g) for p, g in zip(residuals.parameters(), gradients, strict=True))
    kept = {name: block.clone() for name, block in objective.first_blocks.items()}
    optimizer.step()
    assert closure() < first
    assert all(torch.equal(objective.first_blocks[name], block) for name, block in kept.items())
    loss = residuals.loss(residuals(points))
    assert closure().item() == pytest.approx(4 * loss.item())


@pytest.mark.parametrize(("bad", "word"), [(float("nan"), "NaN"), (float("inf"), "infinite")])
@pytest.mark.parametrize("phase", [Adam(5), LBFGS(5, inner=2)], ids=["Adam", "LBFGS"])
def test_divergence_names_constraint_step_and_phase(bad, word, phase):
    class Spoilt(Decay):
        begun = False

        def constraints(self):
            return super().constraints() | {"spoilt": Constraint(PointSet(x=[0.25, 0.5]), self.spoil)}

        def spoil(self, x, u):
            return u * torch.where(x > 0.3, bad if self.begun else 1.0, 1.0)

    class Begin(Callback):
        def on_train_batch_start(self, trainer, module, batch, index):
            module.equation.begun = index == 2

    where = rf"at step 2 of phase 1 \({phase.name}\), at x = 0.5 and not at all points: try"
    with pytest.raises(DivergedError, match=rf"'spoilt' became {word} {where}"):
        solve(Spoilt(), SMALL, phases=[phase], callbacks=[Begin()])


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background hands on that it is ignored
from lightning.pytorch import Callback
import pinnlab
from pinnlab.networks import MLP
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.training import Adam
class Press(Callback):
    def on_train_batch_start(self, trainer, module, batch, index):
        if index == 3:
            os.kill(os.getpid(), signal.{signal})
def small(inputs, outputs):
    return MLP(inputs, outputs, width=4, depth=1)
options = {{"network": small, "points": {{"interior": 9}}, "callbacks": [Press()], "accelerator": "cpu"}}
options["progress"] = False  # which is shown at a prompt
def say(found):
    print(found.model.schedule.step, found.metrics["max_error"] > 0, flush=True)
{begin}
for seed in range(2):
    try:
        say(pinnlab.solve(SelfSimilarBurgers(), phases=[Adam(10**6)], seed=seed, **options))
    except KeyboardInterrupt as stop:
        say(stop.solution)
        raise
"""


@pytest.mark.parametrize(
    ("number", "begin", "solves", "status"),
    [
        ("SIGINT", "", 1, -signal.SIGINT),
        # Python's own sign of a prompt: there the solution is returned
        ("SIGINT", "sys.ps1 = '>>> '", 2, 0),
        ("SIGTERM", "signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(7))", 0, 7),
        ("SIGTERM", "", 0, -signal.SIGTERM),
    ],
    ids=["Ctrl-C in a script", "Ctrl-C at a prompt", "SIGTERM with a handler", "SIGTERM"],
)
def test_a_signal_ends_the_step_and_then_the_loop(number, begin, solves, status):
    code = INTERRUPTED.format(signal=number, begin=begin)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stderr
    assert done.stdout.split() == ["4", "True"] * solves
    if solves == 1:
        assert "after step 4 of phase 1 (Adam)" in done.stderr
