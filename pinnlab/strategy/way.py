"""The accepted pieces of a solve, one after another through time, or one for the whole region."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pinnlab.equations import Equation
from pinnlab.strategy.agreement import Piece
from pinnlab.strategy.structure.evolution import Evolution


@dataclass
class Way:
    """What was accepted so far.

    Attributes:
        equation: The equation.
        evolution: Its time, if it has one.
        pieces: The accepted pieces, in order.
        written: Whether the equation is as written, and not with another value of a parameter.
    """

    equation: Equation
    evolution: Evolution | None
    pieces: list[Piece] = field(default_factory=list)
    written: bool = True

    def add(self, piece: Piece) -> None:
        """Accepts a piece: the next window, or without time the whole solution in place of the one before."""
        self.pieces = [*self.pieces, piece] if self.evolution is not None else [piece]

    def replace(self, number: int, piece: Piece) -> None:
        """Puts another piece in the place of one."""
        self.pieces = [*self.pieces[:number], piece, *self.pieces[number + 1 :]]

    @property
    def time(self) -> float | None:
        """How far it reaches; None without time."""
        if self.evolution is None:
            return None
        return self.pieces[-1].end if self.pieces else self.evolution.start

    @property
    def part(self) -> float | None:
        """The part of all time that it covers; None without time."""
        if self.evolution is None or self.time is None:
            return None
        return (self.time - self.evolution.start) / (self.evolution.end - self.evolution.start)

    @property
    def complete(self) -> bool:
        """Whether it covers the whole region, for the equation as written."""
        if not self.written:
            return False
        if self.evolution is None:
            return bool(self.pieces)
        return self.time is not None and self.time >= self.evolution.end

    @property
    def errors(self) -> dict[str, float]:
        """The estimated error of each output and unknown, relative to its size, over all pieces; infinite for none."""
        if not self.pieces:
            return dict.fromkeys([*self.equation.outputs, *self.equation.unknowns()], math.inf)
        return {name: max(piece.errors[name] for piece in self.pieces) for name in self.pieces[-1].errors}

    @property
    def sizes(self) -> Tensor:
        """The largest value of each output, `(outputs,)`; zeros before there is any piece."""
        return self.pieces[-1].sizes if self.pieces else torch.zeros(len(self.equation.outputs))


def best(ways: Sequence[Way]) -> Way:
    """The way that reaches farthest; of several the one with the smallest error, and of equal ones the last.

    None reaches as far as one for the equation as written; of those for other values of a parameter it is the last.
    """

    def merit(way: Way) -> tuple[bool, bool, float, float]:
        error = max(way.errors.values()) if way.written else math.inf
        return bool(way.pieces), way.written, way.time or 0.0, -error

    return max(reversed(ways), key=merit)
