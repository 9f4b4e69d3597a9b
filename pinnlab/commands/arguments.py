"""Arguments of the commands that do not train."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NoReturn

from pinnlab.errors import UserError


class Arguments(argparse.ArgumentParser):
    """A parser for one command whose errors are one line."""

    def __init__(self, command: str, description: str, epilog: str | None = None) -> None:
        super().__init__(
            prog=f"python -m pinnlab {command}",
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Fail with one line.

        Raises:
            UserError: always.
        """
        raise UserError(f"{message}; see {self.prog} --help")


def writable(path: Path) -> None:
    """Makes sure that a file can be written, before the work whose result it is to hold.

    Raises:
        UserError: if its folder does not exist or cannot be written, or it is a folder itself.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder: give the name of a file")
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent} to write {path.name} to")
    try:
        # asks the file system itself: permissions say nothing of one that is mounted read-only
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UserError(f"cannot write to the folder {path.parent}: {error.strerror}") from None
