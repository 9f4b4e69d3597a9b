"""The source files and the data that a run's equation and network come from: kept, and compared later."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn

from pinnlab.data import Measurements
from pinnlab.equations import Equation
from pinnlab.networks import Enriched
from pinnlab.reporting.description import module_name
from pinnlab.reporting.folder import RunFolder

_INSTALLED = ("pinnlab", "torch", "builtins", "abc", "typing")
"""Packages whose versions the record has, and Python's own."""


def sources(*modules: nn.Module) -> dict[str, bytes]:
    """The source files of the classes of modules and of all parts and functions in them, as file name ↦ content.

    A class or function that has no file, as in a notebook, is left out.
    """
    names = {name for module in modules for name in _defined_in(module) if name.split(".")[0] not in _INSTALLED}
    found = {}
    for name in sorted(names):
        file, known = getattr(sys.modules.get(name), "__file__", None), module_name(name)
        if file is not None and known is not None and Path(file).is_file():
            found[f"{known}.py"] = Path(file).read_bytes()
    return found


def _defined_in(module: nn.Module) -> Iterator[str]:
    """The names of the Python modules that define the classes in a module, and the functions of an `Enriched`."""
    for part in module.modules():
        functions = part.functions if isinstance(part, Enriched) else []
        for value in (part, *functions):
            yield from _modules_of(value)


def _modules_of(value: Any) -> Iterator[str]:
    if isinstance(value, functools.partial):
        yield from _modules_of(value.func)
    elif inspect.isroutine(value):
        yield value.__module__ or "builtins"
    else:
        yield from (base.__module__ for base in type(value).__mro__)


def keep(folder: RunFolder, *modules: nn.Module) -> dict[str, str]:
    """Write the sources into a run folder.

    Returns:
        File name ↦ SHA-256 of its content.
    """
    found = sources(*modules)
    if found:
        folder.source.mkdir(exist_ok=True)
    for name, content in found.items():
        (folder.source / name).write_bytes(content)
    return hashes(found)


def data(equation: Equation) -> dict[str, str]:
    """The files of an equation's measurements, as file name ↦ SHA-256 of what was read."""
    regions = (part for constraint in equation.constraints().values() for part in constraint.region.solids())
    return {str(region.path): region.checksum for region in regions if isinstance(region, Measurements)}


def hashes(contents: dict[str, bytes]) -> dict[str, str]:
    """The SHA-256 of every content."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def compare(folder: RunFolder, equation: Equation, network: nn.Module) -> None:
    """Say in a line each which sources and which files of data have changed since the run of a folder was trained."""
    if not folder.summary.exists():
        return
    summary, log = json.loads(folder.summary.read_text()), logging.getLogger("pinnlab")

    def changed(then: dict[str, str], now: dict[str, str]) -> str:
        return ", ".join(name for name in now if name in then and now[name] != then[name])

    if found := changed(summary.get("sources", {}), hashes(sources(equation, network))):
        log.warning(
            "pinnlab: %s changed after the run %s was trained; what it was then is in %s",
            *(found, folder.path, folder.source),
        )
    if found := changed(summary.get("data", {}), data(equation)):
        log.warning("pinnlab: the data in %s changed after the run %s was trained", found, folder.path)
