"""How far computed truths agree with themselves at another resolution, or with another method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from experiments.tolerance.references import cavity, harmonic, odes
from experiments.tolerance.references.burgers import cole_hopf
from experiments.tolerance.references.periodic import ALLEN_CAHN, BRUSSELATOR, KDV, Periodic

Array = np.ndarray
Columns = Mapping[str, Array]
Agreement = Callable[[Columns, Columns, Path | None], tuple[float, str]]
"""Points, the truth there and the folder -> the largest gap over the largest value, and what was compared."""


def ode(system: str) -> Agreement:
    """Against other edges and a higher degree everywhere, and against a Runge-Kutta method of scipy at the end."""

    def compare(points: Columns, truth: Columns, folder: Path | None) -> tuple[float, str]:
        t, true = next(iter(points.values())), np.stack(list(truth.values()))
        scale = np.abs(true).max(1)
        gap = float((np.abs(odes.solution(system, other=True)(t)[: len(true)] - true).max(1) / scale).max())
        right, start, edges, _ = odes.SYSTEMS[system]
        method, tolerance = ("Radau", 1e-12) if system == "robertson" else ("DOP853", 1e-13)
        # the equation of Lane and Emden has no right-hand side at 0
        first = edges[1] if system == "lane_emden" else 0.0
        begin = odes.solution(system)(np.array([first]))[:, 0] if first else np.array(start, float)
        ended = solve_ivp(
            lambda t, y: right(np.array([t]), y[:, None])[:, 0],
            (first, edges[-1]),
            begin,
            method,
            rtol=tolerance,
            atol=1e-17,
        )
        here = odes.solution(system)(edges[-1:])[: len(true), 0]
        beyond = float((np.abs(ended.y[: len(true), -1] - here) / scale).max())
        return gap, f"other intervals {gap:.0e}, {method} at the end {beyond:.0e}"

    return compare


def refined(problem: Periodic) -> Agreement:
    """Against half of the modes and twice the steps."""

    def compare(points: Columns, truth: Columns, folder: Path | None) -> tuple[float, str]:
        other = problem.refined().at(points["t"], points["x"], folder)
        gap = gaps(dict(zip(truth, other, strict=True)), truth)
        return gap, "half of the modes and twice the steps"

    return compare


def shock(points: Columns, truth: Columns, folder: Path | None) -> tuple[float, str]:
    """The trapezoidal rule against itself on other nodes, and against Gauss-Hermite where both are meant for."""
    gap = gaps({"u": cole_hopf(points["t"], points["x"], 1e-5, "trapezoidal", spacing=0.03)}, truth)
    t, x = (column.ravel() for column in np.meshgrid(np.linspace(0, 1, 21), np.linspace(-1, 1, 101)))
    both = float(np.abs(cole_hopf(t, x, 3e-3) - cole_hopf(t, x, 3e-3, "trapezoidal")).max())
    return max(gap, both), f"other nodes {gap:.0e}, Gauss-Hermite at ν = 3e-3 {both:.0e}"


def driven(points: Columns, truth: Columns, folder: Path | None) -> tuple[float, str]:
    """Degree 40 against degree 32, velocities alone."""
    other = cavity.cavity(points["x"], points["y"], folder, degree=32)
    return gaps({name: other[name] for name in "uv"}, {name: truth[name] for name in "uv"}), "degree 32, u and v"


def holes(points: Columns, truth: Columns, folder: Path | None) -> tuple[float, str]:
    """The gap on the boundary, which bounds the error, and that of the mean value property."""
    x, y, centre = points["x"], points["y"], harmonic.CENTRE
    inside = (np.abs(x) < 0.48) & (np.abs(y) < 0.48)
    inside &= np.hypot(np.abs(x) - centre, np.abs(y) - centre) > harmonic.RADIUS + 0.02
    rim, flat = harmonic.holes_error(), harmonic.mean_value_gap(harmonic.holes, x, y, 0.0, inside)
    return max(rim, flat), f"on the boundary {rim:.0e}, in the mean value property {flat:.0e}"


def elbow(points: Columns, truth: Columns, folder: Path | None) -> tuple[float, str]:
    """The same over the largest value."""
    x, y, scale = points["x"], points["y"], float(truth["u"].max())
    inside = (np.abs(x) < 0.98) & (np.abs(y) < 0.98) & ((x < -0.02) | (y > 0.02))
    rim = harmonic.elbow_error() / scale
    flat = harmonic.mean_value_gap(harmonic.elbow, x, y, 1.0, inside) / scale
    return max(rim, flat), f"on the boundary {rim:.0e}, in the mean value property {flat:.0e}"


def gaps(other: Columns, truth: Columns) -> float:
    """The largest difference of any output over its largest value."""
    return max(float(np.abs(other[name] - truth[name]).max() / np.abs(truth[name]).max()) for name in truth)


AGREEMENTS: dict[str, Agreement] = {
    "Lorenz": ode("lorenz"),
    "pendulum": ode("pendulum"),
    "Van der Pol": ode("van_der_pol"),
    "Robertson": ode("robertson"),
    "Duffing": ode("duffing"),
    "Lotka-Volterra": ode("lotka_volterra"),
    "Lane-Emden": ode("lane_emden"),
    "Allen-Cahn": refined(ALLEN_CAHN),
    "KdV": refined(KDV),
    "Brusselator": refined(BRUSSELATOR),
    "cavity": driven,
    "four holes": holes,
    "L-shape": elbow,
    "Burgers' shock": shock,
}
"""Name of a problem -> the check of its truth."""
