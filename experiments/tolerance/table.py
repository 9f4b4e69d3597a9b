"""The problems of the benchmark's table, in its order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from experiments.tolerance.points import (
    around_front,
    cube,
    disc,
    from_the_start,
    grid,
    inside_elbow,
    outside_discs,
)  # fmt: skip
from experiments.tolerance.problem import Problem
from pinnlab import problems
from pinnlab.equations import Equation
from pinnlab.references.cole_hopf import cole_hopf

SQUARE = grid(x=(0, 1, 151), y=(0, 1, 151))
SLAB = grid(t=(0, 1, 151), x=(-1, 1, 401))
CIRCLE = grid(t=(0, 1, 401), x=(0, 2 * math.pi, 101))
SHOCK = 1e-5


def shock(points: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The integral of Cole and Hopf for the viscosity of the shock, too small for Gauss and Hermite's quadrature."""
    return {"u": cole_hopf(points["t"], points["x"], SHOCK, "trapezoidal")}


def initial_value(name: str, equation: type, end: float) -> Problem:
    """A row of the initial value problems."""
    return Problem(name, "odes", equation, from_the_start(end), 1e-8, 1e-7, 60)


def boundary_value(name: str, equation: Any, points: Any, **further: Any) -> Problem:
    """A row of the linear and steady problems with a closed form."""
    return Problem(name, "steady", equation, points, 1e-9, 1e-8, 90, **further)


def evolving(name: str, equation: type, points: Any, tol: float = 1e-9) -> Problem:
    """A row of the linear problems with a time."""
    return Problem(name, "evolution", equation, points, tol, 10 * tol, 90)


def burgers(name: str, equation: Any) -> Problem:
    """A row of viscous Burgers' equation."""
    return Problem(name, "Burgers", equation, SLAB, 1e-7, 1e-6, 300)


def many_inputs(name: str, equation: type[Equation]) -> Problem:
    """A row of the problems in a cube."""
    return Problem(name, "many inputs", equation, cube(*equation.inputs), 1e-4, 1e-3, 300)


def viscosity(name: str, noise: float, tol: float | None, bound: float, bound_of_nu: float) -> Problem:
    """A row of the inverse problem."""
    truth = {"nu": problems.BurgersViscosity().nu.truth}
    equation = partial(problems.BurgersViscosity, noise)
    return Problem(name, "inverse", equation, SLAB, tol, bound, 120, unknowns=truth, unknown_bound=bound_of_nu)


_ROWS = [
    initial_value("Lorenz", problems.Lorenz, 3),
    initial_value("pendulum", problems.Pendulum, 20),
    initial_value("Van der Pol", problems.VanDerPol, 10),
    initial_value("Robertson", problems.Robertson, 100),
    boundary_value("Helmholtz", problems.Helmholtz, grid(x=(-1, 1, 151), y=(-1, 1, 201))),
    boundary_value("Poisson", partial(problems.Poisson, (1, 2)), SQUARE),
    boundary_value("Kovasznay", problems.Kovasznay, grid(x=(-0.5, 1, 121), y=(-0.5, 1.5, 161)), constants=("p",)),
    boundary_value("beam", problems.Beam, grid(t=(0, 1, 201), x=(0, 1, 101))),
    boundary_value("plate", problems.Plate, SQUARE),
    boundary_value("Robin", problems.RobinDisc, disc()),
    evolving("wave", problems.Wave, grid(t=(0, 1, 201), x=(0, 1, 151))),
    evolving("heat", problems.Heat, grid(t=(0, 0.5, 201), x=(0, 1, 101))),
    evolving("steel rod", problems.SteelRod, grid(t=(0, 600, 301), x=(0, 0.1, 101)), 1e-6),
    burgers("Burgers, periodic", partial(problems.ViscousBurgers, 0.01, periodic=True)),
    burgers("Burgers", partial(problems.ViscousBurgers, 0.01 / math.pi)),
    Problem(
        "Allen-Cahn", "Allen-Cahn", problems.AllenCahn, grid(t=(0, 1, 101), x=(-1, 1, 801)), 1e-2, 1e-2, 300,
        l2=1e-3, goal=1e-5,
    ),
    Problem("KdV", "KdV", problems.KdV, grid(t=(0, 1, 101), x=(-1, 1, 801)), 1e-4, 1e-3, 600, goal=1e-5),
    Problem("advection", "advection", problems.Advection, CIRCLE, 1e-6, 1e-5, 180),
    Problem(
        "cavity", "cavity", problems.Cavity, grid(x=(0, 1, 121), y=(0, 1, 121)), 1e-2, 1e-2, 300,
        goal=1e-3, left_out=("p",),
    ),
    Problem("four holes", "four holes", problems.FourHoles, outside_discs, 1e-5, 1e-4, 300),
    many_inputs("Poisson, 5 inputs", problems.Poisson5D),
    many_inputs("Poisson, 10 inputs", problems.Laplace10D),
    viscosity("Burgers' viscosity", 0.0, 1e-6, 1e-5, 1e-6),
    viscosity("Burgers' viscosity, noisy", 0.01, None, 1e-2, 5e-3),
]  # fmt: skip

_NEGATIVE = [
    Problem("L-shape", "negative", problems.LShape, inside_elbow, 1e-8, 1e-7, 120, solvable=False),
    Problem(
        "Burgers' shock", "negative", partial(problems.ViscousBurgers, SHOCK), around_front, 1e-8, 1e-7, 120,
        solvable=False, other_truth=shock,
    ),
]  # fmt: skip

PROBLEMS: dict[str, Problem] = {problem.name: problem for problem in (*_ROWS, *_NEGATIVE)}
"""All problems by name: those of the table, and two that must end as not reached."""
