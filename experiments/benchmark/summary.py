"""The table of the published records beside what was measured here, and how many are passed.

A configuration that the benchmark's file lacks has the row of the catalogue's, which was measured with two threads.

    python -m experiments.benchmark.summary [--table FILE] [--catalogue FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.benchmark.__main__ import COLUMNS, TABLE
from experiments.benchmark.records import Record, records
from experiments.catalogue.pages import COLUMNS as SOLVED
from experiments.catalogue.pages import KEY
from experiments.catalogue.pages import TABLE as CATALOGUE
from experiments.tolerance.rows import Row, Table, number
from experiments.tolerance.summary import line

HEAD = ("problem", "record", "who, with what", "configuration", "here", "s", "MiB", "passed", "what limits it")


def main() -> None:
    """Prints the table and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--catalogue", type=Path, default=CATALOGUE)
    options = parser.parse_args()
    print("\n".join(told(records(), measured(options.table, options.catalogue))))


def measured(table: Path, catalogue: Path) -> dict[str, Row]:
    """The rows of both files by configuration."""
    solved = {row["configuration"]: {**row, "l2 of outputs": row["l2"]} for row in Table(catalogue, SOLVED, KEY).rows()}
    return solved | {row["configuration"]: row for row in Table(table, COLUMNS, KEY).rows()}


def told(known: Sequence[Record], rows: Mapping[str, Row]) -> list[str]:
    """The lines of the table, and of the counts."""
    lines = [line(HEAD), "|" + "---|" * len(HEAD)]
    for record in known:
        lines += [line(cells(record, name, rows[name])) for name in record.configurations if name in rows]
    compared = [record for record in known if any(name in rows for name in record.configurations)]
    beaten = [
        record.problem for record in compared if any(passes(record, rows.get(name)) for name in record.configurations)
    ]
    missing = [f"{record.problem} ({record.limit or 'not run yet'})" for record in known if record not in compared]
    return [
        *lines, "",
        f"Measured: {len(compared)} of {len(known)}; the record is passed on {len(beaten)}: {'; '.join(beaten)}.",
        *([f"Not measured: {'; '.join(missing)}."] if missing else []),
    ]  # fmt: skip


def cells(record: Record, name: str, row: Row) -> list[str]:
    """The cells of a configuration beside a record."""
    tol = f"tol {row['tol']}" if row["tol"] else "by hand"
    unfinished = "" if row["status"] in ("reached", "finished") else f" ({row['status']})"
    return [
        record.problem, f"{record.error:.1e}", f"{record.source}; {record.means}", f"`{name}`, {tol}",
        f"{number(row, 'l2 of outputs'):.1e}{unfinished}", row["seconds"], row["MiB"],
        "yes" if passes(record, row) else "no", "" if passes(record, row) else record.limit,
    ]  # fmt: skip


def passes(record: Record, row: Row | None) -> bool:
    """Whether a row has a smaller error than the record, over the whole region."""
    return row is not None and "found up to" not in row["status"] and number(row, "l2 of outputs") < record.error


if __name__ == "__main__":
    main()
