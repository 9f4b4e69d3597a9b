"""A part of a solution that was accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from pinnlab.strategy.trial import Trial


@dataclass
class Piece:
    """An accepted window, or the whole solution of an equation without time.

    Attributes:
        end: Where the window ends; None without time.
        main: The solution.
        other: The solution with fewer features, which goes on from its own windows.
        errors: The largest difference of both, relative, by output and unknown.
        sizes: The largest value of each output so far, `(outputs,)`.
    """

    end: float | None
    main: Trial
    other: Trial
    errors: dict[str, float]
    sizes: Tensor

    @property
    def state(self) -> dict[str, Any]:
        """The piece as tensors and numbers."""
        trials = {"main": self.main.residuals.state_dict(), "other": self.other.residuals.state_dict()}
        return {**trials, "errors": self.errors, "sizes": self.sizes}


def main_of(piece: Piece | None) -> Trial | None:
    """The solution of a piece, if there is one."""
    return None if piece is None else piece.main


def other_of(piece: Piece | None) -> Trial | None:
    """The solution with fewer features of a piece, if there is one."""
    return None if piece is None else piece.other
