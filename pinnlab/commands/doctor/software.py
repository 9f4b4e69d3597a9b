"""Python, pinnlab and the packages that it needs, as its own metadata names them."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from packaging.requirements import Requirement

import pinnlab
from pinnlab.commands.doctor.finding import Finding, State

_SHOWN = ("torch", "lightning", "numpy", "scipy", "wandb", "matplotlib")
_OWN = ("test", "dev", "peers")
"""Extras for those who change pinnlab itself."""


def software() -> Iterator[Finding]:
    """The versions of Python, of pinnlab and of the packages that it needs, and which extras are complete."""
    part = "software"
    yield Finding(part, "python", platform.python_version())
    yield Finding(part, "pinnlab", f"{pinnlab.__version__} in {Path(pinnlab.__file__).parent}")
    try:
        needed = [Requirement(line) for line in requires("pinnlab") or []]
        extras = [name for name in _extras() if name not in _OWN]
    except PackageNotFoundError:
        advice = "python -m pip install . in the folder of its pyproject.toml"
        yield Finding(part, "packages", "pinnlab is not installed, only found on the path", State.WARN, advice)
        return
    plain = [each for each in needed if _wanted(each)]
    wrong = [each for each in plain if complaint(each)]
    shown = ", ".join(f"{each.name} {_version(each.name)}" for each in plain if each.name in _SHOWN)
    yield Finding(part, "packages", shown)
    if wrong:
        yield Finding(part, "packages", "; ".join(map(complaint, wrong)), State.FAIL, _install(wrong))
    for name in extras:
        lacking = [each for each in needed if _wanted(each, name) and not _wanted(each) and complaint(each)]
        if lacking:
            shown = f"not there: {', '.join(map(complaint, lacking))}"
            yield Finding(part, f"extra [{name}]", shown, State.NOTE, f"where you want it: {_install(lacking)}")
        else:
            yield Finding(part, f"extra [{name}]", "there")


def complaint(needed: Requirement) -> str:
    """What is wrong with the version of a package that is needed; empty if nothing is."""
    found = _version(needed.name)
    if found is None:
        return f"{needed.name} is missing"
    if not needed.specifier.contains(found, prereleases=True):
        return f"{needed.name} is {found}, and {needed.specifier} is needed"
    return ""


def _install(packages: Sequence[Requirement]) -> str:
    return "python -m pip install " + " ".join(f"'{each.name}{each.specifier}'" for each in packages)


def _extras() -> list[str]:
    return metadata("pinnlab").get_all("Provides-Extra") or []


def _wanted(needed: Requirement, extra: str = "") -> bool:
    return needed.marker is None or needed.marker.evaluate({"extra": extra})


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
