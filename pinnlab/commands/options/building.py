"""Errors of the classes that a configuration names, in one line with the place in the user's file."""

from __future__ import annotations

import re
import site
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pinnlab
from pinnlab.errors import DivergedError, UserError

_LIBRARIES = tuple({*site.getsitepackages(), sysconfig.get_paths()["stdlib"], str(Path(pinnlab.__file__).parent)})
"""Folders whose files are not the user's."""


@contextmanager
def one_line() -> Iterator[None]:
    """Turns an error in building or trying a user's classes into one line, which says where it happened.

    Raises:
        UserError: for every error, those of the package's own as they are.
    """
    try:
        yield
    except (UserError, DivergedError, BrokenPipeError):
        raise
    except Exception as error:
        raise UserError(describe(error)) from error


@contextmanager
def users_mistakes() -> Iterator[None]:
    """Turns an error in a user's own code into one line, as `one_line`; an error of the package's own stays as it is.

    Raises:
        UserError: for an error that was raised in, or on the way through, a file of the user's.
    """
    try:
        yield
    except (UserError, DivergedError, BrokenPipeError):
        raise
    except Exception as error:
        if not _frames(error):
            raise
        raise UserError(describe(error)) from error


def describe(error: BaseException) -> str:
    """An error in one line: what the configuration asks for, its kind and text, and the last place in a user's file."""
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        return f"{_short(error.filename)}, line {error.lineno}: {kind}: {error.msg}"
    text = " ".join(str(error).split())
    # the parser's own, when it builds what an option may be in several ways
    if found := re.search(r"Problem with given class_path '[\w.]*?(\w+)': (.+?)( - Expected a |$)", text):
        return f"{found[1]}: {found[2][:300]}"
    if found := re.search(r"Errors: - ((?!Expected ).+?)( - Expected a | Given value)", text):
        return found[1][:300]
    text = text[:300]
    said = f"{kind}: {text}" if text else kind
    frames = _frames(error)
    if not frames:
        return f"the configuration cannot be built: {said}"
    frame = frames[-1]
    return f"{_short(frame.filename)}, line {frame.lineno}, in {frame.name}: {said}"


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Where an error passed through files of the user's."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_library(frame.filename)]


def _is_library(file: str) -> bool:
    return file.startswith("<frozen") or file.startswith(_LIBRARIES)


def _short(file: str | None) -> str:
    path = Path(file or "?")
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
