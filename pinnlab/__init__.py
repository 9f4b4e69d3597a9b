"""Training framework for physics-informed neural networks on PyTorch Lightning."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinnlab.solution import Solution, load, solve

__all__ = ["Solution", "load", "solve"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`solve`, `load` and `Solution`, imported when they are first used, for they need Lightning."""
    if name in __all__:
        from pinnlab import solution

        # from now on it is an attribute like any other, and tools that look into the module find it
        found = globals()[name] = getattr(solution, name)
        return found
    raise AttributeError(f"module 'pinnlab' has no attribute {name!r}")
