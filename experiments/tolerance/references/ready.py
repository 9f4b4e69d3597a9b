"""Computed truths as functions of coordinates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.tolerance.problem import Array, Columns, Truth
from experiments.tolerance.references import cavity, harmonic, odes
from experiments.tolerance.references.burgers import cole_hopf
from experiments.tolerance.references.periodic import Periodic

Points = Callable[[], dict[str, Array]]


def ode(system: str, *outputs: str) -> Truth:
    """The solution of one of `odes.SYSTEMS`: its first components have the names of the outputs."""

    def truth(points: Columns, folder: Path | None = None) -> dict[str, Array]:
        return dict(zip(outputs, odes.solution(system)(points["t"]), strict=False))

    return truth


def burgers(viscosity: float, rule: str = "hermite") -> Truth:
    """The Cole-Hopf integral."""

    def truth(points: Columns, folder: Path | None = None) -> dict[str, Array]:
        return {"u": cole_hopf(points["t"], points["x"], viscosity, rule)}

    return truth


def periodic(problem: Periodic, *outputs: str) -> Truth:
    """The Fourier series of a periodic problem."""

    def truth(points: Columns, folder: Path | None = None) -> dict[str, Array]:
        return dict(zip(outputs, problem.at(points["t"], points["x"], folder), strict=True))

    return truth


def holes(points: Columns, folder: Path | None = None) -> dict[str, Array]:
    """The multipole series of the square with four holes."""
    return {"u": harmonic.holes(points["x"], points["y"])}


def elbow(points: Columns, folder: Path | None = None) -> dict[str, Array]:
    """The series of the L-shape."""
    return {"u": harmonic.elbow(points["x"], points["y"])}


def driven(points: Columns, folder: Path | None = None) -> dict[str, Array]:
    """The flow in the cavity; p is infinite in the lid's corners."""
    return cavity.cavity(points["x"], points["y"], folder)


def outside_discs() -> dict[str, Array]:
    """A grid of the square with four holes, and its whole boundary."""
    x, y = (column.ravel() for column in np.meshgrid(*[np.linspace(-0.5, 0.5, 181)] * 2, indexing="ij"))
    centre, radius = harmonic.CENTRE, harmonic.RADIUS
    kept = np.hypot(np.abs(x) - centre, np.abs(y) - centre) > radius
    angle = np.arange(180) * np.pi / 90
    rim = [(a * centre + radius * np.cos(angle), b * centre + radius * np.sin(angle)) for a in (-1, 1) for b in (-1, 1)]
    return {"x": np.concatenate([x[kept], *(r[0] for r in rim)]), "y": np.concatenate([y[kept], *(r[1] for r in rim)])}


def inside_elbow() -> dict[str, Array]:
    """A grid of the L-shape, and one that is finer at its inner corner."""
    x, y = (column.ravel() for column in np.meshgrid(*[np.linspace(-1, 1, 161)] * 2, indexing="ij"))
    r, angle = np.meshgrid(np.geomspace(1e-4, 0.2, 30), np.linspace(0, 1.5 * np.pi, 61), indexing="ij")
    kept = ~((x > 1e-9) & (y < -1e-9))
    near = [(r * np.cos(angle)).ravel(), (r * np.sin(angle)).ravel()]
    return {"x": np.concatenate([x[kept], near[0]]), "y": np.concatenate([y[kept], near[1]])}


def around_front() -> dict[str, Array]:
    """A grid of times and places, and one that is finer around x = 0."""
    places = np.concatenate([np.linspace(-1, 1, 201), np.linspace(-2e-4, 2e-4, 101), np.geomspace(1e-3, 0.01, 10)])
    t, x = np.meshgrid(np.linspace(0, 1, 41), np.unique(places), indexing="ij")
    return {"t": t.ravel(), "x": x.ravel()}
