"""The Gauss-Newton phase: both engines, held unknowns, a known profile, the end of a phase, refusals."""

import functools

import pytest
import torch

import pinnlab
from pinnlab.collocation import Grid
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation
from pinnlab.errors import DivergedError, UserError
from pinnlab.geometry import Interval
from pinnlab.networks import MLP, Even, RandomFeatures, Taylor
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.residuals import Residuals
from pinnlab.training.objective import Objective
from pinnlab.training.phases.gauss_newton import GaussNewton
from tests.problems import Decay


def setting(engine):
    network = Taylor(1, 1, [0.0, -1.0, 0.0], lambda i, o: Even(i, o, lambda i, o: MLP(i, o, width=8, depth=2)))
    residuals = Residuals(network, SelfSimilarBurgers(1, extent=(0.0, 2.0), origin=(0.0, 0.3)), engine)
    points = {
        "interior": {"X": torch.linspace(0, 2, 20)},
        "origin": {"X": torch.linspace(0, 0.3, 5)},
        "ends": {"X": torch.tensor([0.0, 2.0])},
    }
    return residuals, points


def test_both_engines_take_the_same_steps():
    values = []
    for engine in (NTP(), Autograd()):
        torch.manual_seed(1)
        residuals, points = setting(engine)
        phase = GaussNewton(steps=6)
        optimizer = phase.optimizer(residuals.parameters())
        objectives = [Objective(residuals, points) for _ in range(6)]
        losses = [phase.step(optimizer, objective, i) for i, objective in enumerate(objectives)]
        assert losses == sorted(losses, reverse=True)
        objectives[-1].settle()
        values.append((losses[-1], float(residuals.equation.lam.value)))
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_held_unknowns_keep_their_values_for_so_many_steps():
    residuals, points = setting(NTP())
    before = float(residuals.equation.lam.value)
    phase = GaussNewton(steps=3, freeze=2)
    optimizer = phase.optimizer(residuals.parameters())
    for step in range(3):
        objective = Objective(residuals, points, held=phase.holds(step))
        phase.step(optimizer, objective, step)
        objective.settle()
        assert (float(residuals.equation.lam.value) == before) == (step < 2)


def test_finds_profile_one():
    """The headline, small: λ and U to many digits, compared with the exact solution."""
    solution = pinnlab.solve(
        SelfSimilarBurgers(1, extent=(0.0, 2.0), origin=(0.0, 0.3)),
        lambda i, o: Taylor(i, o, [0.0, -1.0, 0.0], lambda i, o: Even(i, o, lambda i, o: MLP(i, o, width=12))),
        phases=[GaussNewton(steps=15, freeze=15), GaussNewton(steps=40)],
        points={"interior": 50, "origin": 8},
    )
    assert abs(solution.unknowns["lam"] - 0.5) < 1e-6
    assert solution.metrics["max_error"] < 1e-6


def test_a_jacobian_that_would_not_fit_is_refused_with_its_size():
    residuals, points = setting(NTP())
    phase = GaussNewton(steps=1, memory=1e-6)
    with pytest.raises(UserError, match=r"GiB for a Jacobian of \d+ rows and \d+ parameters"):
        phase.step(phase.optimizer(residuals.parameters()), Objective(residuals, points), 0)


@pytest.mark.parametrize(
    "options",
    [
        {"damping": 0.0},
        {"increase": 1.0},
        {"decrease": 0.5},
        {"memory": -1.0},
        {"freeze": -1},
        {"corrections": -1},
        {"descents": -1},
        {"factorisation": "lu"},
    ],
)
def test_bad_options_are_refused(options):
    with pytest.raises(UserError, match="GaussNewton"):
        GaussNewton(steps=1, **options)


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["jets", "autograd"])
def test_an_infinite_slope_is_named(engine):
    class Root(Equation):
        inputs, outputs = ("x",), ("u",)

        def constraints(self):
            return {"all": Constraint(Interval(x=(0, 1)), lambda x, u: torch.sqrt(u) - x, points=5)}

    torch.manual_seed(0)
    network = Taylor(1, 1, coefficients=[0.0], network=functools.partial(MLP, width=4, depth=1))
    # solve refuses this before training: see the inspection of residuals
    residuals = Residuals(network, Root(), engine)
    objective = Objective(residuals, {"all": {"x": torch.linspace(0, 1, 5)}}, where="step 0")
    phase = GaussNewton(3)
    with pytest.raises(DivergedError, match=r"slopes of a residual became NaN or infinite.*, at step 0") as e:
        phase.step(phase.optimizer(residuals.parameters()), objective, 0)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["jets", "autograd"])
def test_a_phase_ends_where_nothing_is_to_gain_and_says_so(engine):
    network = functools.partial(RandomFeatures, features=30, scale=2.0)
    options = {"accelerator": "cpu", "sampler": Grid(), "limit_val_batches": 0}
    solution = pinnlab.solve(Decay(linear=True), network, engine, phases=[GaussNewton(300, plateau=None)], **options)
    (record,) = solution.model.schedule.ended
    assert record.reason == "converged: no step lowers the loss by more than rounding errors"
    assert record.steps < 60 and record.loss < 1e-24


def test_a_phase_whose_points_change_goes_on():
    network = functools.partial(RandomFeatures, features=30, scale=2.0)
    options = {"accelerator": "cpu", "limit_val_batches": 0, "resample_every": 10}
    solution = pinnlab.solve(Decay(linear=True), network, phases=[GaussNewton(70, plateau=None)], **options)
    assert solution.model.schedule.ended[0].reason == "all its steps are done"
