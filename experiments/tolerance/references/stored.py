"""Arrays that take long to compute, kept in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np


def stored(folder: Path | None, name: str, compute: Callable[[], Mapping[str, np.ndarray]]) -> Mapping[str, np.ndarray]:
    """The arrays of `NAME.npz` in the folder, which are computed and written if the file is missing.

    Args:
        folder: Where files are kept; None computes each time, and writes nothing.
        name: The name of the file; it has to change with what is computed.
        compute: Computes the arrays.
    """
    if folder is None:
        return compute()
    path = Path(folder) / f"{name}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{name}.{os.getpid()}.part.npz")
        np.savez(part, allow_pickle=False, **compute())
        part.replace(path)
    with np.load(path) as found:
        return {key: found[key] for key in found.files}
