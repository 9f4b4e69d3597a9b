"""The weighting of a loss: every factor on a residual row, in one value.

Row α of constraint c at its point x_i, of N over all ranks, is

    r_{α,i} = √( w · Q_|α| · |α|!/α! · f · b · v_i / N ) · ∂^α F(x_i),

so that ‖r‖² = w f b · Σ_j Q_j · (1/N) Σ_i v_i |∇^j F(x_i)|² is the constraint's loss. Here w is the weight of the
constraint, Q are its Sobolev weights and f is the factor of the phase. These are fixed. Balancing supplies b, a weight
of the constraint, and v_i, weights of its points; both are 1 without balancing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets import MultiIndex
from pinnlab.jets.series.algebra import factorial, of_degree


@dataclass(frozen=True)
class Factors:
    """The factors on the rows of one constraint.

    Attributes:
        rows: For every derivative α of the residual in the loss, (α, √(w · Q_|α| · |α|!/α!)).
        count: N, the number of points over all ranks that the mean is over; 1 makes it a sum.
        factor: f, the factor of the phase.
        balance: b, the weight that balancing gives to the constraint.
        points: v, the weights that balancing gives to the points at hand, `(N,)`; None for 1 at all of them.
        mean: Whether a group of nodes has the mean over its rows, and not the sum.
    """

    rows: tuple[tuple[MultiIndex, float], ...]
    count: float = 1.0
    factor: float = 1.0
    balance: float = 1.0
    points: Tensor | None = None
    mean: bool = True

    @property
    def balanced(self) -> bool:
        """Whether balancing changes the rows."""
        return self.balance != 1.0 or self.points is not None

    @property
    def root(self) -> float | Tensor:
        """√(b v), what balancing multiplies rows by: a number, or `(N,)`."""
        return math.sqrt(self.balance) if self.points is None else (self.balance * self.points).sqrt()

    def scaled(self) -> Iterator[tuple[MultiIndex, float | Tensor]]:
        """Every derivative α in the loss with the whole factor on its row, a number or `(N,)`."""
        scale: float | Tensor = 1 / math.sqrt(self.count / self.factor)
        if self.balanced:
            scale = scale * self.root
        for alpha, weight in self.rows:
            yield alpha, scale * weight

    def repeated(self, times: int) -> Factors:
        """The factors on the rows when the same points are repeated `times` times one after another."""
        return self if self.points is None else replace(self, points=self.points.repeat(times))

    def each(self, count: int) -> list[Factors]:
        """The factors on the rows of each of the points or groups alone."""
        if self.points is None:
            return [self] * count
        return [replace(self, points=self.points[i : i + 1]) for i in range(count)]

    def same(self, other: Factors) -> bool:
        """Whether all factors agree."""
        a, b = self.points, other.points
        alike = replace(self, points=None) == replace(other, points=None)
        return alike and (a is b or (a is not None and b is not None and torch.equal(a, b)))


@dataclass(frozen=True)
class Weighting:
    """The factors on all residual rows, by constraint.

    A weighting is a value: each method returns another weighting. `Residuals.weighting` has the factors of the
    configuration with sums over points; `over` turns these into means.

    Attributes:
        factors: Constraint name -> its factors.

    Example:
        >>> summed = Weighting({"walls": factors_of("walls", dimension=1, weight=4.0, sobolev=[1.0])})
        >>> weighting = summed.over({"walls": 16}).times({"walls": 9.0})  # w = 4, N = 16, f = 9
        >>> [(alpha, round(scale, 6)) for alpha, scale in weighting["walls"].scaled()]  # √(w f / N)
        [((0,), 1.5)]
    """

    factors: Mapping[str, Factors]

    def __getitem__(self, name: str) -> Factors:
        """The factors of one constraint."""
        return self.factors[name]

    def over(self, counts: Mapping[str, float]) -> Weighting:
        """The weighting with means over N points, constraint name -> N; other constraints keep their factors."""
        return self._each(lambda name, found: replace(found, count=counts.get(name, found.count)))

    def times(self, factors: Mapping[str, float]) -> Weighting:
        """The weighting with the fixed factors multiplied, constraint name -> factor on its loss."""
        return self._each(lambda name, found: replace(found, factor=found.factor * factors.get(name, 1.0)))

    def balanced(self, weights: Mapping[str, float], points: Mapping[str, Tensor]) -> Weighting:
        """The weighting with the weights of a balancing scheme.

        Args:
            weights: Constraint name -> b; 1 for constraints without an entry.
            points: Constraint name -> v at this rank's points, `(N,)`; 1 for constraints without an entry. Weights
                smaller than the root of the smallest floating-point number are raised to it, so that rows keep
                their digits.
        """

        def balance(name: str, found: Factors) -> Factors:
            v = points.get(name)
            least = None if v is None else v.clamp(min=torch.finfo(v.dtype).tiny ** 0.5)
            return replace(found, balance=weights.get(name, 1.0), points=least)

        return self._each(balance)

    def with_sums(self) -> Weighting:
        """The weighting with sums over the rows of a group of nodes in place of means."""
        return self._each(lambda name, found: replace(found, mean=False))

    @property
    def balances(self) -> bool:
        """Whether balancing changes any row."""
        return any(found.balanced for found in self.factors.values())

    @property
    def fixed(self) -> Weighting:
        """The weighting without balancing."""
        return self._each(lambda name, found: replace(found, balance=1.0, points=None))

    def unbalanced(self, blocks: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Blocks that have the factors of this weighting, converted to those of the fixed one, `(rows, N)` each."""
        return {name: block / self[name].root if self[name].balanced else block for name, block in blocks.items()}

    def same(self, other: Weighting) -> bool:
        """Whether all factors agree."""
        return self.factors.keys() == other.factors.keys() and all(
            found.same(other[name]) for name, found in self.factors.items()
        )

    def _each(self, change: Callable[[str, Factors], Factors]) -> Weighting:
        return Weighting({name: change(name, found) for name, found in self.factors.items()})


def factors_of(constraint: str, dimension: int, weight: float, sobolev: Sequence[float]) -> Factors:
    """The factors of a constraint's configuration: its weight, and Sobolev weights Q_0, …, Q_m.

    Raises:
        UserError: if the weight is not positive and finite.
    """
    if not (math.isfinite(weight) and weight > 0):
        raise UserError(f"the weight of constraint {constraint!r} must be positive and finite, got {weight}")
    return Factors(
        tuple(
            (alpha, math.sqrt(weight * q_j * math.factorial(j) / factorial(alpha)))
            for j, q_j in enumerate(sobolev)
            if q_j
            for alpha in of_degree(dimension, j)
        )
    )
