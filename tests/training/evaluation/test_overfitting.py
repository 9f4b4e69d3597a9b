"""A phase that fits its points alone goes back to the better network; others are left to go on."""

import functools
import io

import pytest
import torch

import pinnlab
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Box
from pinnlab.networks import MLP
from pinnlab.problems import Poisson
from pinnlab.training import Adam, GaussNewton
from pinnlab.training.evaluation.overfitting import HeldOut

SMALL = functools.partial(MLP, width=12, depth=2)


class Lid(Equation):
    """Laplace's equation with a lid at 1 and walls at 0: singular corners, and few points."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        box = Box(x=(0, 1), y=(0, 1))
        return {
            "interior": Constraint(box, lambda x, y, u: u.d(x, x) + u.d(y, y), points=60),
            "lid": Constraint(box.face("y", 1), lambda u: u - 1, points=20),
            "walls": Constraint(box.faces("x"), lambda u: u, points=30),
        }


def solve(equation, phases, engine=None, **options):
    return pinnlab.solve(equation, SMALL, engine, phases=phases, accelerator="cpu", log_every_n_steps=1, **options)


@pytest.mark.slow
@pytest.mark.parametrize("engine", [NTP(), pytest.param(Autograd(), marks=pytest.mark.long)], ids=["jets", "autograd"])
def test_a_phase_that_overfits_keeps_the_better_network_and_says_so(engine, capsys):
    solution = solve(Lid(), [GaussNewton(60), Adam(2, lr=1e-5)], engine, progress=True)
    history, (first, second) = solution.history, solution.model.schedule.ended
    assert "overfitting: the loss at held-out points rose from" in first.reason and first.steps < 60
    assert first.reason in capsys.readouterr().out.replace("\n", " ")
    # the run went on, from the network that was kept: with its loss, which is not the lowest of the phase
    assert (second.steps, second.reason) == (2, "all its steps are done")
    begun = list(history["phase"]).index("2 Adam")
    assert history["loss"][begun] == pytest.approx(first.loss, rel=1e-12)
    assert min(history["loss"][:begun]) < 0.1 * first.loss
    assert solution.metrics["held_out_loss"] < 1.0


def test_a_phase_that_does_not_is_left_alone():
    solution = solve(Poisson(), [GaussNewton(25)], points={"interior": 100, "boundary": 40})
    assert "overfitting" not in solution.model.schedule.ended[0].reason


def state(number):
    return {"w": torch.tensor(float(number))}


def looks(watch, pairs):
    """Whether the phase was stopped after each look, and how many states were taken."""
    return [watch.look(loss, lambda h=held: h, lambda n=i: state(n)) for i, (loss, held) in enumerate(pairs, 1)]


def test_three_bad_looks_in_a_row_stop_a_phase():
    watch = HeldOut()
    watch.begin(1.0, state(0))
    assert looks(watch, [(1.0, 0.5), (1e-1, 6.0), (1e-2, 6.0)]) == [False] * 3
    assert looks(watch, [(1e-3, 0.4)]) == [False]  # a better one
    assert looks(watch, [(1e-4, 5.0), (1e-5, 50.0), (1e-6, 5.0)]) == [False, False, True]
    assert watch.kept == state(1) and watch.best == 0.4


@pytest.mark.parametrize(
    "pairs",
    [
        [(10.0**-n, 2 * 10.0**-n) for n in range(12)],  # both fall
        [(10.0**-n, 1.0) for n in range(12)],  # the one at other points stays: too few points, but none was better
        [(10.0**-n, 9.0) for n in range(12)],  # rises a little
        [(10.0 ** (-n / 2), 50 * 10.0 ** (-n / 2) if n % 2 else 10.0 ** (-n / 2)) for n in range(12)],  # swings
        [(1.0, 100.0 * n) for n in range(12)],  # the training loss does not fall
    ],
)
def test_no_other_course_does(pairs):
    watch = HeldOut()
    watch.begin(1.0, state(0))
    assert not any(looks(watch, pairs))


def test_nan_at_held_out_points_is_bad():
    watch = HeldOut()
    watch.begin(1.0, state(0))
    assert looks(watch, [(10.0**-n, float("nan")) for n in range(3)]) == [False, False, True]


def test_the_watch_goes_through_a_checkpoint():
    """Stored and read after each look, it comes to the same."""
    watch = HeldOut()
    watch.begin(1.0, state(0))
    pairs = [(1e-1, 0.5), (1e-2, 60.0), (1e-3, 60.0), (1e-4, 60.0)]
    found = []
    for pair in pairs:
        file = io.BytesIO()
        torch.save(watch.state_dict(), file)
        file.seek(0)
        watch = HeldOut()
        watch.load_state_dict(torch.load(file, weights_only=True))
        found += looks(watch, [pair])
    assert found == [False, False, False, True] and watch.kept == state(1)
