"""A solve to a tolerance where outputs have regions of their own, and where one of them vanishes."""

import numpy as np

import pinnlab
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Box, Interval
from pinnlab.strategy import Refinement


class Rod(Equation):
    """Two materials of conductivities 1 and 4 with heat sources: each has an output in its half, joined at x = 0.

    u = 1 − x² for x < 0 and v = 1 − x²/4 for x > 0.
    """

    inputs, outputs = ("x",), ("u", "v")

    def constraints(self):
        left, right = Interval(x=(-1, 0)), Interval(x=(0, 2))
        return {
            "left": Constraint(left, lambda x, u: u.d(x, x) + 2),
            "right": Constraint(right, lambda x, v: 4 * v.d(x, x) + 2),
            "joint": Constraint(left.face("x", 0), lambda x, u, v: (u - v, u.d(x) - 4 * v.d(x))),
            "cold": Constraint(left.face("x", -1), lambda u: u),
            "colder": Constraint(right.face("x", 2), lambda v: v),
        }

    def exact(self, x):
        return 1 - x * x, 1 - x * x / 4


def test_outputs_are_compared_where_the_equation_asks_for_them():
    solution = pinnlab.solve(Rod(), tol=1e-8)
    assert solution.ending.reached, solution
    x = np.linspace(0, 1, 51)
    assert np.abs(solution(x=-x)["u"] - (1 - x**2)).max() < 1e-8
    assert np.abs(solution(x=2 * x)["v"] - (1 - x**2)).max() < 1e-8
    assert solution.metrics["max_error"] < 1e-8


class Still(Equation):
    """Poisson's equation for u, and Laplace's for v, which vanishes."""

    inputs, outputs = ("x", "y"), ("u", "v")

    def constraints(self):
        square = Box(x=(0, 1), y=(0, 1))
        return {
            "interior": Constraint(square, lambda x, y, u, v: (pinnlab.laplacian(u, x, y), pinnlab.laplacian(v, x, y))),
            "edge": Constraint(square.boundary, lambda x, y, u, v: (u - x * y, v)),
        }


def test_an_output_that_vanishes_is_measured_by_the_others():
    solution = pinnlab.solve(Still(), tol=1e-6, recipe=Refinement(surveyed=60, first=120))
    assert solution.ending.reached, solution
    v = solution(x=np.linspace(0, 1, 21)[:, None], y=np.linspace(0, 1, 21))["v"]
    assert 0 < np.abs(v).max() <= 10 * solution.metrics["uncertainty_v"] <= 1e-5
