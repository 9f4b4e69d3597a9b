"""Ten problems for judgement: they were not used while the default recipe was made, and are not in its table."""

from __future__ import annotations

from experiments.tolerance.points import Points, disc, grid
from experiments.tolerance.problem import Problem
from pinnlab import problems


def judged(name: str, equation: type, points: Points, tol: float, seconds: float) -> Problem:
    """A problem whose error may be ten times its tolerance."""
    return Problem(name, "judgement", equation, points, tol, 10 * tol, seconds)


_ALL = [
    judged("Duffing", problems.Duffing, grid(t=(0, 20, 20001)), 1e-8, 60),
    judged("Lotka-Volterra", problems.LotkaVolterra, grid(t=(0, 10, 20001)), 1e-8, 60),
    judged("Lane-Emden", problems.LaneEmden, grid(r=(0, 6, 20001)), 1e-8, 60),
    judged("boundary layer", problems.BoundaryLayer, grid(x=(0, 1, 20001)), 1e-9, 60),
    judged("Fisher's front", problems.Fisher, grid(t=(0, 5, 101), x=(-10, 20, 301)), 1e-7, 300),
    judged("Klein-Gordon", problems.KleinGordon, grid(t=(0, 1, 201), x=(0, 1, 101)), 1e-7, 300),
    judged("heat on a square", problems.HeatSquare, grid(t=(0, 0.1, 41), x=(0, 1, 31), y=(0, 1, 31)), 1e-7, 180),
    judged("anisotropic diffusion", problems.AnisotropicDiffusion, disc(), 1e-9, 90),
    judged("breather", problems.SineGordon, grid(t=(0, 10, 201), x=(-10, 10, 201)), 1e-6, 300),
    judged("Brusselator", problems.Brusselator, grid(t=(0, 5, 201), x=(0, 1, 101)), 1e-6, 300),
]

JUDGEMENT: dict[str, Problem] = {problem.name: problem for problem in _ALL}
"""The problems by name."""
