"""Messages of the parser of options, translated into one line that tells what to write instead."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from jsonargparse import ArgumentParser, Namespace
from lightning.pytorch import Callback
from torch import nn

from pinnlab import collocation, engines, equations, networks, problems, residuals, strategy, training
from pinnlab.commands.options.building import describe
from pinnlab.errors import UserError
from pinnlab.renamed import option_of
from pinnlab.residuals import balancing
from pinnlab.training import callbacks
from pinnlab.training.phases import Phase

_SHIPPED: dict[str, tuple[ModuleType, type]] = {
    "model.equation": (problems, equations.Equation),
    "model.network": (networks, nn.Module),
    "model.engine": (engines, engines.Engine),
    "model.phases": (training, Phase),
    "model.sobolev": (residuals, residuals.Sobolev),
    "model.balancing": (balancing, balancing.Balancing),
    "data.sampler": (collocation, collocation.Sampler),
    "trainer.callbacks": (callbacks, Callback),
    "recipe": (strategy, strategy.Recipe),
}
"""The classes that a key accepts by short names: a module and a base. Importing them makes them known to the parser."""

_NOISE = re.compile(
    r"(- )?Expected a path but .*? either not accessible or invalid( -)? "
    r"|Type collections\.abc\.Callable\[.*?\] expects a function or a callable class: "
    r"| Subclass types expect one of: .*"
)
_CLASS = "write a class as NAME, or {class_path: NAME, init_args: {OPTION: VALUE}}"

_UNTYPED = (
    "{} is given to an argument without a type: write it as network: Build, with Build from pinnlab.networks, in the "
    "class that takes it"
)


@dataclass(frozen=True)
class _Message:
    """A message of the parser.

    Attributes:
        text: The message without line breaks and without what says nothing.
        parser: The parser.
    """

    text: str
    parser: ArgumentParser

    @property
    def keys(self) -> list[str]:
        """The keys that it speaks of, each within the one before."""
        return re.findall(r'Parser key "([^"]+)"', self.text)

    @property
    def key(self) -> str:
        """Where it is in the configuration, with dots."""
        return ".".join(self.keys)

    @property
    def options(self) -> list[str]:
        """The options of the command."""
        return [action.dest for action in self.parser._actions if not action.dest.endswith(".help")]


_NETWORKS = networks.__all__


def explain(message: str, parser: ArgumentParser) -> str:
    """The meaning of a parser's message in one line."""
    said = _Message(_NOISE.sub("", " ".join(message.split())), parser)
    for pattern, meaning in _MEANINGS:
        if found := pattern.search(said.text):
            return meaning(said, found)
    return re.sub(r'Parser key "([^"]+)":', r"\1:", said.text)


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


def _unrecognised(said: _Message, found: re.Match[str]) -> str:
    name = found[1].split("=")[0]
    return f"there is no option {name!r}{_nearest('.'.join([*said.keys[:1], name]), said.options)}"


def _no_key(said: _Message, found: re.Match[str]) -> str:
    if said.key and not said.key.startswith("subcommand"):
        return f"{said.key}: there is no key {found[1]!r}; {_CLASS}"
    return f"there is no key {found[1]!r}{_nearest(found[1], said.options)}"


def _no_option(said: _Message, found: re.Match[str]) -> str:
    before = re.findall(r"given class_path '([^']+)'", said.text[: found.start()])
    after = re.search(r"class_path='([^']+)'", said.text[found.end() :])
    path = after[1] if after else (before or [""])[-1]
    name = path.rpartition(".")[2]
    if found[1] == "class_path":
        return f"{said.key}: the options of {name} are missing their key: {_CLASS}"
    try:
        kind = _load(path)
        parameters = inspect.signature(kind).parameters.values()
    except (ImportError, AttributeError, ValueError):
        return f"{said.key}: {name} has no option {found[1]!r}"
    if isinstance(kind, type) and (today := option_of(kind, found[1])) != found[1]:
        return f"{said.key}: {found[1]} of {name} is an old name: write {today}"
    known = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    has = f"it has {', '.join(known)}" if known else "it has none"
    return f"{said.key}: {name} has no option {found[1]!r}{_nearest(found[1], known)}; {has}"


def _missing(said: _Message, found: re.Match[str]) -> str:
    # the parser of all commands puts the command before the name
    own = [name if name in said.options else name.partition(".")[2] for name in found[1].split(", ")]
    names = [f"{said.key}.{name}" for name in found[1].split(", ")] if said.key else own
    advice = "give it a value" if said.key else "give a --config file with it, or --model.equation file.Class"
    return f"missing {', '.join(names)}: {advice}"


def _no_module(said: _Message, found: re.Match[str]) -> str:
    wanted, name = _given_class(said, found), found[1]
    if wanted.split(".")[0] == name.split(".")[0]:
        # the module itself, not one that it imports
        return (
            f"{said.key}: there is no module {name!r}: a class of your own is looked for from the current folder, "
            f"{Path.cwd()}, as file.Class: run from the folder of {name.split('.')[0]}.py"
        )
    return f"{said.key}: {failed_import(wanted) or found[0]}"


def _no_name(said: _Message, found: re.Match[str]) -> str:
    return f"{said.key}: {failed_import(_given_class(said, found)) or found[0]}"


def _no_group(said: _Message, found: re.Match[str]) -> str:
    return f"{said.keys[0] if said.keys else ''}: expected keys with values, got {_short(found[1])}"


def _no_attribute(said: _Message, found: re.Match[str]) -> str:
    module, name = found[1], found[2]
    known = [key for key, value in vars(import_module(module)).items() if inspect.isclass(value)]
    return f"{said.key}: there is no {name!r} in {module}{_nearest(name, known)}"


