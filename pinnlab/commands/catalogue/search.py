"""Finding equations of the catalogue by words, and the names that are near."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence

from pinnlab.commands.catalogue.entries import Entry


def matches(entry: Entry, words: Sequence[str]) -> bool:
    """Whether all words occur in what an equation says of itself: its name, its docstring and the title of its file.

    Capitals, accents and hyphens make no difference.
    """
    text = folded(f"{entry.name} {entry.title} {entry.text}")
    return all(folded(word) in text for word in words)


def of_group(entry: Entry, group: str) -> bool:
    """Whether an equation is in a folder, given by its path or by its name alone; `ode` has all in `ode/initial`."""
    return f"/{group.strip('/')}/" in f"/{entry.group}/"


def nearest(name: str, known: Sequence[Entry], count: int = 3) -> list[str]:
    """The names of equations that are near a word, by class or by file, the nearest first."""
    names = {folded(entry.file.stem): entry.name for entry in known}
    names |= {folded(entry.name): entry.name for entry in known}
    found = difflib.get_close_matches(folded(name), list(names), n=2 * count, cutoff=0.6)
    return list(dict.fromkeys(names[key] for key in found))[:count]


def named(name: str, known: Sequence[Entry]) -> Entry | None:
    """The equation of a name, by class or by file, whatever the capitals; None if there is none."""
    own = folded(name)
    by_class = (entry for entry in known if folded(entry.name) == own)
    by_file = (entry for entry in known if folded(entry.file.stem) == own)
    return next(by_class, None) or next(by_file, None)


def folded(text: str) -> str:
    """A text without capitals, accents, hyphens and underscores.

    Example:
        >>> folded("Schrödinger"), folded("Navier–Stokes"), folded("[0, 1]¹⁰")
        ('schrodinger', 'navierstokes', '[0, 1]10')
    """
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in apart if not unicodedata.combining(c) and unicodedata.category(c) not in ("Pd", "Pc"))
