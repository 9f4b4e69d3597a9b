"""Tables as data, and as a terminal, CSV, Markdown and HTML show them."""

from __future__ import annotations

import csv
import html
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import rich.table

Cell = str | float | int | None
"""A number, a text, or None for an empty cell."""


@dataclass(frozen=True)
class Table:
    """Lines of cells under columns.

    Attributes:
        title: What it shows.
        columns: The headings.
        rows: The lines; each has one cell for every column.
    """

    title: str
    columns: list[str]
    rows: list[list[Cell]]

    def numeric(self, column: int) -> bool:
        """Whether the column holds numbers, which are set flush right."""
        return any(isinstance(row[column], int | float) for row in self.rows)


def text(cell: Cell, column: str = "") -> str:
    """A cell as a person reads it: three digits, whole numbers as they are, seconds without exponent."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or column == "steps":
        return f"{cell:.0f}"
    if column.startswith("seconds"):
        return f"{cell:.1f}" if cell < 1000 else f"{cell:.0f}"
    # an estimate of an error has one digit
    return f"{cell:.0e}" if column.startswith("±") else f"{cell:.2e}"


def terminal(table: Table) -> rich.table.Table:
    """For `rich`, which fits it to the terminal."""
    import rich.box
    import rich.table

    shown = rich.table.Table(title=table.title, title_justify="left", box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(table.columns):
        shown.add_column(column, justify="right" if table.numeric(number) else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*_texts(table, row))
    return shown


def write_csv(table: Table, file: TextIO) -> None:
    """As comma-separated values, numbers in full."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in table.rows)


def markdown(table: Table) -> str:
    """As a Markdown table under its title."""
    rule = ["---:" if table.numeric(number) else "---" for number in range(len(table.columns))]
    lines = [table.columns, rule, *([_plain(cell) for cell in _texts(table, row)] for row in table.rows)]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"### {table.title}\n\n{body}\n"


def to_html(table: Table) -> str:
    """As an HTML table with a caption."""
    sides = ["num" if table.numeric(number) else "text" for number in range(len(table.columns))]
    head = _row("th", sides, table.columns)
    body = "\n".join(_row("td", sides, _texts(table, row)) for row in table.rows)
    caption = html.escape(table.title)
    return f"<table>\n<caption>{caption}</caption>\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _texts(table: Table, row: list[Cell]) -> list[str]:
    return [text(cell, column) for cell, column in zip(row, table.columns, strict=True)]


def _row(tag: str, sides: list[str], cells: Iterable[str]) -> str:
    inner = "".join(
        f'<{tag} class="{side}">{_breakable(cell, tag)}</{tag}>' for side, cell in zip(sides, cells, strict=True)
    )
    return f"<tr>{inner}</tr>"


def _breakable(cell: str, tag: str) -> str:
    """A cell as HTML; a heading may be broken at dots and low lines, so that its column is as wide as its numbers."""
    text = html.escape(cell)
    return text.replace("_", "_<wbr>").replace(".", ".<wbr>") if tag == "th" else text


def _plain(cell: str) -> str:
    return cell.replace("|", "\\|")
