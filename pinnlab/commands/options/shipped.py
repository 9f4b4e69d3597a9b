"""The configurations that ship: in the repository's `configs/`, and within an installed package."""

from __future__ import annotations

from pathlib import Path

import pinnlab

CONFIGS = Path(pinnlab.__file__).parent / "configs"
"""The folder; in the repository it is a link to `configs/` at its top."""


def located(path: Path) -> Path:
    """The file that a path names: one from the current folder or, if there is none, one that ships.

    One that ships has the same name everywhere, `configs/waves/kdv.yaml`, or `waves/kdv.yaml` for short.

    Args:
        path: As it was given.

    Returns:
        Its file; the path as it was given where there is none.
    """
    shipped = CONFIGS / (path.relative_to("configs") if path.parts[:1] == ("configs",) else path)
    return shipped if not path.exists() and shipped.is_file() else path
