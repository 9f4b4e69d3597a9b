"""The provenance of a run's numbers: versions of packages, and the commit of the checkout."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pinnlab


def versions() -> dict[str, str]:
    """The versions that a run's numbers depend on."""
    packages = {name: version(name) for name in ("torch", "lightning", "numpy")}
    return {"pinnlab": pinnlab.__version__, "python": platform.python_version(), **packages}


def commit() -> str | None:
    """The commit of the checkout that pinnlab runs from, `-dirty` added where files differ; None outside of one."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"],
            cwd=Path(pinnlab.__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
