"""Every configuration of the catalogue, by `tol` alone and by hand: errors, the estimate, seconds and memory.

Each has a process of its own, as from the command line. Rows that the file has already are not run again: the script
may be stopped, and run by parts. With --records only those run that a published record is compared with.

    python -m experiments.benchmark [NAME …] [--records] [--threads 1] [--out FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from experiments.benchmark.records import records
from experiments.catalogue.__main__ import solved
from experiments.catalogue.entries import entries
from experiments.catalogue.pages import COLUMNS as SOLVED
from experiments.catalogue.pages import KEY, key_of
from experiments.tolerance.rows import RESULTS, Table, named, printed, scientific
from pinnlab import Solution

COLUMNS = (*SOLVED, "l2 of outputs", "±")
"""Those of the catalogue, the largest relative L2 error of the outputs that a record is of, and the largest ±."""
TABLE = RESULTS / "benchmark.csv"


def main() -> None:
    """Runs what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="some of the configurations, as ode/lorenz; all by default")
    parser.add_argument("--records", action="store_true", help="those that a published record is compared with")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    paths = {key_of(path): path for entry in entries() for path in entry.configurations}
    names = named(parser, options.names, paths)
    if options.records:
        compared = {name for record in records() for name in record.configurations}
        names = [name for name in names if name in compared]
    if options.one:
        solution, row = solved(names[0], paths[names[0]], options.threads)
        margins = [solution.metrics.get(f"uncertainty_{output}") for output in solution.model.equation.outputs]
        known = [margin for margin in margins if margin is not None]
        own = {"l2 of outputs": judged(names[0], solution), "±": max(known, default=None)}
        printed(row | {name: scientific(value) for name, value in own.items()})
        return
    table = Table(options.out, COLUMNS, KEY)
    for name in names:
        table.measure("experiments.benchmark", (name,), ["--one", name, "--threads", str(options.threads)])


def judged(name: str, solution: Solution) -> float:
    """The largest relative L2 error of the outputs that the record of a configuration is of; of all by default."""
    outputs = next((record.outputs for record in records() if name in record.configurations), ())
    errors = [solution.metrics[f"relative_l2_{output}"] for output in outputs]
    return max(errors, default=solution.metrics["relative_l2"])


if __name__ == "__main__":
    main()
