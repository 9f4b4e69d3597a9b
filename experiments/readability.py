"""How long the sentences of the documents and docstrings are, and how many of them are passive.

Code, tables, headings and formulas on lines of their own are left out; a list item ends a sentence, and so does a
blank line. A sentence counts as passive if a form of "to be" is followed, within two words, by a participle: a word in
-ed, or an irregular one of a short list. The rule is coarse, and the same before and after a change.

    python experiments/readability.py                          # totals, and the worst pages
    python experiments/readability.py --commit f92a3aa         # of another commit
    python experiments/readability.py --long docs/glossary.md  # the longest sentences of a file
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONG = 30
"""A sentence of more words than this is long."""

PARTICIPLES = frozenset(
    re.findall(
        r"\w+",
        """begun bound broken built chosen cut done drawn driven eaten fallen fed felt forgotten found frozen given
        grown held hidden kept known laid learnt led left lent lost made meant met paid put read run said seen sent set
        shown shut spent split spread taken taught thrown told understood won written""",
    )
)
PASSIVE = re.compile(r"\b(?:is|are|was|were|be|been|being)(?: \w+){0,2}? (\w+)", re.IGNORECASE)
SECTIONS = re.compile(r"^ *(Args|Attributes|Returns|Raises|Yields|Example|Examples|Source):\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Measure:
    """The figures of some sentences.

    Attributes:
        sentences: How many.
        words: Words in all of them.
        long: Sentences of more than `LONG` words.
        passive: Passive sentences.
    """

    sentences: int = 0
    words: int = 0
    long: int = 0
    passive: int = 0

    def __add__(self, other: Measure) -> Measure:
        return Measure(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def __str__(self) -> str:
        count = max(self.sentences, 1)
        shares = f"{100 * self.long / count:5.1f} % long  {100 * self.passive / count:5.1f} % passive"
        return f"{self.sentences:6d} sentences  {self.words / count:5.1f} words  {shares}"


def prose(document: str) -> list[str]:
    """The paragraphs and list items of a Markdown text, each in one line."""
    text = re.sub(r"^```.*?^```", "\n", document, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    found: list[str] = [""]
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", "|", ">>>", "...")) or re.match(r"^ {4,}\S", line):
            found.append("")
        elif re.match(r"([-*]|\d+\.) ", stripped):
            found.append(re.sub(r"^([-*]|\d+\.) ", "", stripped))
        else:
            found[-1] += " " + stripped
    return [paragraph for paragraph in found if paragraph.strip()]


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph: they end with a full stop, question or exclamation mark before a capital."""
    parts = re.split(
        r"(?<=[.!?])[*_)\"]*\s+(?=[\"(*_`]*[A-ZΑ-Ω])", paragraph.replace("i.e.", "ie").replace("e.g.", "eg")
    )
    return [part.strip() for part in parts if len(words(part)) > 2]


def words(sentence: str) -> list[str]:
    """The words of a sentence; a piece of code in backticks is one, symbols are none."""
    return re.findall(r"[A-Za-z][\w'’-]*", re.sub(r"`[^`]*`", "code", sentence))


def passive(sentence: str) -> bool:
    """Whether a sentence has a passive verb, by the rule of the module."""
    plain = " ".join(words(sentence)).lower()
    return any(word in PARTICIPLES or word.endswith("ed") for word in PASSIVE.findall(plain))


def measure(paragraphs: list[str]) -> Measure:
    """The figures of some paragraphs."""
    total = Measure()
    for sentence in (sentence for paragraph in paragraphs for sentence in sentences(paragraph)):
        count = len(words(sentence))
        total += Measure(1, count, int(count > LONG), int(passive(sentence)))
    return total


def docstrings(source: str) -> list[str]:
    """The paragraphs of all docstrings of a module, without their sections."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node) or ""
            found += prose(SECTIONS.split(text)[0])
    return found


def texts(root: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Kind, name and paragraphs of every document and module below a checkout."""
    documents = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]
    for path in documents:
        if path.parent.name != "catalogue":  # made of docstrings
            yield "documents", str(path.relative_to(root)), prose(path.read_text(encoding="utf-8"))
    for path in sorted((root / "pinnlab").rglob("*.py")):
        yield "docstrings", str(path.relative_to(root)), docstrings(path.read_text(encoding="utf-8"))


def report(root: Path, worst: int) -> None:
    """Prints the totals, and the pages whose sentences are longest."""
    pages = [(kind, name, measure(paragraphs)) for kind, name, paragraphs in texts(root)]
    for kind in ("documents", "docstrings"):
        mine = [(name, found) for of, name, found in pages if of == kind]
        print(f"{kind:56s} {sum((found for _, found in mine), Measure())}")
        mine = [(name, found) for name, found in mine if found.sentences >= 5]
        for name, found in sorted(mine, key=lambda pair: -pair[1].long / pair[1].sentences)[:worst]:
            print(f"    {name:52s} {found}")


def main() -> None:
    """Reads the command line, and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", help="read the files of this commit")
    parser.add_argument("--worst", type=int, default=12, help="how many files of each kind to list")
    parser.add_argument("--long", type=Path, help="print the long sentences of this file")
    options = parser.parse_args()
    if options.long:
        text = options.long.read_text(encoding="utf-8")
        paragraphs = docstrings(text) if options.long.suffix == ".py" else prose(text)
        found = [sentence for paragraph in paragraphs for sentence in sentences(paragraph)]
        for sentence in sorted(found, key=lambda sentence: -len(words(sentence))):
            if len(words(sentence)) > LONG:
                print(f"{len(words(sentence)):3d}  {sentence}\n")
    elif options.commit:
        paths = ["README.md", "CONTRIBUTING.md", "docs", "pinnlab"]
        archive = subprocess.run(["git", "archive", options.commit, *paths], cwd=ROOT, capture_output=True, check=True)
        with tempfile.TemporaryDirectory() as folder:
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
                files.extractall(folder, filter="data")
            report(Path(folder), options.worst)
    else:
        report(ROOT, options.worst)


if __name__ == "__main__":
    main()
