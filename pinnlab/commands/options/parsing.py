"""Parsing with errors of one line that say what to write instead."""

from __future__ import annotations

import re
from argparse import ArgumentError
from collections.abc import Sequence

import yaml
from jsonargparse import ArgumentParser, Namespace
from omegaconf.errors import OmegaConfBaseException

from pinnlab.commands.options.building import describe
from pinnlab.commands.options.configuration import Content, dump, merge
from pinnlab.commands.options.explanations import explain
from pinnlab.commands.options.given import Given
from pinnlab.commands.options.overrides import changed
from pinnlab.errors import UserError


def parse(
    parser: ArgumentParser, given: Given, first: Content, sections: Sequence[str], within: ArgumentParser | None = None,
    command: str = "",
) -> Namespace:  # fmt: skip
    """Parse what a command line gives.

    Beside what the parser knows, `--model.phases.0.lr 2e-3` sets an entry of a list's element.

    Args:
        parser: The parser.
        given: What is given.
        first: A configuration that comes before it: defaults.
        sections: Keys that hold keys with values.
        within: The parser of the command, where the parser has one for it.
        command: Its name, then.

    Raises:
        UserError: if something is wrong with them; one line.
    """
    content = given.content
    for name in sections:
        if name in content and not isinstance(content[name], dict):
            raise UserError(f"{name}: expected keys and their values, got {content[name]!r:.60}")
    content = merge(first, content)
    named = [command] if command else []
    words = ["--config", dump(first)] if first else []
    words += [word for part in given.options for word in part.arguments]
    own = within or parser

    def parsed(arguments: Sequence[str]) -> Namespace:
        # printing comes last, for a parser may print what it has when it is told to
        return _parsed(parser, own, [*named, *sorted(arguments, key=_prints)], command)

    def resolved() -> Content:
        """Everything with its defaults; it is not asked for where it would be printed in the place of the result."""
        whole = parsed([word for word in words if not _prints(word)])
        content: Content = yaml.safe_load(own.dump(whole[command] if command else whole))
        return content

    if not given.overrides:
        return parsed(words)
    return parsed([*words, "--config", dump(changed(content, given.overrides, resolved))])


def _prints(word: str) -> bool:
    return word.startswith("--print_config")


def _parsed(parser: ArgumentParser, own: ArgumentParser, arguments: list[str], command: str) -> Namespace:
    try:
        parsed: Namespace = parser.parse_args(arguments)
        return parsed
    except (UserError, BrokenPipeError):
        raise
    except ArgumentError as error:
        raise UserError(explain(str(error), own)) from None
    except OmegaConfBaseException as error:
        prefix = f"{command}." if command else ""
        key = str(error.full_key or "").removeprefix(prefix)
        text = str(error).splitlines()[0]
        if found := re.search(rf"resolved to '{re.escape(prefix)}([^']+)'", text):
            text = f"refers to ${{{found[1]}}}, which does not exist"
        raise UserError(f"{key}: {text}") from None
    except Exception as error:
        # a module of the user's fails as it is imported
        raise UserError(describe(error)) from error
