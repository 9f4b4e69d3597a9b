"""Every code block and command of the documents, run with few steps, each document in a folder of its own."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pinnlab.cli import COMMANDS, main

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
DOCUMENTS += [REPOSITORY / "CONTRIBUTING.md"]
# the pages of the catalogue show sources and configurations, which have tests of their own
RUN = [path for path in DOCUMENTS if path.parent.name != "catalogue"]

# Lets bash expand loops and variables, and prints the commands that it would run instead of running them.
RECORDER = r"""
set -eu
record() { printf '%s\036' "$@"; printf '\035'; }
python() { record python "$@"; }
make() { record make "$@"; }
wandb() { record wandb "$@"; }
"""

_SHORTER = [
    (re.compile(r"(Adam|LBFGS|GaussNewton)\(\d+"), r"\1(2"),
    (re.compile(r"steps: *\d+"), "steps: 2"),
    (re.compile(r"(phases\.\d+\.steps) +\d+"), r"\1 2"),
    (re.compile(r"(interior|features): *\d{3,}"), r"\1: 50"),
]


def shorten(text: str) -> str:
    """The same with two steps in every phase, and few points and features."""
    for pattern, replacement in _SHORTER:
        text = pattern.sub(replacement, text)
    return text


def blocks(document: Path) -> list[tuple[str, str]]:
    """The fenced blocks: (language, text)."""
    return re.findall(r"^```(\w+)\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)


def commands(script: str) -> list[list[str]]:
    """What a shell block would run."""
    done = subprocess.run(["bash", "-c", RECORDER + script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [command.split("\036")[:-1] for command in done.stdout.split("\035")[:-1]]


def run(words: list[str]) -> None:
    program, *arguments = words
    if program == "make":
        subprocess.run(["make", "-n", *arguments], cwd=REPOSITORY, check=True, capture_output=True)
    elif program == "wandb":
        # needs an account; tests/reporting/test_tracking.py runs what the file holds
        assert arguments[0] == "sweep" and Path(arguments[1]).is_file()
    else:
        assert arguments[:2] == ["-m", "pinnlab"], words
        try:
            assert main(arguments[2:]) == 0, words
        except SystemExit as end:  # --help
            assert not end.code


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with the configurations, shortened, where modules that a document writes can be imported."""
    shutil.copytree(REPOSITORY / "configs", tmp_path / "configs")
    for config in (tmp_path / "configs").rglob("*.yaml"):
        config.write_text(shorten(config.read_text()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


# documents of many trainings
MANY = ("regions", "continuation", "sweep", "cluster", "loss-balancing", "training-by-hand", "coming-from")


@pytest.mark.parametrize(
    "document",
    [pytest.param(path, id=path.stem, marks=pytest.mark.long if path.stem in MANY else ()) for path in RUN],
)
def test_code_and_commands_of_a_document_run(document, folder):
    names: dict = {}
    for language, text in blocks(document):
        text = shorten(text)
        file = re.match(r"# (\S+\.\w+)\n", text)
        if language == "python" and file is None:
            exec(compile(ast.parse(text), f"{document.name}", "exec"), names)
        elif language in ("python", "yaml"):
            Path(file[1]).write_text(text)
        elif language == "sh":
            for words in commands(text):
                run(words)
        else:
            assert language == "text", f"{document.name} has a block of {language!r} that nothing runs"
    # commands within sentences and tables, where they are whole
    runs = sorted(Path("runs").rglob("config.yaml"), key=lambda path: path.stat().st_mtime)
    for text in re.findall(r"`(python -m pinnlab [^`]+)`", document.read_text()):
        if not re.search(r"FILE|NAME|entity|…", text):
            for words in commands(text.replace("RUN", str(runs[0].parent)) if runs else text):
                run([word if word != "start" else "again" for word in words])


def test_commands_in_the_readme_table_are_known():
    found = re.findall(r"`python -m pinnlab ([\w-]+)", "".join(document.read_text() for document in DOCUMENTS))
    assert len(found) > 8 and set(found) <= set(COMMANDS)


def test_links_between_documents_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_page_is_in_the_index():
    index = REPOSITORY / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target in re.findall(r"\]\(([^)#]+\.md)\)", index.read_text())}
    pages = {path for path in (REPOSITORY / "docs").rglob("*.md") if path.parent.name not in ("catalogue", "notebooks")}
    assert sorted(path.name for path in pages - linked - {index}) == []


def test_every_command_is_documented():
    text = "".join(document.read_text() for document in DOCUMENTS)
    assert [name for name in COMMANDS if name not in ("validate", "test") and f"pinnlab {name}" not in text] == []
