"""`compare`: runs side by side, as a table on the terminal and as files to share."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pinnlab.commands.arguments import Arguments, writable
from pinnlab.errors import UserError
from pinnlab.reporting.comparison import Comparison
from pinnlab.reporting.comparison.remote import fetch, is_address
from pinnlab.reporting.comparison.runs import Run, find, read

_DESCRIPTION = """\
Which run was better: differing settings beside final metrics, medians over seeds, speed-ups at equal error.
RUNS are run folders, folders of them, globs, or entity/project[/group] on W&B (with WANDB_API_KEY set)."""

_FIGURES = (".png", ".pdf", ".svg")


def main(command: str, arguments: Sequence[str]) -> int:
    """Run the command.

    Raises:
        UserError: if there is nothing to compare, or an argument is wrong.
    """
    parser = Arguments(command, _DESCRIPTION)
    parser.add_argument("runs", nargs="+", metavar="RUNS")
    parser.add_argument("--metric", help="what to sort by, lower is better, such as error_lam or seconds")
    parser.add_argument("--html", type=Path, metavar="FILE", help="one page with tables and figures inside")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="the table of runs, numbers in full")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="all tables")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="error against steps and seconds: .png, .pdf, .svg")
    options = parser.parse_args(arguments)
    for path in (options.csv, options.markdown, options.figure, options.html):
        if path:
            writable(path)
    if options.figure and options.figure.suffix not in _FIGURES:
        raise UserError(f"{options.figure}: choose a file name that ends in {', '.join(_FIGURES)}")
    comparison = Comparison(collect(options.runs), options.metric)
    show(comparison)
    if options.csv:
        from pinnlab.reporting.comparison.tables import write_csv

        with options.csv.open("w", newline="") as file:
            write_csv(comparison.table(), file)
    if options.markdown:
        from pinnlab.reporting.comparison.tables import markdown

        options.markdown.write_text("\n".join(markdown(table) for table in comparison.tables()), encoding="utf-8")
    if options.figure:
        from pinnlab.reporting.comparison.curves import draw_curves
        from pinnlab.reporting.figures.style import save

        save(draw_curves(comparison), options.figure, [options.figure.suffix.removeprefix(".")])
    if options.html:
        from pinnlab.reporting.comparison.page import write

        write(comparison, options.html)
    for path in (options.csv, options.markdown, options.figure, options.html):
        if path:
            print(path)
    return 0


def collect(sources: Sequence[str]) -> list[Run]:
    """The runs of folders, globs and W&B projects.

    Raises:
        UserError: if one of them has none.
    """
    runs: list[Run] = []
    for source in sources:
        remote = is_address(source) and not Path(source).exists()
        runs += fetch(source) if remote else [read(path) for path in find([source])]
    return runs


def show(comparison: Comparison) -> None:
    """Print the tables: fitted to a terminal, in full width elsewhere."""
    from rich.console import Console

    from pinnlab.reporting.comparison.tables import terminal

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 240)
    for table in comparison.tables():
        with console.capture() as capture:
            console.print(terminal(table))
        print("\n".join(line.rstrip() for line in capture.get().splitlines()), end="\n\n")
