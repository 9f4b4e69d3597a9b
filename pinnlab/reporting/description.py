"""Objects as plain data and back: class paths with arguments, as configurations have them."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np

from pinnlab.construction import Constructed
from pinnlab.errors import UserError
from pinnlab.renamed import renamed, with_new_names, with_new_options

importing: ContextVar[str | None] = ContextVar("importing", default=None)
"""The module that is being imported for a class of a record; nothing may be solved meanwhile."""


class IndescribableError(Exception):
    """An object cannot be described by plain data; the message says why."""


def describe(value: Any) -> Any:
    """A value as data that YAML and configurations have: see `build` for the way back.

    - Numbers, texts, lists and dictionaries are themselves; tuples become lists.
    - An object that remembers its arguments, or a dataclass, is {class_path, init_args}; so is a class, or a partial of
      one, that needs more arguments (a network, which waits for its numbers of inputs and outputs).
    - Other functions and classes are {import, with}: what `functools.partial` holds.

    Raises:
        IndescribableError: if it is, or holds, anything else.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float) or type(value) is str:
        return value
    if type(value) in (list, tuple):
        return [describe(item) for item in value]
    if isinstance(value, Mapping) and all(type(key) in (str, int, float, bool) for key in value):
        return {key: describe(item) for key, item in value.items()}
    if isinstance(value, functools.partial):
        return _callable(value.func, value.args, value.keywords)
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return _callable(value, (), {})
    if isinstance(value, Constructed):
        return _entry(type(value), *value.made_with)
    if dataclasses.is_dataclass(value):
        fields = [field.name for field in dataclasses.fields(value) if field.init]
        return _entry(type(value), (), {name: getattr(value, name) for name in fields})
    raise IndescribableError(f"a {type(value).__name__} is no plain data")


def build(description: Any) -> Any:
    """The value of which `describe` made the description.

    Raises:
        UserError: if a class cannot be imported, does not take its arguments, or is none that `describe` describes:
            a record makes nothing else.
    """
    if isinstance(description, list):
        return [build(item) for item in description]
    if not isinstance(description, dict):
        return description
    if "class_path" in description:
        description = with_new_names(description)
        kind, named = find(description["class_path"]), build(description.get("init_args") or {})
        if _waits(kind, (), named):
            return functools.partial(kind, **named)
        if not (isinstance(kind, type) and (issubclass(kind, Constructed) or dataclasses.is_dataclass(kind))):
            raise UserError(f"{description['class_path']} is nothing that a run's record makes again")
        try:
            return kind(**with_new_options(kind, named))
        except TypeError as error:
            raise UserError(f"{description['class_path']} cannot be made again: {error}") from error
    if "import" in description:
        function, named = find(description["import"]), build(description.get("with") or {})
        return functools.partial(function, **named) if named else function
    return {key: build(item) for key, item in description.items()}


def find(path: str) -> Any:
    """The object that a path with dots names, imported where needed.

    Raises:
        UserError: if there is no such thing, or importing it fails.
    """
    path = renamed(path)
    parts = path.split(".")
    for count in range(len(parts) - 1, 0, -1):
        module = _module(".".join(parts[:count]), path)
        if module is not None:
            try:
                return functools.reduce(getattr, parts[count:], module)
            except AttributeError:
                raise UserError(f"the module {module.__name__} has no {'.'.join(parts[count:])} now") from None
    raise UserError(
        f"there is no module {parts[0]!r} here, of which the run has {path}: go to the folder of {parts[0]}.py, or "
        "give what was made of it, as pinnlab.load(folder, equation=…, network=…)"
    )


def module_name(name: str) -> str | None:
    """The name by which another process can import a module, None if it cannot: a notebook, a session.

    A script is known to itself as `__main__`, to the processes that it starts as `__mp_main__`, and to others by its
    file.
    """
    if name not in ("__main__", "__mp_main__"):
        return name
    module = sys.modules[name]
    spec = getattr(module, "__spec__", None)
    if spec is not None and spec.name not in ("__main__", "__mp_main__"):
        return str(spec.name)
    file = getattr(module, "__file__", None)
    return None if file is None else Path(file).stem


@contextmanager
def _only_imports(name: str) -> Iterator[None]:
    token = importing.set(name)
    try:
        yield
    finally:
        importing.reset(token)


def _module(name: str, path: str) -> types.ModuleType | None:
    """A module, that of the running script included; None if there is none of that name."""
    if name == module_name("__main__"):
        return sys.modules["__main__"]
    try:
        with _only_imports(name):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            return None
        raise UserError(f"{path} cannot be imported: {error}") from error
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error


def _callable(function: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(function, type) and _waits(function, arguments, named):
        return _entry(function, arguments, named)
    found = {"import": _path(function)}
    given = _arguments(function, arguments, named)
    return found | ({"with": given} if given else {})


def _entry(kind: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"class_path": _path(kind)}
    given = _arguments(kind, arguments, named)
    return found | ({"init_args": given} if given else {})


def _arguments(function: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(named)
    if arguments:
        parameters = [p for p in _signature(function).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        if len(arguments) > len(parameters):
            raise IndescribableError(f"the arguments of {_name(function)} have no names")
        given = {p.name: value for p, value in zip(parameters, arguments, strict=False)} | given
    return {name: describe(value) for name, value in given.items()}


def _waits(function: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> bool:
    """Whether a function needs more arguments than these."""
    parameters = list(_signature(function).parameters.values())[len(arguments) :]
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return any(name not in named for name in needed)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        if not isinstance(function, type):
            return inspect.signature(function)
        # not of the class, which may show what __new__ takes
        own = inspect.signature(function.__init__)  # type: ignore[misc]
        return own.replace(parameters=list(own.parameters.values())[1:])
    except ValueError:
        raise IndescribableError(f"the arguments of {_name(function)} are not known") from None


def _path(function: Callable[..., Any]) -> str:
    name, module = _name(function), module_name(getattr(function, "__module__", None) or "builtins")
    if module is None:
        raise IndescribableError(f"{name} is defined in a notebook or a session")
    if "<" in name:
        raise IndescribableError(f"{name} is defined within a function, or has no name")
    if getattr(sys.modules.get("torch"), getattr(function, "__name__", ""), None) is function:
        # torch's own functions do not know where they are from
        return f"torch.{function.__name__}"
    found: Any = sys.modules.get(function.__module__)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not function:
        raise IndescribableError(f"{name} is not what its module calls so")
    return f"{_offered(module, name, function)}.{name}"


def _offered(module: str, name: str, function: Callable[..., Any]) -> str:
    """The module or the outermost package around it that offers a name: files within a package may move."""
    parts = module.split(".")
    for count in range(1, len(parts)):
        package = sys.modules.get(".".join(parts[:count]))
        if package is not None and vars(package).get(name) is function:
            return package.__name__
    return module


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__qualname__", function))
