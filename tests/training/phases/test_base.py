"""What all phases share: options by name, declared once, and the names that configurations have for them."""

import dataclasses

import pytest
import torch

from pinnlab.errors import UserError
from pinnlab.training import LBFGS, SSBFGS, Adam, GaussNewton, Phase, Plateau, SSBroyden

PHASES = [Adam, LBFGS, GaussNewton, SSBFGS, SSBroyden]
phases = pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.__name__)


@dataclasses.dataclass(eq=False, kw_only=True)
class Descent(Phase):
    """Gradient descent, written as a user would."""

    lr: float = 0.1

    def optimizer(self, parameters):
        return torch.optim.SGD(parameters, lr=self.lr)

    def step(self, optimizer, objective, step):
        return float(optimizer.step(objective.closure(optimizer)))


@pytest.mark.parametrize("phase", [*PHASES, Descent], ids=lambda phase: phase.__name__)
def test_every_phase_takes_the_options_of_all(phase):
    plateau = Plateau(steps=3)
    made = phase(7, tolerance=1e-3, plateau=plateau, weights={"walls": 2.0}, stage=2)
    assert (made.steps, made.tolerance, made.plateau, made.weights, made.stage) == (7, 1e-3, plateau, {"walls": 2.0}, 2)
    assert phase(steps=7).weights == {}
    with pytest.raises(UserError, match=f"{phase.__name__}: the weight of walls must be positive, got -1"):
        phase(7, weights={"walls": -1.0})
    with pytest.raises(UserError, match=f"{phase.__name__}: steps must not be negative"):
        phase(-1)


@phases
def test_options_without_a_name_are_refused_in_one_line(phase):
    with pytest.raises(UserError, match=rf"^{phase.__name__}\(7, 0.1\): give all but the number of steps by name"):
        phase(7, 0.1)
