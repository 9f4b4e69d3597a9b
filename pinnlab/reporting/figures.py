"""Figures drawn from a run's record; nothing is evaluated or trained again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnlab.reporting.folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOUND, EXACT, OTHERS = "#0072B2", "#000000", ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Colours that colour-blind people can tell apart (Okabe & Ito 2008)."""

_COLUMNS = 4
_TINY = 1e-20


def draw_profile(folder: RunFolder) -> Path | None:
    """Draw a run of an equation in one input: outputs and derivatives against the exact ones, residual, loss, unknowns.

    What the record lacks, the solution of a run that diverged say, is left out.

    Returns:
        The PNG file, or None if the record holds nothing to draw yet.
    """
    from matplotlib.figure import Figure

    rows = folder.read_rows()
    summary: dict[str, Any] = json.loads(folder.summary.read_text())
    arrays = dict(np.load(folder.solution)) if folder.solution.exists() else {}
    panels = _solution_panels(arrays) + _history_panels(rows, summary)
    if not panels:
        return None
    count = -(-len(panels) // _COLUMNS)
    figure = Figure(figsize=(4 * _COLUMNS, 3 * count), layout="constrained")
    axes = figure.subplots(count, _COLUMNS, squeeze=False).ravel()
    for axis in axes[len(panels) :]:
        axis.remove()
    for axis, panel in zip(axes, panels, strict=False):
        panel(axis)
        axis.grid(alpha=0.25)
    figure.suptitle(_title(summary))
    figure.savefig(folder.figure, dpi=110)
    return folder.figure


def _title(summary: dict[str, Any]) -> str:
    parts = [f"{summary['equation']}, {summary['engine']}, seed {summary['seed']}: {summary['status']}"]
    for name, unknown in summary["unknowns"].items():
        error = "" if unknown["error"] is None else f" (error {unknown['error']:.1e})"
        parts.append(f"{name} = {unknown['value']:.10g}{error}")
    if summary["metrics"].get("max_error") is not None:
        parts.append(f"max error {summary['metrics']['max_error']:.1e}")
    return "   ".join(parts)


def _solution_panels(arrays: dict[str, np.ndarray]) -> list[Any]:
    if not arrays:
        return []
    coordinate = next(iter(arrays))
    x = arrays[coordinate]
    outputs = [name for name in arrays if name not in (coordinate, "residual") and not name.startswith("exact/")]
    panels: list[Any] = []

    def derivative(name: str, order: int) -> Any:
        def draw(axis: Axes) -> None:
            axis.plot(x, arrays[name][order], color=FOUND, label="found")
            if f"exact/{name}" in arrays:
                axis.plot(x, arrays[f"exact/{name}"][order], color=EXACT, linestyle="--", linewidth=1, label="exact")
            axis.set(xlabel=coordinate, title=name + ("'" * order if order < 4 else f"$^{{({order})}}$"))
            axis.legend(fontsize="small")

        return draw

    def error(axis: Axes) -> None:
        for name, color in zip(outputs, OTHERS, strict=False):
            gap = np.abs(arrays[name] - arrays[f"exact/{name}"])
            axis.semilogy(x, gap[0] + _TINY, color=color, label=name)
            if len(gap) > 1:
                axis.semilogy(x, gap[1] + _TINY, color=color, linestyle=":", label=f"{name}'")
        axis.set(xlabel=coordinate, title="|error|")
        axis.legend(fontsize="small")

    def residual(axis: Axes) -> None:
        for component, color in zip(np.abs(arrays["residual"]), OTHERS, strict=False):
            axis.semilogy(x, component + _TINY, color=color)
        axis.set(xlabel=coordinate, title="|residual|")

    for name in outputs:
        panels += [derivative(name, order) for order in range(len(arrays[name]))]
    if outputs and f"exact/{outputs[0]}" in arrays:
        panels.append(error)
    return [*panels, residual]


def _history_panels(rows: dict[str, np.ndarray], summary: dict[str, Any]) -> list[Any]:
    if not rows:
        return []
    steps = rows["step"]

    def phases(axis: Axes) -> None:
        end = 0
        for phase in summary["phases"][:-1]:
            end += phase["steps"]
            axis.axvline(end, color="grey", linewidth=0.8, linestyle=":")
        axis.set_xlabel("step")

    def loss(axis: Axes) -> None:
        axis.semilogy(steps, rows["loss"] + _TINY, color=EXACT, label="all")
        shares = [name for name in rows if name.startswith("loss/")]
        for name, color in zip(shares, OTHERS, strict=False):
            axis.semilogy(steps, rows[name] + _TINY, color=color, linewidth=0.9, label=name.removeprefix("loss/"))
        axis.set_title("loss")
        axis.legend(fontsize="small")
        phases(axis)

    def unknown(name: str, truth: float | None) -> Any:
        def draw(axis: Axes) -> None:
            if truth is None:
                axis.plot(steps, rows[name], color=FOUND)
                axis.set_title(name)
            else:
                axis.semilogy(steps, np.abs(rows[name] - truth) + _TINY, color=FOUND)
                axis.set_title(f"|{name} - {truth:.6g}|")
            phases(axis)

        return draw

    return [loss, *(unknown(name, entry["truth"]) for name, entry in summary["unknowns"].items())]
