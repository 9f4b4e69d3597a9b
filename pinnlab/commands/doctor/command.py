"""`doctor`: versions, devices, threads, W&B, SLURM, folders and a solve, with what to do about each."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from pinnlab.commands.arguments import Arguments
from pinnlab.commands.doctor.finding import Finding, State
from pinnlab.commands.doctor.machine import devices, folders, linear_algebra
from pinnlab.commands.doctor.self_check import self_check
from pinnlab.commands.doctor.services import cluster, tracking
from pinnlab.commands.doctor.software import software

if TYPE_CHECKING:
    from rich.console import Console

Check = Callable[[], Iterator[Finding]]

CHECKS: Mapping[str, Check] = {
    "software": software,
    "devices": devices,
    "linear algebra": linear_algebra,
    "W&B": tracking,
    "SLURM": cluster,
    "folders": folders,
    "self check": self_check,
}
"""What is looked at, in this order, by the heading of what it finds."""

_DESCRIPTION = """\
Looks at versions, devices, the threads of linear algebra, W&B, SLURM and folders, and solves a small equation.
Says what to do about what is wrong. Asks no network. The exit status is 0 if pinnlab can be used, and 1 if not."""

_COLORS = {State.OK: "green", State.NOTE: "cyan", State.WARN: "yellow", State.FAIL: "bold red"}
_WIDTH = 120
"""Columns where there is no terminal."""


def main(command: str, arguments: Sequence[str]) -> int:
    """Run the command.

    Returns:
        0 if pinnlab can be used, 1 if not.

    Raises:
        UserError: if an argument is wrong.
    """
    parser = Arguments(command, _DESCRIPTION)
    parser.add_argument("--json", action="store_true", help="the findings as JSON")
    options = parser.parse_args(arguments)
    found = [finding for part, check in CHECKS.items() for finding in examined(part, check)]
    usable = all(finding.state is not State.FAIL for finding in found)
    if options.json:
        findings = [vars(finding) | {"state": finding.state.value.lower()} for finding in found]
        print(json.dumps({"usable": usable, "findings": findings}, indent=1))
    else:
        show(found, usable)
    return 0 if usable else 1


def examined(part: str, check: Check) -> Iterator[Finding]:
    """What a check finds; one that fails itself, as where a package is broken, is a finding as well."""
    try:
        yield from check()
    except Exception as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
        advice = "install pinnlab and its packages again in a new environment"
        yield Finding(part, "check", said, State.FAIL, advice)


def show(found: Sequence[Finding], usable: bool, console: Console | None = None) -> None:
    """Prints the findings under their headings, each with its advice below, and what they come to.

    Args:
        found: The findings.
        usable: Whether pinnlab can be used.
        console: Where to; standard output by default, without colours where that is no terminal.
    """
    from rich.console import Console

    if console is None:
        console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    with console.capture() as capture:
        _print(found, usable, console)
    console.file.write("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")


def _print(found: Sequence[Finding], usable: bool, console: Console) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    width = max(len(finding.name) for finding in found)
    for part, findings in groupby(found, key=lambda finding: finding.part):
        console.print(Text(part, style="bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(width=4)
        table.add_column(width=width, no_wrap=True)
        table.add_column(overflow="fold")
        for finding in findings:
            color = _COLORS[finding.state]
            table.add_row(Text(finding.state.value, style=color), Text(finding.name), Text(finding.value))
            if finding.advice:
                table.add_row("", "", Text(f"→ {finding.advice}", style="dim"))
        console.print(Padding(table, (0, 0, 0, 2)))
    count = sum(finding.state is State.WARN for finding in found)
    warnings = f", {count} warning{'s' if count != 1 else ''}" if count else ""
    end = Text("ready", style="green") if usable else Text("not ready: see FAIL above", style="bold red")
    console.print(Text("pinnlab is ").append_text(end).append(warnings))