def _no_class(said: _Message, found: re.Match[str]) -> str:
    name, known = found[1].rstrip("."), shipped(said.keys[0])
    if name in known:
        return f"{said.key}: {_UNTYPED.format(name)}"
    has = f"there are {', '.join(known)}, or give" if known else "give"
    return f"{said.key}: there is no class {name!r}{_nearest(name, known)}; {has} one of your own as file.Class"


def _no_subclass(said: _Message, found: re.Match[str]) -> str:
    return f"{said.key}: {found[1]} is no {found[2]}: give a class that inherits from {found[2]}"


def _abstract(said: _Message, found: re.Match[str]) -> str:
    path = found[1].rstrip(".")
    try:
        lacks = ", ".join(sorted(_load(path).__abstractmethods__))
    except (ImportError, AttributeError, ValueError):
        return f"{said.key}: {path} is abstract: choose a class that inherits from it"
    return f"{said.key}: {path} is abstract: it lacks {lacks}"


def _no_spec(said: _Message, found: re.Match[str]) -> str:
    value = re.search(r"[Gg]ot value: (.+)", said.text)
    got = f", got {_short(value[1])}" if value else ""
    return f"{said.key}: expected a class{got}: {_CLASS}"


def _no_type(said: _Message, found: re.Match[str]) -> str:
    return f"{said.key}: expected {_type(found[1])}, got {_short(found[2])}"


def _no_union(said: _Message, found: re.Match[str]) -> str:
    kinds = [_type(kind) for kind in re.split(r", (?![^\[]*\])", found[1])]
    return f"{said.key}: expected {' or '.join(kinds)}, got {_short(found[2])}"


def _no_yaml(said: _Message, found: re.Match[str]) -> str:
    return f"not valid YAML: {found[1]}"


_EXPECTED = r"Expected (?:an? )?((?:(?!Expected ).)+?)\. Got value: (.+?)(?:\. Got value: .*)?$"

_MEANINGS: list[tuple[re.Pattern[str], Callable[[_Message, re.Match[str]], str]]] = [
    (re.compile(r"unrecognized arguments: --(\S+)"), _unrecognised),
    (re.compile(r"does not accept option '([^']+)'"), _no_key),
    (re.compile(r"Option '([^']+)' is not accepted"), _no_option),
    (re.compile(r"arguments are required: ([\w., ]+?)(?: - |$)"), _missing),
    (re.compile(r"Problems parsing config: (.+)"), _no_yaml),
    (re.compile(r"No module named '([^']+)'"), _no_module),
    (re.compile(r"cannot import name '([^']+)'"), _no_name),
    (re.compile(r"Unable to load config ['\"](.+?)['\"]( -|$)"), _no_group),
    (re.compile(r"module '([^']+)' has no attribute '([^']+)'"), _no_attribute),
    (re.compile(r"Expected a dot import path string: (\S+)"), _no_class),
    (re.compile(r"Import path (\S+) does not correspond to a subclass of (\w+)"), _no_subclass),
    (re.compile(r"Expected an instantiatable class, but (\S+) is abstract"), _abstract),
    (re.compile(r"Not a valid subclass of|Expected an import path or a subclass spec|argument of type '\w+'"
                r"|unhashable type|object has no attribute 'keys'"), _no_spec),
    (re.compile(r"Union subtypes Subtypes: \[(.+?)\] Errors: .*? Given value: (.+)$"), _no_union),
    (re.compile(_EXPECTED), _no_type),
]  # fmt: skip
"""Patterns of the parser's messages and their meanings; the first pattern that fits is taken."""


def refuse_untyped(node: Any, key: str = "") -> None:
    """Refuses a class that is given to an argument without a type, which the parser hands on as it is written.

    Args:
        node: A parsed configuration, or a part of it.
        key: Where that is, with dots.

    Raises:
        UserError: naming the argument.
    """
    node = vars(node) if isinstance(node, Namespace) else node
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in items:
        refuse_untyped(value, key if name in ("init_args", "model") else f"{key}.{name}".lstrip("."))
    if not isinstance(node, dict) or not isinstance(node.get("class_path"), str) or not node.get("init_args"):
        return
    given = dict(vars(node["init_args"]) if isinstance(node["init_args"], Namespace) else node["init_args"])
    try:
        parameters = inspect.signature(_load(node["class_path"])).parameters
    except (ImportError, AttributeError, ValueError):
        return  # a class of another kind, about which nothing is known
    for name, parameter in parameters.items():
        value = given.get(name)
        spec = value.get("class_path") if isinstance(value, dict | Namespace) else value
        if parameter.annotation is parameter.empty and isinstance(spec, str) and spec.split(".")[-1] in _NETWORKS:
            raise UserError(f"{key}.{name}: {_UNTYPED.format(spec)}")


def failed_import(path: str) -> str | None:
    """Why the module of a class cannot be imported, with the line in it; None if it can be."""
    try:
        import_module(path.rpartition(".")[0])
    except Exception as error:
        return describe(error)
    return None


def _given_class(said: _Message, found: re.Match[str]) -> str:
    """The class path that was given, which the message names before or after what it says."""
    before = re.findall(r"given class_path '([^']+)'", said.text[: found.start()])
    after = re.search(r"(?:class_path=')?([\w.]+)'?\S*$", said.text[found.end() :])
    return before[-1] if before else (after[1] if after else "")


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
    plain = re.sub(r"<class '([^']+)'>", r"\1", text).replace("typing.", "")
    return "null" if plain == "NoneType" else plain


def _short(value: str) -> str:
    value = value.rstrip(".")
    return value if len(value) <= 60 else f"{value[:57]}…"
