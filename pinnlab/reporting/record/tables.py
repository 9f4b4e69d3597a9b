"""A run's summary as tables: its constraints, and its estimated errors beside the true ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Rows = tuple[list[str], list[list[Any]]]
"""The names of columns, and the rows."""

_RESIDUAL, _PRECISE, _ESTIMATE = "residual_", "_precise", "uncertainty_"


def constraints(summary: Mapping[str, Any], points: Mapping[str, np.ndarray]) -> Rows:
    """A row for each constraint: its points and its residual on held-out points (root of the mean square).

    Args:
        summary: The summary of a run.
        points: Its collocation points as `constraint/column` ↦ `(N,)`.
    """
    counts = {key.partition("/")[0]: len(column) for key, column in points.items()}
    residuals = {
        name.removeprefix(_RESIDUAL): value
        for name, value in summary["metrics"].items()
        if name.startswith(_RESIDUAL) and not name.endswith(_PRECISE)
    }
    return ["constraint", "points", "residual"], [[name, counts.get(name), value] for name, value in residuals.items()]


def estimates(summary: Mapping[str, Any]) -> Rows:
    """A row for each output and unknown: its estimated error, and the true one where it is known.

    Of a solve to a tolerance a last row has the largest estimated error relative to the sizes, and the tolerance.

    Args:
        summary: The summary of a run.
    """
    metrics, unknowns = summary["metrics"], summary["unknowns"]
    names = [name.removeprefix(_ESTIMATE) for name in metrics if name.startswith(_ESTIMATE)]
    outputs = [name for name in names if name not in unknowns]
    rows: list[list[Any]] = []
    for name in names:
        # the largest error is of all outputs together
        true = unknowns[name]["error"] if name in unknowns else metrics.get("max_error") if len(outputs) == 1 else None
        value = unknowns[name]["value"] if name in unknowns else None
        rows.append([name, value, metrics[_ESTIMATE + name], true, None])
    if (ending := summary.get("tolerance")) is not None:
        rows.append(["all, relative", None, ending["error"], None, ending["tol"]])
    return ["name", "value", "estimated error", "true error", "tolerance"], rows
