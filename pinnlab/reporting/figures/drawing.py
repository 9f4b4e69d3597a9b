"""Figures drawn from a run's record; nothing is evaluated or trained again."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinnlab.errors import UserError
from pinnlab.reporting.figures import panels as parts
from pinnlab.reporting.figures.panels import FIGURES, Figure, Panel, Record
from pinnlab.reporting.figures.style import panels, save, styled
from pinnlab.reporting.folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawn

_FORMATS = (".png", ".pdf", ".svg")
# Characters of a title for an inch.
_CHARACTERS = 14


def draw_profile(folder: RunFolder) -> Path | None:
    """Draw the picture of a run: solution against the exact one, error, residual, loss and unknowns.

    What the record lacks, the solution of a run that diverged say, is left out.

    Returns:
        The PNG file, or None if the record holds nothing to draw yet.
    """
    record = read(folder)
    chosen = [panel for draw in (parts.solution, parts.residual, parts.history) for panel in draw(record)]
    if not chosen:
        return None
    _draw(chosen, folder.figure, _title(record.summary), ["png"])
    return folder.figure


def draw_all(
    folder: RunFolder,
    target: Path,
    formats: Sequence[str] = ("png", "pdf"),
    further: Mapping[str, Figure] | None = None,
) -> list[Path]:
    """Draw every figure that the record has something for.

    Args:
        folder: The run.
        target: The folder to write to; created if it is missing.
        formats: The kinds of files.
        further: Figures beside the package's own, by the names of their files.

    Returns:
        The files.
    """
    record = read(folder)
    target.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, draw in {**FIGURES, **(further or {})}.items():
        if chosen := draw(record):
            written += _draw(chosen, target / name, _title(record.summary), formats)
    return written


def read(folder: RunFolder) -> Record:
    """The record of a run as figures take it; missing files are empty.

    Raises:
        UserError: if a file of the record is damaged.
    """
    summary = folder.read_summary()
    unknowns = summary.get("unknowns", {})
    truths = {name: entry["truth"] for name, entry in unknowns.items() if entry.get("truth") is not None}
    solution, points = (folder.read_arrays(path) for path in (folder.solution, folder.points))
    return Record(folder.read_rows(), summary, solution, points, truths)


def picture(chosen: Sequence[Panel], title: Sequence[str], path: Path | None = None) -> Drawn:
    """A figure with some panels and the lines of a title above, which are wrapped to its width.

    Args:
        chosen: The panels.
        title: The lines.
        path: A file to write it to as well.

    Raises:
        UserError: if the name of the file does not say what kind of file it is.
    """
    if path is not None and path.suffix not in _FORMATS:
        raise UserError(f"{path}: choose a file name that ends in {', '.join(_FORMATS)}")
    with styled():
        figure = _figure(chosen)
        width = round(_CHARACTERS * figure.get_figwidth())
        lines = [part for line in title for part in textwrap.wrap(line, width)]
        figure.suptitle("\n".join(lines), fontsize="medium")
        if path is not None:
            save(figure, path, [path.suffix.removeprefix(".")])
        return figure


def _figure(chosen: Sequence[Panel]) -> Drawn:
    figure, axes = panels(len(chosen))
    for axis, panel in zip(axes, chosen, strict=True):
        panel(axis)
    return figure


def _draw(chosen: Sequence[Panel], path: Path, title: str, formats: Sequence[str]) -> list[Path]:
    with styled():
        figure = _figure(chosen)
        figure.suptitle(title, fontsize="medium")
        return save(figure, path, formats)


def _title(summary: Mapping[str, Any]) -> str:
    if not summary:
        return "unfinished run"
    what = ", ".join(str(summary[key]) for key in ("equation", "engine") if key in summary)
    end = summary.get("tolerance")
    status = summary.get("status") if end is None else f"tol {end['tol']:.0e} {'' if end['reached'] else 'not '}reached"
    parts = [f"{what}, seed {summary.get('seed')}: {status}"]
    for name, unknown in summary.get("unknowns", {}).items():
        if unknown["value"] is not None:
            error = "" if unknown["error"] is None else f" (error {unknown['error']:.1e})"
            parts.append(f"{name} = {unknown['value']:.10g}{error}")
    if summary.get("metrics", {}).get("max_error") is not None:
        parts.append(f"max error {summary['metrics']['max_error']:.1e}")
    # a narrow figure has no room for one long line
    return "\n".join(parts) if len(parts) > 1 else parts[0]
