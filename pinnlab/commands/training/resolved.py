"""The resolved configuration of a run, as its record has it."""

from __future__ import annotations

import re

from jsonargparse import ArgumentParser, Namespace

from pinnlab.errors import UserError


def resolved(parser: ArgumentParser, config: Namespace) -> str:
    """A configuration with all its values, as YAML.

    Args:
        parser: What read it.
        config: The configuration.

    Raises:
        UserError: if there is something in it that cannot be written.
    """
    try:
        text: str = parser.dump(config, skip_unset=False)
    except ValueError as error:
        found = re.search(r"class_path='[\w.]*?(\w+)'", str(error))
        raise UserError(
            f"{found[1] if found else 'a value'} cannot be written into the run's configuration: leave it out "
            "(trainer.max_time limits the time)"
        ) from error
    return text
