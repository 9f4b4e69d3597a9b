"""The source of the modules that a run's equation and network come from: kept, and compared later."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from pathlib import Path

from torch import nn

from pinnlab.reporting.description import module_name
from pinnlab.reporting.folder import RunFolder

_INSTALLED = ("pinnlab", "torch", "builtins", "abc", "typing")
"""Packages whose versions the record has, and Python's own."""


def sources(*modules: nn.Module) -> dict[str, bytes]:
    """The source files of the classes of modules and of all modules in them, as file name ↦ content.

    A module that has no file, as in a notebook, is left out.
    """
    classes = {base for module in modules for part in module.modules() for base in type(part).__mro__}
    found = {}
    for name in sorted({kind.__module__ for kind in classes if kind.__module__.split(".")[0] not in _INSTALLED}):
        file, known = getattr(sys.modules.get(name), "__file__", None), module_name(name)
        if file is not None and known is not None and Path(file).is_file():
            found[f"{known}.py"] = Path(file).read_bytes()
    return found


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


def hashes(contents: dict[str, bytes]) -> dict[str, str]:
    """The SHA-256 of every content."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def compare(folder: RunFolder, *modules: nn.Module) -> None:
    """Say in a line which sources have changed since the run of a folder was trained."""
    if not folder.summary.exists():
        return
    then = json.loads(folder.summary.read_text()).get("sources", {})
    now = hashes(sources(*modules))
    changed = [name for name in now if name in then and now[name] != then[name]]
    if changed:
        logging.getLogger("pinnlab").warning(
            "pinnlab: %s changed after the run %s was trained; what it was then is in %s",
            ", ".join(changed),
            folder.path,
            folder.source,
        )
