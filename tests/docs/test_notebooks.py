"""The notebooks: they run, print and draw what is stored in them, and nothing else."""

import re

import nbformat
import pytest

from docs.site.execute import NOTEBOOKS, executed

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
NUMBER = re.compile(r"-?\d[\d.]*(e[+-]\d+)?")
LONG = ("first_steps", "two_space_dimensions", "blow_up_profile")


def outputs(notebook):
    """The kinds of the outputs of each cell that has code."""
    return [
        [output.get("name") or sorted(output["data"]) for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def printed(notebook):
    """The text that cells print and show, without numbers, and without the progress of solves."""
    lines = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            text = output.get("text") or output["data"]["text/plain"]
            # a minute or more has another form
            without = [NUMBER.sub("#", line).replace("#:#", "# s") for line in text.splitlines()]
            lines += without if "<" not in text else []
    return [" ".join(line.split()) for line in lines if not re.match(r" *#( s)? ", line)]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_is_short_stored_with_its_outputs_and_without_noise(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert len(notebook.cells) <= 15 and path.stat().st_size < 300_000
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "run make notebooks"
    for output in (output for cell in code for output in cell.outputs):
        assert output.output_type != "error" and output.get("name") != "stderr", output
        assert len(output.get("text", "").splitlines()) <= 10
    pictures = [kinds for cell in outputs(notebook) for kinds in cell if "image/png" in kinds]
    assert pictures and all(len([kinds for kinds in cell if "image/png" in kinds]) <= 1 for cell in outputs(notebook))


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem, marks=pytest.mark.long if path.stem in LONG else ()) for path in PATHS]
)
def test_a_notebook_prints_and_draws_what_is_stored(path):
    stored, new = nbformat.read(path, as_version=4), executed(path)
    assert outputs(new) == outputs(stored)
    assert printed(new) == printed(stored)
