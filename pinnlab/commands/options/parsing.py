"""Parsing with errors of one line that say what to write instead."""

from __future__ import annotations

import re
from argparse import ArgumentError
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from lightning.pytorch.cli import LightningArgumentParser
from omegaconf.errors import OmegaConfBaseException

from pinnlab.commands.options.building import describe
from pinnlab.commands.options.configuration import Content, defaults, dump, load_value, merge, read_chain
from pinnlab.commands.options.explanations import explain, refuse_untyped
from pinnlab.commands.options.overrides import changed, split
from pinnlab.errors import UserError
from pinnlab.renamed import with_new_names

_SECTIONS = ("model", "data", "trainer", "run", "wandb")


def parse(parser: LightningArgumentParser, command_parser: LightningArgumentParser, arguments: list[str]) -> Namespace:
    """Parse the arguments of a command, the command first.

    Beside what the parser knows, `--model.phases.0.lr 2e-3` sets an entry of a list's element.

    Raises:
        UserError: if something is wrong with them; one line.
    """
    command, *options = arguments
    plain, overrides = split(options)
    written = list(_Written.of(plain))
    content: Content = {}
    for part in written:
        content = merge(content, part.content)
    for name in _SECTIONS:
        if name in content and not isinstance(content[name], dict):
            raise UserError(f"{name}: expected keys and their values, got {content[name]!r:.60}")
    content = merge(first := defaults(content), content)
    given = ["--config", dump(first), *(word for part in written for word in part.arguments)]

    def parsed(*further: str) -> Namespace:
        return _parsed(parser, command_parser, [command, *given, *further])

    def resolved() -> Content:
        """Everything with its defaults; it is not asked for where it would be printed in the place of the result."""
        quiet = [word for word in given if not word.startswith("--print_config")]
        whole = _parsed(parser, command_parser, [command, *quiet])
        content: Content = yaml.safe_load(command_parser.dump(whole[command]))
        return content

    if not overrides:
        return parsed()
    return parsed("--config", dump(changed(content, overrides, resolved)))


@dataclass(frozen=True)
class _Written:
    """One option of the command line.

    Attributes:
        arguments: What the parser is given for it.
        content: What it says as a configuration; empty where it holds no mapping or list.
    """

    arguments: list[str]
    content: Content

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Iterator[_Written]:
        """The options in order; a file is one for each file that it builds on, and one more for itself.

        Raises:
            UserError: if a file cannot be read.
        """
        rest = iter(arguments)
        for argument in rest:
            name, equals, value = argument.partition("=")
            if name in ("--config", "-c"):
                path = value if equals else next(rest, "")
                if not path:
                    raise UserError("--config needs a file")
                for content in read_chain(Path(path)):
                    yield cls(["--config", dump(content)], content)
            elif not name.startswith("--") or name.startswith("--print_config"):
                yield cls([argument], {})
            else:
                words = [argument] if equals else [argument, *islice(rest, 1)]
                yield cls._option(name.removeprefix("--"), words, words[-1] if not equals else value)

    @classmethod
    def _option(cls, name: str, words: list[str], text: str) -> _Written:
        try:
            value = load_value(text) if text[:1] in "[{" else None
        except yaml.YAMLError:
            value = None
        if not isinstance(value, dict | list):
            key = name.rpartition(".")[2]
            today = with_new_names({key: text})[key]
            return cls(words if today == text else [f"--{name}", today], {})
        content: Any = value
        for key in reversed(name.split(".")):
            content = {key: content}
        renewed = with_new_names(content)
        # the parser takes what a list refers to as relative to the list where it comes as an option
        return cls(["--config", dump(renewed)] if "${" in text or renewed != content else words, renewed)


def _parsed(
    parser: LightningArgumentParser, command_parser: LightningArgumentParser, arguments: list[str]
) -> Namespace:
    try:
        parsed = parser.parse_args(arguments)
        refuse_untyped(parsed[arguments[0]].model.network, "model.network")
        return parsed
    except (UserError, BrokenPipeError):
        raise
    except ArgumentError as error:
        raise UserError(explain(str(error), command_parser)) from None
    except OmegaConfBaseException as error:
        key = str(error.full_key or "").removeprefix(f"{arguments[0]}.")
        text = str(error).splitlines()[0]
        if found := re.search(rf"resolved to '{arguments[0]}\.([^']+)'", text):
            text = f"refers to ${{{found[1]}}}, which does not exist"
        raise UserError(f"{key}: {text}") from None
    except Exception as error:
        # a module of the user's fails as it is imported
        raise UserError(describe(error)) from error
