"""The examples: what is solved, where errors are measured, and the settings of DeepXDE's own file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from experiments.peers import equations
from experiments.tolerance.points import Points, from_the_start, grid, inside_elbow
from experiments.tolerance.problem import Problem
from pinnlab import problems
from pinnlab.equations import Equation

TOL = 1e-8
"""The tolerance that pinnlab is asked for, the same for all."""


@dataclass(frozen=True)
class Example:
    """An example of DeepXDE.

    Attributes:
        problem: The equation, the points and the truth, as the tolerance benchmark has them.
        file: The file of the example in DeepXDE's repository.
        training: The name of the function in `trainings` that sets up its network and data.
        columns: The inputs in the order in which DeepXDE has them.
        settings: The network, the points and the optimisers of the file, in words.
    """

    problem: Problem
    file: str
    training: str
    columns: tuple[str, ...]
    settings: str

    def inputs(self) -> np.ndarray:
        """The points of the problem `(N, d)` in DeepXDE's order."""
        points = self.problem.points()
        return np.stack([points[name] for name in self.columns], axis=1)


def _mirrored() -> dict[str, np.ndarray]:
    points = inside_elbow()
    return {"x": points["x"], "y": -points["y"]}


def _example(
    name: str, equation: Callable[[], Equation], points: Points, columns: str, training: str, file: str, settings: str,
    **unknowns: float,
) -> Example:  # fmt: skip
    problem = Problem(name, "peers", equation, points, TOL, 10 * TOL, 300, unknowns=unknowns)
    return Example(problem, file, training, tuple(columns.split()), settings)


_PLANE, _INVERSE = "pinn_forward/{}.py", "pinn_inverse/{}.py"
_ALL = [
    _example(
        "Burgers", problems.ViscousBurgers, grid(t=(0, 0.99, 100), x=(-1, 1, 257)), "x t", "burgers",
        _PLANE.format("Burgers"), "3×20, 2540 + 80 + 160 points, Adam 15,000, L-BFGS",
    ),
    _example(
        "Helmholtz", equations.HelmholtzSquare, grid(x=(0, 1, 101), y=(0, 1, 101)), "x y", "helmholtz",
        _PLANE.format("Helmholtz_Dirichlet_2d"), "3×150, boundary built in, 400 + 80 points, Adam 5,000",
    ),
    _example(
        "L-shape", equations.Elbow, _mirrored, "x y", "elbow",
        _PLANE.format("Poisson_Lshape"), "4×50, 1200 + 120 points, Adam 50,000, L-BFGS",
    ),
    _example(
        "Kovasznay", equations.OpenKovasznay, grid(x=(-0.5, 1, 91), y=(-0.5, 1.5, 121)), "x y", "kovasznay",
        _PLANE.format("Kovasznay_flow"), "4×50, 2601 + 400 points, Adam 30,000, L-BFGS",
    ),
    _example(
        "rotation", equations.Rotation, grid(t=(0, 10, 10001)), "t", "rotation",
        _PLANE.format("ode_system"), "3×50, 35 + 2 points, Adam 20,000",
    ),
    _example(
        "diffusion", equations.Diffusion, grid(t=(0, 1, 101), x=(-1, 1, 101)), "x t", "diffusion",
        _PLANE.format("diffusion_1d"), "3×32, 40 + 20 + 10 points, Adam 10,000",
    ),
    _example(
        "beam", equations.Cantilever, grid(x=(0, 1, 10001)), "x", "cantilever",
        _PLANE.format("Euler_beam"), "3×20, 10 + 2 points, Adam 10,000",
    ),
    _example(
        "Lorenz' parameters", equations.LorenzFromFew, from_the_start(3), "t", "lorenz",
        _INVERSE.format("Lorenz_inverse"), "3×40, 400 + 2 points, 25 measurements, Adam 20,000, L-BFGS",
        sigma=10.0, rho=15.0, beta=8 / 3,
    ),
]  # fmt: skip

EXAMPLES: dict[str, Example] = {example.problem.name: example for example in _ALL}
"""The examples by name."""
