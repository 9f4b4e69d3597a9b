"""Entries of lists on the command line: `--model.phases.0.lr 2e-3` changes a value of the first phase."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from pinnlab.commands.options.configuration import Content, load_value, merge
from pinnlab.errors import UserError
from pinnlab.renamed import renamed_option, with_new_names

_INDEXED = re.compile(r"--(?P<list>[A-Za-z_][\w.]*?)\.(?P<index>\d+)(?:\.(?P<key>[\w.]+?))?(?:=(?P<value>.*))?$", re.S)


@dataclass(frozen=True)
class Override:
    """A value for an entry of a list.

    Attributes:
        list: The list, by keys with dots between them.
        index: The entry, from 0.
        key: What of the entry to change, by keys with dots between them; empty for the entry itself.
        value: The value.
    """

    list: str
    index: int
    key: str
    value: Any


def split(arguments: Sequence[str]) -> tuple[list[str], list[Override]]:
    """Separates the arguments that change entries of lists from the others.

    Raises:
        UserError: if one of them has no value, or one that is no YAML.
    """
    plain: list[str] = []
    overrides: list[Override] = []
    rest = iter(arguments)
    for argument in rest:
        match = _INDEXED.match(argument)
        if match is None:
            plain.append(argument)
            continue
        text = match["value"] if match["value"] is not None else next(rest, None)
        if text is None:
            raise UserError(f"{argument} needs a value")
        try:
            value = load_value(text)
        except yaml.YAMLError:
            raise UserError(f"{argument}: {text!r} is no value; put it in quotes") from None
        overrides.append(Override(match["list"], int(match["index"]), match["key"] or "", value))
    return plain, overrides


def changed(content: Content, overrides: Sequence[Override], resolved: Callable[[], Content]) -> Content:
    """The lists with their changed entries, as a configuration to put after the others.

    Lists are taken as they were written, so that what refers to a changed value follows it.

    Args:
        content: What the configurations say, all of them merged.
        overrides: The changes.
        resolved: What becomes of them with all defaults filled in: asked for what nothing but a default gives.

    Raises:
        UserError: if there is no such list or entry.
    """
    content = copy.deepcopy(content)
    result: Content = {}
    for override in overrides:
        path = _find(content, override.list)
        if path is None:
            default = resolved()
            path = _find(default, override.list)
            if path is None:
                raise UserError(f"there is no list {override.list!r} to change an entry of")
            content = merge(content, _nested(path, _get(default, path)))
        entries = _get(content, path)
        if override.index >= len(entries):
            raise UserError(
                f"{override.list} has {len(entries)} entries, numbered from 0; there is no {override.index}"
            )
        if override.key:
            _set(entries, override, lambda path=path: _get(resolved(), path))  # type: ignore[misc]
        else:
            entries[override.index] = with_new_names(override.value)
        result = merge(result, _nested(path, entries))
    return result


def _find(content: Content, name: str) -> list[str] | None:
    """The keys that lead to a list, `init_args` among them where the name leaves them out."""
    node: Any = content
    path: list[str] = []
    for key in name.split("."):
        for keys in ([key], ["init_args", key]):
            found = _get(node, keys)
            if found is not None:
                node, path = found, [*path, *keys]
                break
        else:
            return None
    return path if isinstance(node, list) else None


def _get(node: Any, path: Sequence[str]) -> Any:
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _nested(path: Sequence[str], value: Any) -> Content:
    for key in reversed(path):
        value = {key: value}
    content: Content = value
    return content


def _set(entries: list[Any], override: Override, default: Callable[[], Any]) -> None:
    """Changes a value of an entry; an option that is given by its default keeps the default's other values."""
    index = override.index
    if isinstance(entries[index], str):
        # a class by its name alone
        entries[index] = {"class_path": entries[index]}
    node, trail = entries[index], list[str]()
    *above, last = override.key.split(".")
    for key in above:
        node, key = _options(node, trail, key, override)
        trail.append(key)
        if not isinstance(node.get(key), dict):
            # nothing but a default is there, if anything
            whole = default() if key != "init_args" else None
            known = _get(whole[index], trail) if isinstance(whole, list) and index < len(whole) else None
            node[key] = copy.deepcopy(known) if isinstance(known, dict) else {}
        node = node[key]
    node, last = _options(node, trail, last, override)
    node |= with_new_names({last: override.value})


def _options(node: Any, trail: list[str], key: str, override: Override) -> tuple[Content, str]:
    """Where a key is, and its name today: among the options of a class, if the node is one; the trail has that step."""
    if not isinstance(node, dict):
        raise UserError(f"{override.list}.{override.index} has no {override.key!r} to change")
    if "class_path" not in node or key in ("class_path", "init_args"):
        return node, key
    trail.append("init_args")
    if not isinstance(node.get("init_args"), dict):
        node["init_args"] = {}
    options: Content = node["init_args"]
    return options, renamed_option(str(node["class_path"]), key)
