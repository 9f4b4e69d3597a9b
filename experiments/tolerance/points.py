"""Where solutions are judged: dense points of regions, by input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pinnlab.references.harmonic import CENTRE, RADIUS

Array = np.ndarray
Points = Callable[[], dict[str, Array]]


def grid(**axes: tuple[float, float, int]) -> Points:
    """All points of a regular grid, `grid(t=(0, 1, 101), x=(-1, 1, 201))`: lower end, upper end and number by axis."""

    def points() -> dict[str, Array]:
        mesh = np.meshgrid(*(np.linspace(*ends) for ends in axes.values()), indexing="ij")
        return {name: column.ravel() for name, column in zip(axes, mesh, strict=True)}

    return points


def cube(*names: str, count: int = 20000) -> Points:
    """Random points of a unit cube; a third of the points lies on faces, where up to all coordinates are 0 or 1."""

    def points() -> dict[str, Array]:
        draw = np.random.default_rng(20261101)
        unit = draw.random((count, len(names)))
        rim = count // 3
        on_face = draw.random((rim, len(names))) < draw.random((rim, 1))
        unit[:rim] = np.where(on_face, np.round(unit[:rim]), unit[:rim])
        return dict(zip(names, unit.T, strict=True))

    return points


def disc(radius: float = 1.0, rings: int = 41, angles: int = 128) -> Points:
    """A polar grid of the disc around the origin, its rim included."""

    def points() -> dict[str, Array]:
        r, angle = np.meshgrid(np.linspace(0, radius, rings), np.arange(angles) * 2 * np.pi / angles, indexing="ij")
        return {"x": (r * np.cos(angle)).ravel(), "y": (r * np.sin(angle)).ravel()}

    return points


def outside_discs() -> dict[str, Array]:
    """A grid of the square with four holes, and its whole boundary."""
    x, y = (column.ravel() for column in np.meshgrid(*[np.linspace(-0.5, 0.5, 181)] * 2, indexing="ij"))
    kept = np.hypot(np.abs(x) - CENTRE, np.abs(y) - CENTRE) > RADIUS
    angle = np.arange(180) * np.pi / 90
    rim = [(a * CENTRE + RADIUS * np.cos(angle), b * CENTRE + RADIUS * np.sin(angle)) for a in (-1, 1) for b in (-1, 1)]
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


def from_the_start(end: float) -> Points:
    """Equal times, and others that are denser at the start."""
    return lambda: {"t": np.union1d(np.linspace(0, end, 20001), np.geomspace(1e-6, end, 2001)).clip(0, end)}
