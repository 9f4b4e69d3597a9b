"""Computed truths as functions of coordinates."""

from __future__ import annotations

from pathlib import Path

from experiments.tolerance.problem import Array, Columns, Truth
from experiments.tolerance.references import odes
from experiments.tolerance.references.burgers import cole_hopf


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
