"""Configuration files: read, checked, and put in order with the files that they build on."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from pinnlab.errors import UserError
from pinnlab.renamed import with_new_names
from pinnlab.text import read_text

Content = dict[str, Any]
"""The content of a configuration file: nested keys and values, interpolations as they are written."""

_MODEL: Content = {
    "network": {"class_path": "MLP"},
    "engine": {"class_path": "NTP"},
    "phases": [
        {"class_path": "Adam", "init_args": {"steps": 2000}},
        {"class_path": "LBFGS", "init_args": {"steps": 200}},
    ],
}
"""The network, the engine and the phases that `pinnlab.solve` has by default."""


class _Loader(yaml.SafeLoader):
    """YAML as the parser of options reads it: 1e-3 is a number, a date is a text, and no key may be given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping.

        Raises:
            yaml.YAMLError: if it has a key twice.
        """
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} is given twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(("timestamp", "float"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    # YAML 1.1 asks for a point and for the sign of the exponent
    re.compile(r"[-+]?(\d[\d_]*\.[\d_]*([eE][-+]?\d+)?|\.\d[\d_]*([eE][-+]?\d+)?|\d[\d_]*[eE][-+]?\d+"
               r"|\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"),
    list("-+0123456789."),
)  # fmt: skip


class _Dumper(yaml.SafeDumper):
    """YAML with all texts quoted, so that no reader takes a text for a number."""


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def load_value(text: str) -> Any:
    """A value as it is written on the command line or in a file.

    Raises:
        yaml.YAMLError: if it is no YAML.
    """
    return yaml.load(text, _Loader)


def dump(content: Content) -> str:
    """A configuration as YAML text."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def defaults(content: Content) -> Content:
    """The defaults of `pinnlab.solve` for network, engine and phases, as far as a configuration leaves them out."""
    given = content.get("model")
    given = given if isinstance(given, dict) else {}
    return {"model": {key: value for key, value in _MODEL.items() if key not in given}}


def read_chain(path: Path, above: tuple[Path, ...] = ()) -> list[Content]:
    """A configuration file preceded by the file that its key `base` names, and so on: the first base first.

    Raises:
        UserError: if one of them cannot be read, is no YAML, or builds on itself.
    """
    content = _read(path)
    if "base" not in content:
        return [content]
    base = path.parent / str(content.pop("base"))
    if path.resolve() in above:
        raise UserError(f"{path}: the base of this configuration is, in the end, itself")
    if not base.is_file():
        raise UserError(f"{path}: there is no base configuration {base}")
    return [*read_chain(base, (*above, path.resolve())), content]


def merge(content: Content, further: Mapping[str, Any]) -> Content:
    """Two configurations merged: values of the second replace those of the first, lists as a whole."""
    merged = dict(content)
    for key, value in further.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged


def _read(path: Path) -> Content:
    text = read_text(path)
    try:
        content = load_value(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f", line {mark.line + 1}"
        hint = "; indent with blanks" if "'\\t'" in str(error.problem) else ""
        raise UserError(f"{path}{place}: not valid YAML: {error.problem or error.context}{hint}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {error}") from None
    except (ValueError, RecursionError) as error:
        # PyYAML's own constructors raise it, for a number such as 0x
        raise UserError(f"{path}: not valid YAML: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        kind = "a list" if isinstance(content, list) else f"{content!r:.40}"
        raise UserError(f"{path}: a configuration has keys with values, such as 'model:', and this file holds {kind}")
    return with_new_names(content)
