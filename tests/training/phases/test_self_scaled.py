"""The self-scaled phases: resumption, a PINN beside L-BFGS, linear unknowns, refusals."""

import copy
import io
import math

import pytest
import torch

from pinnlab.collocation import Grid
from pinnlab.engines import NTP
from pinnlab.errors import UserError
from pinnlab.networks import MLP
from pinnlab.problems import Poisson
from pinnlab.residuals import Residuals
from pinnlab.training import LBFGS, SSBFGS, SSBroyden
from pinnlab.training.objective import Objective
from tests.problems import Decay

# The phase


def setting(equation=None, width=10):
    equation = equation or Poisson()
    residuals = Residuals(MLP(equation.dimension, 1, width=width, depth=2), equation, NTP())
    points = {
        name: Grid().sample(c.region, min(c.points, 100) if c.region.measure else c.points, 0)
        for name, c in equation.constraints().items()
    }
    return residuals, points


@pytest.mark.parametrize("phase", [SSBroyden(6, inner=5), SSBFGS(6, inner=5)], ids=lambda phase: phase.name)
def test_resumes_bit_for_bit(phase):
    residuals, points = setting()
    optimizer = phase.optimizer(residuals.parameters())
    for step in range(3):
        phase.step(optimizer, Objective(residuals, points), step)
    file = io.BytesIO()
    torch.save((residuals.state_dict(), optimizer.state_dict()), file)
    file.seek(0)
    again, _ = setting()
    weights, state = torch.load(file, weights_only=True)
    again.load_state_dict(weights)
    resumed = phase.optimizer(again.parameters())
    resumed.load_state_dict(state)
    for step in range(3, 6):
        whole = phase.step(optimizer, Objective(residuals, points), step)
        assert phase.step(resumed, Objective(again, points), step) == whole
    for a, b in zip(residuals.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_small_network_gets_further_than_by_lbfgs():
    start, points = setting()
    losses = {}
    for phase in (LBFGS(1000), SSBroyden(1000)):
        residuals = copy.deepcopy(start)
        optimizer, evaluations, step = phase.optimizer(residuals.parameters()), 0, 0
        while evaluations < 400:
            objective = Objective(residuals, points)
            phase.step(optimizer, objective, step)
            evaluations, step = evaluations + objective.evaluations, step + 1
        losses[phase.name] = Objective(residuals, points).value()
    print(losses)
    assert losses["SSBroyden"] < losses["LBFGS"] / 5


def test_linear_unknowns_have_their_least_squares_values():
    residuals, points = setting(Decay(linear=True), width=6)
    phase = SSBroyden(1, inner=100)
    optimizer = phase.optimizer(residuals.parameters())
    objective = Objective(residuals, points)
    phase.step(optimizer, objective, 0)
    assert residuals.equation.k.value.item() == 0.1  # the line search wrote nothing
    objective.settle()
    assert Objective(residuals, points).value() < 1e-9
    assert residuals.equation.k.value.item() == pytest.approx(math.log(2), abs=1e-5)


def test_a_matrix_that_would_not_fit_is_refused_before_training():
    residuals, _ = setting()
    with pytest.raises(UserError, match=r"SSBroyden needs about .* GiB for the inverse Hessian of \d+ parameters"):
        SSBroyden(1, memory=1e-6).optimizer(residuals.parameters())


@pytest.mark.parametrize("options", [{"inner": 0}, {"memory": 0.0}, {"memory": -1.0}])
@pytest.mark.parametrize("phase", [SSBroyden, SSBFGS])
def test_bad_options_are_refused(phase, options):
    with pytest.raises(UserError, match=f"{phase.__name__}: inner and memory"):
        phase(steps=1, **options)
