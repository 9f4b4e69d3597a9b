"""What a command line gives: its options in order, the files that they name, and the keys of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from pinnlab.commands.options.configuration import Content, dump, load_value, merge, read_chain
from pinnlab.commands.options.overrides import Override, split
from pinnlab.commands.options.shipped import located
from pinnlab.errors import UserError
from pinnlab.renamed import with_new_names


@dataclass(frozen=True)
class Written:
    """One option of the command line.

    Attributes:
        arguments: What the parser is given for it.
        content: What it says as a configuration; empty where it holds no mapping or list.
        name: The option's name without dashes; empty for a file.
        text: Its value as it was written; empty for a file.
        file: The file that the command line names, if it is one.
    """

    arguments: list[str]
    content: Content
    name: str = ""
    text: str = ""
    file: Path | None = None

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Iterator[Written]:
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
                file = located(Path(path))
                *bases, own = read_chain(file)
                yield from map(cls.holding, bases)
                yield cls.holding(own, file)
            elif not name.startswith("--") or name == "--help" or name.startswith("--print_config"):
                yield cls([argument], {})
            else:
                words = [argument] if equals else [argument, *islice(rest, 1)]
                text = value if equals else (words[1] if len(words) > 1 else "")
                yield cls._option(name.removeprefix("--"), words, text)

    @classmethod
    def holding(cls, content: Content, file: Path | None = None) -> Written:
        """A configuration, and the file that holds it."""
        return cls(["--config", dump(content)], content, file=file)

    @classmethod
    def _option(cls, name: str, words: list[str], text: str) -> Written:
        try:
            value = load_value(text) if text[:1] in "[{" else None
        except yaml.YAMLError:
            value = None
        if not isinstance(value, dict | list):
            key = name.rpartition(".")[2]
            today = with_new_names({key: text})[key]
            return cls(words if today == text else [f"--{name}", today], {}, name, text)
        content: Any = value
        for key in reversed(name.split(".")):
            content = {key: content}
        renewed = with_new_names(content)
        # the parser takes what a list refers to as relative to the list where it comes as an option
        arguments = ["--config", dump(renewed)] if "${" in text or renewed != content else words
        return cls(arguments, renewed, name, text)

    def values(self) -> dict[str, Any]:
        """The values that it gives, by keys with dots; lists are values as a whole."""
        if self.content:
            return dict(_flat(self.content, ""))
        if not self.name:
            return {}
        try:
            return {self.name: load_value(self.text)}
        except yaml.YAMLError:
            return {self.name: self.text}

    def without(self, keys: Sequence[str]) -> Written | None:
        """The same but for some keys, or None if nothing is left."""
        if self.content:
            content = _without(self.content, "", keys)
            return self if content == self.content else Written.holding(content, self.file) if content else None
        return None if self.name in keys else self


@dataclass(frozen=True)
class Given:
    """All that a command line gives.

    Attributes:
        options: The options in order, files among them.
        overrides: Those that change entries of lists.
    """

    options: list[Written]
    overrides: list[Override] = field(default_factory=list)

    @classmethod
    def read(cls, arguments: Sequence[str]) -> Given:
        """Reads the arguments behind a command, and the files that they name, once.

        Raises:
            UserError: if a file cannot be read, or an entry of a list gets no value.
        """
        # --help is the short one, which no parser sees
        plain, overrides = split(["--help" if argument == "--help-all" else argument for argument in arguments])
        return cls(list(Written.of(plain)), overrides)

    @property
    def content(self) -> Content:
        """What they say as one configuration, without the options of a single value."""
        content: Content = {}
        for option in self.options:
            content = merge(content, option.content)
        return content

    def values(self) -> dict[str, Any]:
        """The values that are given, by keys with dots; later ones replace earlier ones."""
        found: dict[str, Any] = {}
        for option in self.options:
            found |= option.values()
        return found | {
            f"{change.list}.{change.index}.{change.key}".rstrip("."): change.value for change in self.overrides
        }

    def without(self, *keys: str) -> Given:
        """The same but for some keys with dots."""
        return Given([left for option in self.options if (left := option.without(keys)) is not None], self.overrides)


def _flat(content: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        key = f"{above}.{name}" if above else name
        if isinstance(value, Mapping) and value:
            yield from _flat(value, key)
        else:
            yield key, value


def _without(content: Mapping[str, Any], above: str, keys: Sequence[str]) -> Content:
    left: Content = {}
    for name, value in content.items():
        key = f"{above}.{name}" if above else name
        if key in keys:
            continue
        if isinstance(value, Mapping) and value:
            if rest := _without(value, key, keys):
                left[name] = rest
        else:
            left[name] = value
    return left
