"""Solves every configuration of the catalogue that has a tolerance: one row and one picture for each, then all pages.

Each has a process of its own, as from the command line. Rows that the file has already are not run again: the script
may be stopped, and run by parts.

    python -m experiments.catalogue [NAME …] [--threads 2] [--out FILE] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

import pinnlab
import pinnlab.problems
import pinnlab.strategy
from experiments.catalogue.entries import PAGES, content, entries
from experiments.catalogue.pages import COLUMNS, KEY, TABLE, key_of, write
from experiments.tolerance.rows import Table, named, printed, scientific
from pinnlab import Solution
from pinnlab.cli import main as command

DOTS = 100
"""Dots per inch of a picture."""


def main() -> None:
    """Runs what is missing, and writes the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="some of the configurations, as ode/lorenz; all by default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--folder", type=Path, default=PAGES, help="where pages and pictures are written")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    paths = {key_of(path): path for entry in entries() for path in entry.measured}
    names = named(parser, options.names, paths)
    if options.one:
        printed(measured(names[0], paths[names[0]], options))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    table = Table(options.out, COLUMNS, KEY)
    for name in names:
        arguments = ["--one", name, "--threads", str(options.threads), "--folder", str(options.folder)]
        table.measure("experiments.catalogue", (name,), arguments)
    write(options.out, options.folder)


def measured(name: str, path: Path, options: argparse.Namespace) -> dict[str, object]:
    """One solve: its row; its picture is written beside the pages."""
    solution, row = solved(name, path, options.threads)
    solution.plot().savefig(options.folder / f"{path.stem}.png", dpi=DOTS)
    return row


def solved(name: str, path: Path, threads: int) -> tuple[Solution, dict[str, object]]:
    """What a configuration finds, and its row."""
    solve = to_tolerance if "tol" in content(path) else by_hand
    solution, status, seconds = solve(path, threads)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    metrics, end = solution.metrics, solution.ending
    unknown = [value for key, value in metrics.items() if key.startswith("error_")]
    row: dict[str, object] = {
        "configuration": name, "status": status, "l2": scientific(metrics.get("relative_l2")),
        "error": scientific(metrics.get("max_error")), "unknown": scientific(max(unknown, default=None)),
        "seconds": f"{seconds:.1f}", "MiB": f"{memory:.0f}",
    }  # fmt: skip
    if end is None:
        return solution, dict.fromkeys(COLUMNS, "") | row
    return solution, row | {
        "tol": f"{end.tol:.0e}", "estimate": scientific(end.error), "windows": end.windows, "features": end.features,
        "points": end.points,
    }  # fmt: skip


def to_tolerance(path: Path, threads: int) -> tuple[Solution, str, float]:
    """What a configuration of a solve finds, how that ended, and its seconds."""
    torch.set_num_threads(threads)
    written = content(path)
    equation = made(written["model"]["equation"], pinnlab.problems)
    recipe = made(written["recipe"], pinnlab.strategy) if "recipe" in written else None
    limit, seed = written.get("time_limit"), written["seed_everything"]
    solution = pinnlab.solve(equation, tol=float(written["tol"]), recipe=recipe, time_limit=limit, seed=seed)
    end = solution.ending
    assert end is not None
    until = "" if end.until is None else f", found up to {end.until:.3g}"
    return solution, "reached" if end.reached else f"{end.reason}{until}", end.seconds


def made(description: str | Mapping[str, Any], package: ModuleType) -> Any:
    """The object of a short name, or of a class path with arguments."""
    if isinstance(description, str):
        return getattr(package, description)()
    return getattr(package, description["class_path"])(**description.get("init_args", {}))


def by_hand(path: Path, threads: int) -> tuple[Solution, str, float]:
    """What a configuration of a training finds, how that ended, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--run.root", folder, "--run.name", "run", "--run.threads", str(threads)]
        if command(["fit", "--config", str(path), *arguments]):
            raise SystemExit(f"{path}: the training failed")
        summary = json.loads((Path(folder) / "run" / "summary.json").read_text())
        return pinnlab.load(Path(folder) / "run"), summary["status"], summary["seconds"]


if __name__ == "__main__":
    main()
