"""Runs the notebooks of docs/notebooks, and stores what they print and draw in them.

python docs/site/execute.py [NOTEBOOK ...]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def main() -> None:
    """Runs the given notebooks, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path)
    for path in parser.parse_args().notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
        nbformat.write(executed(path), path)


def executed(path: Path) -> nbformat.NotebookNode:
    """A notebook with the outputs of a new run of all of its cells.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    # coalesced: a line that is written anew is stored as it is in the end
    options = {"timeout": 600, "record_timing": False, "coalesce_streams": True}
    NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}}, **options).execute()
    # which Python it was is nobody's concern
    notebook.metadata.language_info = {"name": "python"}
    return notebook


if __name__ == "__main__":
    main()
