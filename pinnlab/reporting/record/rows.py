"""The rows of a record: their columns, and the file that they are appended to."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from pinnlab.errors import UserError
from pinnlab.reporting.files import write_atomically

Row = Mapping[str, float | int | str]

COLUMNS = ("step", "phase", "seconds", "loss")
"""The columns that every record has; shares of the loss are `loss/NAME`, balanced weights `weight/NAME`, what
optimisers add `optimiser/NAME`."""


class RowWriter:
    """Writes rows to a CSV file as they come, so that a killed run leaves its rows so far.

    Args:
        path: The file.
        columns: The names of the columns; a row may lack some.
        kept: How many of its rows to keep; later ones are dropped, so that a resumed run leaves neither gaps nor
            repeats.
    """

    def __init__(self, path: Path, columns: Sequence[str], kept: int = 0) -> None:
        rows: list[dict[str, str]] = []
        if kept and path.exists():
            with path.open(newline="") as file:
                rows = list(islice(csv.DictReader(file), kept))
        # whole or not at all: a run that is killed here must find the rows again
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(path, text.getvalue())
        self._path = path
        self._file = path.open("a", newline="")
        self._writer = csv.DictWriter(self._file, columns, restval="", extrasaction="ignore")

    def write(self, row: Row) -> None:
        """Append a row.

        Raises:
            UserError: if the file cannot be written.
        """
        try:
            self._writer.writerow(row)
            self._file.flush()
        except OSError as error:
            raise UserError(
                f"cannot write {self._path}: {error.strerror}; the checkpoints are kept: continue with --ckpt_path last"
            ) from error

    def sync(self) -> None:
        """Make sure that the written rows outlive the machine."""
        # a checkpoint may follow the end of the record
        if not self._file.closed:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; rows that could not be written are lost."""
        with suppress(OSError):
            self.sync()
        with suppress(OSError):
            self._file.close()


def unknowns_of(names: Iterable[str]) -> list[str]:
    """The columns of a record that are values of unknowns: all without a prefix but its own."""
    return [name for name in names if name not in COLUMNS and "/" not in name]
