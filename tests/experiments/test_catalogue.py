"""The pages of the catalogue are those of what ships and of what was measured."""

import re
import subprocess
import sys

import pytest

from experiments.catalogue.entries import PAGES, ROOT, content, entries
from experiments.catalogue.pages import COLUMNS, KEY, TABLE, key_of, pages, write
from experiments.tolerance.rows import Table

ENTRIES = entries()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_equation_is_configured_measured_and_drawn(entry):
    assert entry.configurations
    for path in entry.measured:
        assert (PAGES / f"{path.stem}.png").stat().st_size > 5000
        row = Table(TABLE, COLUMNS, KEY).find(key_of(path))
        assert row is not None and row["l2"] and row["seconds"]
        # a solve that says that it has reached its tolerance has
        if row["status"] == "reached" and "pressure" not in entry.document:
            assert float(row["l2"]) <= 10 * float(row["tol"]), row


def test_pages_are_those_of_the_sources_and_the_table():
    texts = pages(TABLE, PAGES)
    assert {path.name for path in PAGES.glob("*.md")} == set(texts)
    for name, text in texts.items():
        assert (PAGES / name).read_text(encoding="utf-8") == text, f"{name}: run python -m experiments.catalogue.pages"


def test_an_index_leads_to_every_page_by_groups():
    text = pages(TABLE, PAGES)["README.md"]
    links = re.findall(r"\[(\w+)\]\((\w+)\.md\)", text)
    assert sorted(links) == sorted((entry.equation.name, entry.name) for entry in ENTRIES)
    for entry in ENTRIES:
        assert f"## {entry.titles[0]}\n" in text and (len(entry.titles) == 1 or f"### {entry.titles[1]}\n" in text)


def test_a_page_has_formula_commands_code_and_only_what_was_measured(tmp_path):
    (tmp_path / "table.csv").write_text("configuration,tol,status,l2,error,estimate,seconds,windows,features,points\n")
    text = pages(tmp_path / "table.csv", tmp_path)["lorenz.md"]
    assert "x' = σ (y − x)" in text and "class Lorenz(Equation)" in text and "How far" not in text and "![" not in text
    assert "python -m pinnlab fit --model.equation Lorenz --tol 1e-08\n" in text and ">>>" in text.partition("```py")[2]
    assert ">>>" not in text.partition("## How to solve it")[0]


def test_the_program_of_a_page_runs(capsys):
    program = (PAGES / "pendulum.md").read_text(encoding="utf-8").partition("```py\n")[2].partition("```")[0]
    exec(compile(program, "pendulum.md", "exec"), {})
    assert "tol 1e-08 reached" in capsys.readouterr().out


def test_pages_of_equations_that_are_no_more_are_removed(tmp_path):
    (tmp_path / "aether.md").write_text("")
    write(TABLE, tmp_path)
    assert not (tmp_path / "aether.md").exists() and (tmp_path / "README.md").exists()


@pytest.mark.long
def test_a_configuration_is_solved_drawn_and_told(tmp_path):
    command = [sys.executable, "-m", "experiments.catalogue", "ode/lotka_volterra", "--threads", "1"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "table.csv"), "--folder", str(tmp_path / "pages")], cwd=ROOT, text=True,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (row,) = Table(tmp_path / "table.csv", COLUMNS, KEY).rows()
    tol = float(content(ROOT / "configs/ode/lotka_volterra.yaml")["tol"])
    assert row["status"] == "reached" and float(row["l2"]) < tol and float(row["tol"]) == tol
    assert (tmp_path / "pages" / "lotka_volterra.png").stat().st_size > 5000
    assert "| reached |" in (tmp_path / "pages" / "lotka_volterra.md").read_text()
