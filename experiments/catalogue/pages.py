"""Writes the pages of the catalogue from docstrings, sources, configurations and what was measured; it runs nothing.

python -m experiments.catalogue.pages [--table FILE]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from experiments.catalogue.entries import PAGES, ROOT, Entry, content, entries
from experiments.tolerance.rows import RESULTS, Row, Table, number

TABLE = ROOT / RESULTS / "catalogue.csv"
COLUMNS = (
    "configuration", "tol", "status", "l2", "error", "unknown", "estimate", "seconds", "MiB", "windows", "features",
    "points",
)  # fmt: skip
"""`l2` and `error` are the relative L2 error and the largest error against the truth, `unknown` that of an unknown."""
KEY = ("configuration",)
PLAIN, BY_HAND = {"seed_everything", "model", "tol", "time_limit"}, "   # by hand"
HEAD = ("configuration", "tol", "status", "relative L2 error", "largest error", "estimate", "seconds", "solution")
WIDTH = 180
"""Of a picture in the list, in pixels."""
INTRODUCTION = """# The catalogue

The equations that ship with pinnlab. Each has a page with its formula and source, its code, how it is solved, how far
that gets against the true solution, and a picture. `python -m pinnlab equations` lists and searches them, and
`python -m pinnlab new-equation NAME --like {like}` copies one to start from.

Errors are relative L2 errors against the true solution at held-out points, by `tol` alone but where the table says
"by hand"; `python -m experiments.catalogue` measures them. Seconds are those of two threads on two cores, or, in the
ball, in more than three inputs, around the four holes with screening and for profiles of blow-up, of one thread of a
busy machine.
"""


def main() -> None:
    """Writes all pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--folder", type=Path, default=PAGES)
    options = parser.parse_args()
    write(options.table, options.folder)


def write(table: Path, folder: Path) -> None:
    """Writes all pages into the folder of the pictures, and removes those of equations that are no more."""
    texts = pages(table, folder)
    for path in folder.glob("*.md"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def pages(table: Path, folder: Path) -> dict[str, str]:
    """The text of every page by the name of its file."""
    rows = {row["configuration"]: row for row in Table(table, COLUMNS, KEY).rows()}
    members = entries()
    texts = {f"{entry.name}.md": page(entry, rows, folder) for entry in members}
    return {"README.md": index(members, rows, folder), **texts}


def index(members: list[Entry], rows: Mapping[str, Row], folder: Path) -> str:
    """The page that lists all others with their pictures, by groups."""
    parts = [INTRODUCTION.format(like="kdv")]
    for title, group in groupby(members, lambda entry: entry.titles[0]):
        parts.append(f"## {title}\n")
        for titles, some in groupby(group, lambda entry: entry.titles):
            parts += [f"### {titles[1]}\n"] if len(titles) > 1 else []
            lines = [_line(entry, rows, folder) for entry in some]
            parts += ["| | equation | | tol | error | seconds |", "|---|---|---|---|---|---|", *lines, ""]
    return "\n".join(parts)


def _line(entry: Entry, rows: Mapping[str, Row], folder: Path) -> str:
    summary = entry.document.partition("\n")[0].replace("|", "\\|")
    row = next((rows[key] for path in entry.measured if (key := key_of(path)) in rows), None)
    found = ["", "", ""]
    if row is not None:
        found = [row["tol"] or "by hand", _error(row), row["seconds"]]
        found[0] += "" if row["status"] in ("reached", "finished") else " (not reached)"
    pictures = [f'[<img src="{name}" width="{WIDTH}" alt="">]({entry.name}.md)' for name in _pictures(entry, folder)]
    cells = ["".join(pictures), f"[{entry.equation.name}]({entry.name}.md)", summary, *found]
    return f"| {' | '.join(cells)} |"


def _pictures(entry: Entry, folder: Path) -> list[str]:
    """The picture of a page, if there is one."""
    return [name for path in entry.measured if (folder / (name := f"{path.stem}.png")).exists()][:1]


def page(entry: Entry, rows: Mapping[str, Row], folder: Path) -> str:
    """The page of an equation."""
    source = entry.equation.file.relative_to(ROOT).as_posix()
    parts = [
        f"# {entry.title} ({entry.equation.name})",
        " › ".join(["[Catalogue](README.md)", *entry.titles]),
        entry.document,
    ]
    parts += [f"![{entry.title}]({name})" for name in _pictures(entry, folder)]
    parts += ["## How to solve it", _commands(entry)]
    measured = [rows[key] for path in entry.measured if (key := key_of(path)) in rows]
    if measured:
        parts += ["## How far that gets", _table(measured)]
    code = entry.equation.file.read_text(encoding="utf-8").strip()
    parts += [f"## The code\n\n[{source}]({os.path.relpath(entry.equation.file, PAGES)})", f"```py\n{code}\n```"]
    return "\n\n".join(parts) + "\n"


def _commands(entry: Entry) -> str:
    name = entry.equation.name
    paths = [(path, path.relative_to(ROOT).as_posix()) for path in entry.configurations]
    # what a configuration says beside the tolerance, such as a recipe, has no place in a line
    plain = [path for path in entry.solves if set(content(path)) <= PLAIN and _by_name(path)][:1]
    tol = "".join(f"{float(content(path)['tol']):.0e}" for path in plain)
    lines = [f"python -m pinnlab fit --model.equation {name} --tol {tol}"] if plain else []
    lines += [
        f"python -m pinnlab fit --config {text}{BY_HAND if path in entry.by_hand else ''}" for path, text in paths
    ]
    text = "```bash\n" + "\n".join(lines) + "\n```"
    if not plain:
        return text
    code = [
        "import pinnlab",
        f"from pinnlab.problems import {name}",
        "",
        f"solution = pinnlab.solve({name}(), tol={tol})",
    ]
    return text + "\n\n```py\n" + "\n".join([*code, "print(solution)", "solution.plot()"]) + "\n```"


def _by_name(path: Path) -> bool:
    return isinstance(content(path)["model"]["equation"], str)


def _table(measured: list[Row]) -> str:
    lines = [HEAD, ("---",) * len(HEAD)]
    for row in measured:
        unknown = f"; unknown {number(row, 'unknown'):.1e}" if row["unknown"] else ""
        lines.append((
            f"`configs/{row['configuration']}.yaml`", row["tol"] or "by hand", row["status"], _error(row) + unknown,
            f"{number(row, 'error'):.1e}", row["estimate"], row["seconds"], _solution(row),
        ))  # fmt: skip
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _solution(row: Row) -> str:
    windows = f"{row['windows']} windows, " if row["windows"] not in ("", "1") else ""
    return f"{windows}{row['features']} features, {row['points']} points" if row["features"] else ""


def _error(row: Row) -> str:
    return f"{number(row, 'l2'):.1e}"


def key_of(path: Path) -> str:
    """The name of a configuration in the table."""
    return f"{path.parent.name}/{path.stem}"


if __name__ == "__main__":
    main()
