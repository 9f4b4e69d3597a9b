"""Parsing with errors of one line that say what to write instead."""

from __future__ import annotations

import difflib
import inspect
import json
import re
from argparse import ArgumentError
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from jsonargparse import Namespace
from lightning.pytorch import Callback
from lightning.pytorch.cli import LightningArgumentParser
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from pinnlab import collocation, engines, equations, networks, residuals, training
from pinnlab.errors import UserError
from pinnlab.training import adaptation
from pinnlab.training.phases import Phase

_SHIPPED: dict[str, tuple[ModuleType, type]] = {
    "model.equation": (equations, equations.Equation),
    "model.network": (networks, nn.Module),
    "model.engine": (engines, engines.Engine),
    "model.phases": (training, Phase),
    "model.sobolev": (residuals, residuals.Sobolev),
    "data.sampler": (collocation, collocation.Sampler),
    "trainer.callbacks": (adaptation, Callback),
}
"""The classes that a key accepts by short names: a module and a base. Importing them makes them known to the parser."""

_INDEXED = re.compile(r"--(?P<list>[\w.]+?)\.(?P<index>\d+)\.(?P<key>[\w.]+?)(?:=(?P<value>.*))?$", re.DOTALL)


def parse(parser: LightningArgumentParser, command_parser: LightningArgumentParser, arguments: list[str]) -> Namespace:
    """Parse the arguments of a command, the command first.

    Beside what the parser knows, `--model.phases.0.lr 2e-3` sets an entry of a list's element.

    Raises:
        UserError: if something is wrong with them; one line.
    """
    plain, indexed = _split(_with_bases(arguments))
    try:
        config = parser.parse_args(plain)
        if indexed:
            config = parser.parse_args([*plain, *_whole_lists(command_parser, config[arguments[0]], indexed)])
        return config
    except ArgumentError as error:
        raise UserError(explain(str(error), command_parser)) from None
    except OmegaConfBaseException as error:
        key = str(error.full_key or "").removeprefix(f"{arguments[0]}.")
        text = str(error).splitlines()[0]
        if found := re.search(rf"resolved to '{arguments[0]}\.([^']+)'", text):
            text = f"refers to ${{{found[1]}}}, which does not exist"
        raise UserError(f"{key}: {text}") from None


def explain(message: str, parser: LightningArgumentParser) -> str:
    """What a parser's message means, in one line."""
    text = " ".join(message.split())
    keys = re.findall(r'Parser key "([^"]+)"', text)
    key = ".".join(keys)
    if found := re.search(r"unrecognized arguments: --(\S+)", text):
        name = found[1].split("=")[0]
        return f"there is no option {name!r}{_nearest(f'{keys[0]}.{name}' if keys else name, _options(parser))}"
    if found := re.search(r"does not accept option '([^']+)'", text):
        return f"there is no key {found[1]!r}{_nearest(found[1], _options(parser))}"
    if (option := re.search(r"Option '([^']+)' is not accepted", text)) and (
        path := re.search(r"class_path[ =]'([^']+)'", text)
    ):
        known = list(inspect.signature(_load(path[1])).parameters)
        return (
            f"{key}: {path[1].rpartition('.')[2]} has no option {option[1]!r}{_nearest(option[1], known)}; "
            f"it has {', '.join(known)}"
        )
    if found := re.search(r"arguments are required: (.+)", text):
        names = ", ".join(name.partition(".")[2] for name in found[1].split(", "))
        return f"missing {names}: give a --config file that holds them"
    if found := re.search(r"Problems parsing config: (.+)", text):
        return f"not valid YAML: {found[1]}"
    if found := re.search(r"(No module named '[^']+'|module '[^']+' has no attribute '[^']+')", text):
        return f"{key}: {found[1]}"
    if (found := re.search(r"Expected a dot import path string: (\S+)", text)) and keys:
        known = shipped(keys[0])
        return (
            f"{key}: there is no class {found[1]!r}{_nearest(found[1], known)}; there are {', '.join(known)}, "
            "or give one of your own as file.Class"
        )
    if found := re.search(r"Expected (?:an? )?(.+?)\. Got value: (\S+)", text):
        return f"{key}: expected {_type(found[1])}, got {found[2].rstrip('.')}"
    return re.sub(r'Parser key "([^"]+)":', r"\1:", text)


def shipped(key: str) -> list[str]:
    """The short names of the classes that a key accepts."""
    entry = next((entry for prefix, entry in _SHIPPED.items() if key.startswith(prefix)), None)
    if entry is None:
        return []
    module, base = entry
    return sorted(
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, base) and value is not base and not inspect.isabstract(value)
    )


def _with_bases(arguments: list[str]) -> list[str]:
    """The arguments with every configuration file preceded by the file that its key `base` names, if any."""
    expanded: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name not in ("--config", "-c"):
            expanded.append(argument)
            continue
        for source in _chain(Path(value if equals else next(rest, ""))):
            expanded += ["--config", source]
    return expanded


def _chain(path: Path, above: tuple[Path, ...] = ()) -> list[str]:
    """A configuration file and its bases, the first base first: paths, or contents where `base` is taken out."""
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return [str(path)]  # the parser says what is wrong with it
    if not isinstance(content, dict) or "base" not in content:
        return [str(path)]
    base = path.parent / str(content.pop("base"))
    if path.resolve() in above:
        raise UserError(f"{path}: the base of this configuration is, in the end, itself")
    if not base.is_file():
        raise UserError(f"{path}: there is no base configuration {base}")
    return [*_chain(base, (*above, path.resolve())), json.dumps(content)]


def _split(arguments: list[str]) -> tuple[list[str], list[tuple[str, int, str, str]]]:
    """Separate the arguments that set entries of list elements: (list, index, key, value)."""
    plain: list[str] = []
    indexed = []
    rest = iter(arguments)
    for argument in rest:
        match = _INDEXED.match(argument)
        if match is None:
            plain.append(argument)
            continue
        value = match["value"] if match["value"] is not None else next(rest, "")
        indexed.append((match["list"], int(match["index"]), match["key"], value))
    return plain, indexed


def _whole_lists(
    parser: LightningArgumentParser, config: Namespace, indexed: list[tuple[str, int, str, str]]
) -> list[str]:
    """The lists with their changed entries, as arguments."""
    whole = yaml.safe_load(parser.dump(config))
    changed: dict[str, list[Any]] = {}
    for name, index, key, value in indexed:
        node: Any = whole
        for part in name.split("."):
            node = node.get(part) if isinstance(node, dict) else None
        if not isinstance(node, list):
            raise UserError(f"there is no list {name!r} to change an entry of")
        if index >= len(node):
            raise UserError(f"{name} has {len(node)} entries, numbered from 0; there is no {index}")
        entry = node[index]
        *path, last = key.split(".")
        if "class_path" in entry and key != "class_path" and not key.startswith("init_args."):
            entry = entry.setdefault("init_args", {})
        for part in path:
            entry = entry.setdefault(part, {})
        entry[last] = yaml.safe_load(value)
        changed[name] = node
    return [f"--{name}={json.dumps(node)}" for name, node in changed.items()]


def _options(parser: LightningArgumentParser) -> list[str]:
    return [action.dest for action in parser._actions if not action.dest.endswith(".help")]


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    while name:
        if matches := difflib.get_close_matches(name, known, n=1):
            return f" (did you mean {matches[0]!r}?)"
        # model.enginee.class_path: try again without what comes after the wrong part
        name = name.rpartition(".")[0]
    return ""


def _load(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _type(text: str) -> str:
    return re.sub(r"<class '([^']+)'>", r"\1", text).replace("typing.", "")
