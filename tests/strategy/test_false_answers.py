"""Solves that agree with each other on what is no solution are not called right."""

import math
from types import SimpleNamespace

import pytest
import torch

import pinnlab
from pinnlab.errors import NothingFoundError
from pinnlab.problems import Obstacle, Poisson, SchrodingerLevel, WeakPoisson
from pinnlab.strategy import Refinement
from pinnlab.strategy.agreement import unresolved
from pinnlab.strategy.features import Range


def test_rows_that_do_not_determine_the_features_end_a_solve():
    with pytest.raises(
        NothingFoundError, match="the 27 rows of all constraints do not determine 40 features: state mor"
    ):
        pinnlab.solve(WeakPoisson(25), tol=1e-5)
    solution = pinnlab.solve(WeakPoisson(60), tol=1e-6)
    assert not solution.ending.reached and "the 62 rows of all constraints" in solution.ending.reason
    assert solution.metrics["max_error"] < solution.metrics["uncertainty_u"]
    assert pinnlab.solve(WeakPoisson(), tol=1e-8).ending.reached


class Loose(Obstacle):
    """The obstacle with a gap that counts little: least squares end where the string is far below it."""

    def residual(self, x, u):
        load, gap = -u.d(x, x), u - self.height + x * x
        return load + gap - torch.sqrt(load * load + gap * gap + 1e-16)


@pytest.mark.parametrize(("height", "tol"), [(0.5, 3e-3), (0.1, 1e-2)])
def test_a_stationary_point_is_no_solution(height, tol):
    # without a bound on features it goes on for minutes
    solution = pinnlab.solve(Loose(height), tol=tol, recipe=Refinement(most=130))
    assert not solution.ending.reached


@pytest.mark.parametrize("level", [1, 3])
def test_an_unknown_that_has_no_effect_at_the_start_is_found(level):
    solution = pinnlab.solve(SchrodingerLevel(level), tol=1e-4)
    assert solution.ending.reached
    assert abs(solution.unknowns["E"] - level - 0.5) < 1e-4


@pytest.mark.parametrize(("more", "stationary"), [(0.5, False), (1.0, True), (1.7, True), (6.0, False)])
def test_a_loss_that_is_the_same_with_more_features_is_that_of_a_stationary_point(more, stationary):
    """Both solves end there; a loss that is several times larger tells of too few points, and counts once."""
    residuals = SimpleNamespace(equation=Poisson())
    main, fewer = (SimpleNamespace(residuals=residuals, held_out=loss) for loss in (more * 1e-8, 1e-8))
    found = unresolved(main, Range.unit(1), torch.ones(1), fewer)
    assert math.isclose(found, math.sqrt(main.held_out) * (30 if stationary else 1))
