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
from pathlib import Path

import pinnlab
from experiments.catalogue.entries import PAGES, entries
from experiments.catalogue.pages import COLUMNS, KEY, TABLE, key_of, write
from experiments.tolerance.rows import Table, named, printed, scientific
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
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--run.root", folder, "--run.name", "run", "--run.threads", str(options.threads)]
        if command(["fit", "--config", str(path), *arguments]):
            raise SystemExit(f"{name}: the solve failed")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        summary = json.loads((Path(folder) / "run" / "summary.json").read_text())
        figure = pinnlab.load(Path(folder) / "run").plot()
    figure.savefig(options.folder / f"{path.stem}.png", dpi=DOTS)
    metrics = summary["metrics"]
    unknown = [value for key, value in metrics.items() if key.startswith("error_")]
    row: dict[str, object] = {
        "configuration": name, "l2": scientific(metrics.get("relative_l2")),
        "error": scientific(metrics.get("max_error")), "unknown": scientific(max(unknown, default=None)),
        "seconds": f"{summary['seconds']:.1f}", "MiB": f"{memory:.0f}",
    }  # fmt: skip
    end = summary.get("tolerance")
    if end is None:
        return dict.fromkeys(COLUMNS, "") | row | {"status": summary["status"]}
    return row | {
        "tol": f"{end['tol']:.0e}", "status": "reached" if end["reached"] else end["reason"],
        "estimate": scientific(end["error"]), "windows": end["windows"], "features": end["features"],
        "points": end["points"],
    }  # fmt: skip


if __name__ == "__main__":
    main()
