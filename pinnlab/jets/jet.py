"""Jets: truncated multivariate Taylor series of a batch, which ordinary torch functions and modules accept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets.algebra import IndexSet, MultiIndex, factorial
from pinnlab.jets.elementary import Rule, recurrence
from pinnlab.jets.field import Field

RULES: dict[Callable[..., Any], Callable[..., Any]] = {}
"""How torch functions act on jets: torch function → the same function for jets. `rule` adds to it."""


def rule(*functions: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers the decorated function as what the torch functions do when an argument is a jet."""

    def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
        RULES.update(dict.fromkeys(functions, implementation))
        return implementation

    return register


class Jet(Field):
    """A batch of truncated Taylor series: the coefficients ∂^α u / α! for every α of a downward-closed set.

    Differentiating shifts the coefficients and consumes order, and so does arithmetic between jets of different
    sets: the result lives on their intersection. `network(jet)` runs an ordinary module; an operation without a
    rule is an error that names it.

    Attributes:
        coefficients: `(K, N, ...)`, stacked in the order of `indices`.
        indices: The index set of K multi-indices.
        axis: The coordinate axis that this jet is, or None.
        rule: How elementary functions are computed.
    """

    def __init__(
        self, coefficients: Tensor, indices: IndexSet, axis: int | None = None, rule: Rule = recurrence
    ) -> None:
        """Wraps coefficients.

        Raises:
            ValueError: if the stack's length is not the size of the index set.
        """
        if coefficients.shape[0] != len(indices):
            raise ValueError(f"{coefficients.shape[0]} coefficients do not fit an index set of {len(indices)}")
        self.coefficients = coefficients
        self.indices = indices
        self.axis = axis
        self.rule = rule

    @classmethod
    def seed(cls, points: Tensor, indices: IndexSet, rule: Rule = recurrence) -> Jet:
        """The identity at the points, `(N, d)`: the jet whose column i is coordinate i, x_i + e_i.

        Args:
            points: The coordinates, `(N, d)`.
            indices: The index set, of d axes.
            rule: How elementary functions are computed.
        """
        n, d = points.shape
        slopes = points.new_zeros(len(indices) - 1, d)
        for axis, position in enumerate(indices.units):
            if position is not None:
                slopes[position - 1, axis] = 1
        return cls(torch.cat((points[None], slopes[:, None, :].expand(-1, n, -1))), indices, rule=rule)

    @property
    def value(self) -> Tensor:
        """The values, `(N, ...)`."""
        return self.coefficients[0]

    @property
    def shape(self) -> torch.Size:
        """The shape of the values, `(N, ...)`."""
        return self.coefficients.shape[1:]

    def derivative(self, alpha: MultiIndex) -> Tensor:
        """The values of ∂^α u, `(N, ...)`.

        Raises:
            UserError: if the jet does not carry this derivative.
        """
        if alpha not in self.indices:
            raise UserError(f"the derivative {alpha} is not carried by a jet over {self.indices}")
        return self.coefficients[self.indices.position[alpha]] * factorial(alpha)

    def like(self, coefficients: Tensor) -> Jet:
        """A jet with other coefficients over the same index set."""
        return Jet(coefficients, self.indices, rule=self.rule)

    def on(self, indices: IndexSet) -> Jet:
        """The same jet truncated to a subset of its index set."""
        if indices is self.indices:
            return self
        positions = self.indices.positions(indices)
        return Jet(_rows(self.coefficients, positions), indices, self.axis, self.rule)

    def _differentiate(self, coordinate: Field) -> Jet:
        assert coordinate.axis is not None
        shifted = self.indices.shifted(coordinate.axis)
        if shifted is None:
            raise UserError(
                f"a derivative along axis {coordinate.axis} was asked of a jet that does not carry it "
                f"({self.indices}); build the jet with a larger index set"
            )
        indices, sources, factors = shifted
        coefficients = _rows(self.coefficients, sources)
        if any(factor != 1 for factor in factors):
            scale = torch.tensor(factors, dtype=coefficients.dtype, device=coefficients.device)
            coefficients = coefficients * scale.reshape(-1, *[1] * self.ndim)
        return Jet(coefficients, indices, rule=self.rule)

    @classmethod
    def apply(cls, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Runs the rule of the torch function.

        Raises:
            UserError: if it has none.
        """
        implementation = RULES.get(function)
        if implementation is None:
            name = getattr(function, "__name__", repr(function))
            raise UserError(
                f"{name} has no rule for jets: write it with operations that have one, register a rule with "
                "pinnlab.jets.rule, or choose the Autograd engine"
            )
        return implementation(*args, **kwargs)

    def __repr__(self) -> str:
        """Shape and order."""
        return f"Jet(shape={tuple(self.shape)}, coefficients={len(self.indices)}, order={self.indices.order})"


def _rows(coefficients: Tensor, positions: tuple[int, ...]) -> Tensor:
    """The chosen coefficients: a view where they are consecutive, a gather otherwise."""
    first = positions[0]
    if positions == tuple(range(first, first + len(positions))):
        return coefficients[first : first + len(positions)]
    return coefficients[torch.tensor(positions, device=coefficients.device)]


def common(a: Jet, b: Jet) -> tuple[Jet, Jet]:
    """Both jets on the intersection of their index sets, their values' shapes of equally many dimensions."""
    if a.indices is not b.indices:
        indices = a.indices.intersection(b.indices)
        a, b = a.on(indices), b.on(indices)
    if a.ndim != b.ndim:
        a, b = a.like(raised(a, b.ndim)), b.like(raised(b, a.ndim))
    return a, b


def raised(x: Jet, ndim: int) -> Tensor:
    """The coefficients with the values' shape preceded by ones, up to `ndim` dimensions: how shapes broadcast."""
    if ndim <= x.ndim:
        return x.coefficients
    return x.coefficients[(slice(None), *[None] * (ndim - x.ndim))]
