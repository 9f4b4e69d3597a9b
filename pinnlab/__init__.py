"""Training framework for physics-informed neural networks on PyTorch Lightning."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinnlab.jets.operators import biharmonic, directional, div, grad, laplacian
    from pinnlab.solution import Solution, load, solve

__all__ = ["Solution", "biharmonic", "directional", "div", "grad", "laplacian", "load", "solve"]
__version__ = "0.2.0"

_HOMES = dict.fromkeys(("Solution", "load", "solve"), "pinnlab.solution") | dict.fromkeys(
    ("biharmonic", "directional", "div", "grad", "laplacian"), "pinnlab.jets.operators"
)


def __getattr__(name: str) -> Any:
    """What the package offers, imported when it is first used: importing torch and Lightning takes seconds."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pinnlab' has no attribute {name!r}")
    # from now on it is an attribute like any other, and tools that look into the module find it
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found
