"""The names of an equation: each names one thing, in residuals, records, files and options."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Iterable, Sequence

from torch import nn

from pinnlab.errors import UserError

_RESERVED = "residual"
"""The name of the residual beside inputs and outputs in a record."""


def check_variables(owner: str, inputs: Sequence[str], outputs: Sequence[str], unknowns: Iterable[str]) -> None:
    """Refuses names of inputs, outputs or unknowns that cannot be used.

    Args:
        owner: The equation, for messages.
        inputs: The names of its inputs.
        outputs: The names of its outputs.
        unknowns: The names of its unknowns.

    Raises:
        UserError: if a name is no name in Python, stands for two things, or is taken.
    """
    names = [*inputs, *outputs, *unknowns]
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise UserError(f"{owner}: {name!r} cannot be the name of an argument in Python; choose another name")
        plain = unicodedata.normalize("NFKC", name)
        if plain != name:
            raise UserError(f"{owner}: Python reads the name {name!r} as {plain!r} in code; write it so everywhere")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{owner} uses the name {twice[0]!r} for more than one input, output or unknown")
    for name in (*inputs, *outputs):
        if name == _RESERVED:
            raise UserError(f"{owner}: records call the residual {name!r}; choose another name for the variable")
    for name in inputs:
        if name.startswith("normal_") and name.removeprefix("normal_") in inputs:
            raise UserError(f"{owner}: {name!r} is the outward normal on boundaries; choose another name for the input")


def check_attributes(owner: str, kind: type, unknowns: Iterable[str]) -> None:
    """Refuses an unknown with the name of another attribute of its equation's class.

    Raises:
        UserError: if there is one.
    """
    for name in unknowns:
        if hasattr(kind, name) or name in vars(nn.Module()):
            raise UserError(
                f"{owner}: an unknown cannot be called {name!r}, which is another attribute of every {kind.__name__}; "
                "choose another name"
            )


def check_own(owner: str, taken: Iterable[str], names: Iterable[str]) -> None:
    """Refuses a place or operator of a constraint whose name is no argument, or names something else.

    Raises:
        UserError: if there is one.
    """
    known = list(taken)
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise UserError(f"{owner}: {name!r} cannot be the name of an argument in Python; choose another name")
        if name in known:
            raise UserError(f"{owner}: the name {name!r} stands for something else already; choose another one")
        known.append(name)


def check_constraints(owner: str, names: Iterable[object]) -> None:
    """Refuses a name of a constraint that cannot be a part of the names of columns, metrics and options.

    Raises:
        UserError: if there is one.
    """
    known = list(names)
    for name in known:
        if not isinstance(name, str) or not name or not name.isprintable() or set(name) & set(" ./\\"):
            raise UserError(
                f"{owner}: a constraint cannot be called {name!r}, for its name is a part of columns, metrics and "
                "options: use no blanks, dots or slashes, as in left_wall"
            )
        if name.endswith("_precise") and name.removesuffix("_precise") in known:
            raise UserError(
                f"{owner}: residual_{name} is a metric of the constraint {name.removesuffix('_precise')!r} already; "
                f"choose another name for the constraint {name!r}"
            )
