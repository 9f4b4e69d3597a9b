"""The problems of the benchmark's table, in its order."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from experiments.tolerance.problem import Array, Problem, closed_form, cube, disc, grid
from experiments.tolerance.problems import elliptic, evolution, inverse, nonlinear, odes
from experiments.tolerance.references import ready
from experiments.tolerance.references.periodic import ALLEN_CAHN, KDV
from pinnlab.equations import Equation


def initial_value(
    name: str, equation: type[Equation], system: str, end: float, *outputs: str, accuracy: float
) -> Problem:
    """A row of the initial value problems, judged at 20,001 equal times and at others that are denser at the start."""

    def times() -> dict[str, Array]:
        return {"t": np.union1d(np.linspace(0, end, 20001), np.geomspace(1e-6, end, 2001)).clip(0, end)}

    truth = ready.ode(system, *outputs)
    return Problem(name, "odes", equation, times, truth, 1e-8, 1e-7, 60, accuracy, closed=False)


def boundary_value(name: str, equation: type[Equation], points: ready.Points, **further: Any) -> Problem:
    """A row of the linear and steady problems with a closed form."""
    return Problem(name, "steady", equation, points, closed_form(equation), 1e-9, 1e-8, 90, **further)


SQUARE = grid(x=(0, 1, 151), y=(0, 1, 151))
SLAB = grid(t=(0, 1, 151), x=(-1, 1, 401))

_ROWS = [
    initial_value("Lorenz", odes.Lorenz, "lorenz", 3, "x", "y", "z", accuracy=1e-13),
    initial_value("pendulum", odes.Pendulum, "pendulum", 20, "theta", accuracy=1e-13),
    initial_value("Van der Pol", odes.VanDerPol, "van_der_pol", 10, "u", accuracy=5e-13),
    initial_value("Robertson", odes.Robertson, "robertson", 100, "a", "b", "c", accuracy=1e-13),
    boundary_value("Helmholtz", elliptic.Helmholtz, grid(x=(-1, 1, 151), y=(-1, 1, 201))),
    boundary_value("Poisson", elliptic.SinePoisson, SQUARE),
    boundary_value("Kovasznay", nonlinear.Kovasznay, grid(x=(-0.5, 1, 121), y=(-0.5, 1.5, 161)), constants=("p",)),
    boundary_value("beam", evolution.Beam, grid(t=(0, 1, 201), x=(0, 1, 101))),
    boundary_value("plate", elliptic.Plate, SQUARE),
    boundary_value("Robin", elliptic.Robin, disc()),
    Problem(
        "wave",
        "evolution",
        evolution.Wave,
        grid(t=(0, 1, 201), x=(0, 1, 151)),
        closed_form(evolution.Wave),
        1e-9,
        1e-8,
        90,
    ),
    Problem(
        "heat",
        "evolution",
        evolution.Heat,
        grid(t=(0, 0.5, 201), x=(0, 1, 101)),
        closed_form(evolution.Heat),
        1e-9,
        1e-8,
        90,
    ),
    Problem(
        "steel rod",
        "evolution",
        evolution.SteelRod,
        grid(t=(0, 600, 301), x=(0, 0.1, 101)),
        closed_form(evolution.SteelRod),
        1e-6,
        1e-5,
        90,
    ),
    Problem(
        "Burgers, periodic",
        "Burgers",
        nonlinear.PeriodicBurgers,
        SLAB,
        ready.burgers(0.01),
        1e-7,
        1e-6,
        300,
        accuracy=1e-14,
    ),
    Problem(
        "Burgers", "Burgers", nonlinear.Burgers, SLAB, ready.burgers(0.01 / math.pi), 1e-7, 1e-6, 300, accuracy=1e-14
    ),
    Problem(
        "Allen-Cahn",
        "Allen-Cahn",
        nonlinear.AllenCahn,
        grid(t=(0, 1, 101), x=(-1, 1, 801)),
        ready.periodic(ALLEN_CAHN, "u"),
        1e-2,
        1e-2,
        300,
        1e-10,
        closed=False,
        l2=1e-3,
        goal=1e-5,
    ),
    Problem(
        "KdV",
        "KdV",
        nonlinear.KdV,
        grid(t=(0, 1, 101), x=(-1, 1, 801)),
        ready.periodic(KDV, "u"),
        1e-4,
        1e-3,
        600,
        1e-10,
        closed=False,
        goal=1e-5,
    ),
    Problem(
        "advection",
        "advection",
        evolution.Advection,
        grid(t=(0, 1, 401), x=(0, 2 * math.pi, 101)),
        closed_form(evolution.Advection),
        1e-6,
        1e-5,
        180,
    ),
    Problem(
        "cavity",
        "cavity",
        nonlinear.Cavity,
        grid(x=(0, 1, 121), y=(0, 1, 121)),
        ready.driven,
        1e-2,
        1e-2,
        300,
        1e-5,
        closed=False,
        goal=1e-3,
        left_out=("p",),
    ),
    Problem(
        "four holes",
        "four holes",
        elliptic.Holes,
        ready.outside_discs,
        ready.holes,
        1e-5,
        1e-4,
        300,
        1e-13,
        closed=False,
    ),
    Problem(
        "Poisson, 5 inputs",
        "many inputs",
        elliptic.Poisson5,
        cube(*elliptic.Poisson5.inputs),
        closed_form(elliptic.Poisson5),
        1e-4,
        1e-3,
        300,
    ),
    Problem(
        "Poisson, 10 inputs",
        "many inputs",
        elliptic.Poisson10,
        cube(*elliptic.Poisson10.inputs),
        closed_form(elliptic.Poisson10),
        1e-4,
        1e-3,
        300,
    ),
    Problem(
        "Burgers' viscosity",
        "inverse",
        inverse.BurgersViscosity,
        SLAB,
        ready.burgers(inverse.VISCOSITY),
        1e-6,
        1e-5,
        120,
        unknowns={"nu": inverse.VISCOSITY},
        unknown_bound=1e-6,
    ),
    Problem(
        "Burgers' viscosity, noisy",
        "inverse",
        partial(inverse.BurgersViscosity, noise=0.01),
        SLAB,
        ready.burgers(inverse.VISCOSITY),
        None,
        1e-2,
        120,
        unknowns={"nu": inverse.VISCOSITY},
        unknown_bound=5e-3,
    ),
]

_NEGATIVE = [
    Problem(
        "L-shape",
        "negative",
        elliptic.LShape,
        ready.inside_elbow,
        ready.elbow,
        1e-8,
        1e-7,
        120,
        1e-12,
        closed=False,
        solvable=False,
    ),
    Problem(
        "Burgers' shock",
        "negative",
        nonlinear.BurgersShock,
        ready.around_front,
        ready.burgers(1e-5, "trapezoidal"),
        1e-8,
        1e-7,
        120,
        1e-11,
        closed=False,
        solvable=False,
    ),
]

PROBLEMS: dict[str, Problem] = {problem.name: problem for problem in (*_ROWS, *_NEGATIVE)}
"""All problems by name: those of the table, and two that must end as not reached."""
