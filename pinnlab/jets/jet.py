"""Jets: truncated multivariate Taylor series of a batch, which ordinary torch functions and modules accept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets.field import Field
from pinnlab.jets.functions.elementary import Composition
from pinnlab.jets.functions.recurrence import recurrence
from pinnlab.jets.series.algebra import Algebra, IndexSet, MultiIndex, constant, factorial
from pinnlab.jets.series.collapsed import Collapsed

RULES: dict[Callable[..., Any], Callable[..., Any]] = {}
"""How torch functions act on jets: torch function → the same function for jets. `rule` adds to it."""


def rule(*functions: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers the decorated function as the rule of torch functions: what they do when an argument is a jet.

    Example:
        >>> import torch
        >>> from pinnlab.jets import IndexSet, Jet, rule
        >>> @rule(torch.special.xlog1py)
        ... def xlog1py(x, y):
        ...     return x * torch.log1p(y)
        >>> x = Jet.seed(torch.zeros(1, 1), IndexSet.simplex(1, 2))
        >>> torch.special.xlog1py(x, x).derivative((2,))
        tensor([[2.]])
    """

    def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
        RULES.update(dict.fromkeys(functions, implementation))
        return implementation

    return register


class Jet(Field):
    """A batch of truncated Taylor series: the coefficients ∂^α u / α! for every α of a downward-closed set.

    Differentiating shifts the coefficients and consumes order. Arithmetic between jets of different sets consumes order
    as well, since its result lives on their intersection. `network(jet)` runs an ordinary module; an operation without
    a rule is an error that names it.

    Attributes:
        coefficients: The leading S coefficients, `(S, N, ...)` with 1 ≤ S ≤ K, in the order of `indices`; the others
            are zero.
        indices: The index set of K multi-indices, or another algebra.
        axis: The coordinate axis or axes that this jet is, or None.
        composition: How elementary functions are composed with the series.

    Example:
        All derivatives of a network up to u_xx and u_xy, from one forward pass:

        >>> import torch
        >>> from pinnlab.jets import IndexSet, Jet
        >>> network = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
        >>> u = network(Jet.seed(torch.rand(5, 2), IndexSet.closure([(2, 0), (1, 1)])))
        >>> u
        Jet(shape=(5, 1), coefficients=5, order=2)
        >>> u.derivative((1, 1)).shape
        torch.Size([5, 1])
    """

    def __init__(
        self,
        coefficients: Tensor,
        indices: Algebra,
        axis: int | range | None = None,
        composition: Composition = recurrence,
    ) -> None:
        """Wraps coefficients.

        Raises:
            ValueError: if there are no coefficients, or more than the index set has.
        """
        if not 1 <= coefficients.shape[0] <= len(indices):
            raise ValueError(f"{coefficients.shape[0]} coefficients do not fit an index set of {len(indices)}")
        self.coefficients = coefficients
        self.indices = indices
        self.axis = axis
        self.composition = composition

    @classmethod
    def seed(
        cls, points: Tensor, indices: Algebra, composition: Composition = recurrence, directions: Tensor | None = None
    ) -> Jet:
        """The identity at the points, `(N, d)`: the jet whose column i is coordinate i, x_i + e_i.

        Along given directions v_s instead of the axes it is x + Σ_s v_s e_s, and e_s differentiates along v_s.

        Args:
            points: The coordinates, `(N, d)`.
            indices: The algebra, of d axes or as many as there are directions.
            composition: How elementary functions are composed with the series.
            directions: `(S, d)`, or `(S, N, d)` for each point its own; the unit vectors by default.
        """
        n, d = points.shape
        if directions is None:
            directions = torch.eye(d, dtype=points.dtype, device=points.device)
        if directions.ndim == 2:
            directions = directions[:, None, :].expand(-1, n, -1)
        # Elements of degree 1 stand in the order of their axes, and all coefficients beyond them are zero.
        carried = [axis for axis, position in enumerate(indices.units) if position is not None]
        if len(carried) < len(directions):
            directions = directions[constant(carried, torch.long, points.device)]
        return cls(torch.cat((points[None], directions)), indices, composition=composition)

    def coordinate(self, axis: int | range) -> Jet:
        """Column `axis` of a seed, or its columns in a range, as the coordinate that `.d` differentiates along."""
        column = axis if isinstance(axis, int) else slice(axis.start, axis.stop)
        return Jet(self.coefficients[..., column], self.indices, axis, self.composition)

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
        position = self.indices.position[alpha]
        if position >= len(self.coefficients):
            return torch.zeros_like(self.value)
        return self.coefficients[position] * float(factorial(alpha))  # whole numbers beyond 20! do not fit a tensor

    def like(self, coefficients: Tensor) -> Jet:
        """A jet with other coefficients over the same index set."""
        return Jet(coefficients, self.indices, composition=self.composition)

    def on(self, indices: Algebra) -> Jet:
        """The same jet truncated to a subset of its index set."""
        if indices is self.indices:
            return self
        positions = self.indices.positions(indices)
        return Jet(_rows(self.coefficients, positions), indices, self.axis, self.composition)

    def differentiate(self, axis: int) -> Jet:
        """The coefficients shifted: ∂u/∂x_axis.

        Raises:
            UserError: if the jet carries no derivative along the axis.
        """
        shifted = self.indices.shifted(axis)
        if shifted is None:
            raise UserError(
                f"a derivative along axis {axis} was asked of a jet that does not carry it "
                f"({self.indices}); build the jet with a larger index set"
            )
        indices, sources, factors = shifted
        coefficients = _rows(self.coefficients, sources)
        if any(factor != 1 for factor in factors):
            scale = constant(factors[: len(coefficients)], coefficients.dtype, coefficients.device)
            coefficients = coefficients * scale.reshape(-1, *[1] * self.ndim)
        return Jet(coefficients, indices, composition=self.composition)

    def laplacian(self, axes: Sequence[int]) -> Field:
        """Σ ∂²u/∂x_axis²: one coefficient where the algebra is collapsed over just these axes."""
        if not (isinstance(self.indices, Collapsed) and self.indices.group == tuple(sorted(axes))):
            return super().laplacian(axes)
        top = self.indices.top
        rows = self.coefficients[top : top + 1] if top < len(self.coefficients) else self.coefficients[:1] * 0
        return Jet(2 * rows, IndexSet.simplex(self.indices.dimension, 0), composition=self.composition)

    @classmethod
    def apply(cls, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Runs the rule of the torch function.

        Raises:
            UserError: if the function has no rule.
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
    """The coefficients at the positions, as a view if they are consecutive; zeros at the end are left out."""
    positions = tuple(position for position in positions if position < len(coefficients))
    if not positions:
        return torch.zeros_like(coefficients[:1])
    first = positions[0]
    if positions == tuple(range(first, first + len(positions))):
        return coefficients[first : first + len(positions)]
    return coefficients[constant(positions, torch.long, coefficients.device)]


def common(a: Jet, b: Jet) -> tuple[Jet, Jet]:
    """Both jets on the intersection of their index sets, with values of equally many dimensions."""
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


def assemble(coordinates: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, int | range]]:
    """The points `(N, d)` of named columns, and the axis, or the range of axes, of every name."""
    columns: list[Tensor] = []
    axes: dict[str, int | range] = {}
    for name, column in coordinates.items():
        if column.ndim == 1:
            axes[name] = len(columns)
            columns.append(column)
        else:
            axes[name] = range(len(columns), len(columns) + column.shape[1])
            columns += column.unbind(-1)
    return torch.stack(columns, -1), axes
