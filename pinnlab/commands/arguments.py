"""Arguments of the commands that do not train."""

from __future__ import annotations

import argparse
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
