"""How much memory a phase with dense matrices may take."""

from __future__ import annotations

import os


def allowance(gib: float | None) -> float:
    """The bytes in so many GiB; half of the machine's memory where none are given."""
    return gib * 2**30 if gib is not None else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2
