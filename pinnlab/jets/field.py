"""Fields: functions of the coordinates that know how to differentiate themselves.

Residuals are written over fields, with arithmetic, torch functions and `.d`; each derivative engine supplies its own
kind of field. Operators and torch functions all arrive at `dispatch`, and there at `apply` of the kind.
"""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, Self

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from pinnlab.errors import UserError
from pinnlab.jets import foreign
from pinnlab.jets.notation import Notation

ON_VALUES = frozenset(
    found
    for name in (
        *("lt", "le", "gt", "ge", "eq", "ne", "less", "less_equal", "greater", "greater_equal", "not_equal"),
        *("isnan", "isinf", "isfinite", "isclose", "signbit", "logical_and", "logical_or", "logical_not"),
        *("heaviside", "floor_divide"),
    )
    for owner in (torch, Tensor)
    if (found := getattr(owner, name, None)) is not None
)
"""Torch functions of the values alone, conditions and steps: they give plain tensors when called on fields."""


class Field(Notation):
    """A function of the coordinates, sampled at a batch of points, with derivatives.

    `u.d(x)` is ∂u/∂x, `u.d(x, x, t)` is ∂³u/∂x²∂t. Derivatives are along coordinates alone: a coordinate is a field
    that carries its axis, and arithmetic drops the axis.

    Example:
        >>> import torch
        >>> from pinnlab.jets import IndexSet, Jet
        >>> seed = Jet.seed(torch.tensor([[1.0, 2.0]]), IndexSet.simplex(2, 2))
        >>> t, x = seed.coordinate(0), seed.coordinate(1)
        >>> u = torch.exp(-t) * x**3
        >>> (u.d(t) + u).value, u.d(x, t).value
        (tensor([0.]), tensor([-4.4146]))
    """

    axis: int | range | None
    """The coordinate axis that this field is, a vector coordinate's range of axes, or None for every other field."""

    derived: Callable[[Field], Field] | None = None
    """Coordinate ↦ derivative, for the result of an operator on all nodes; arithmetic drops it."""

    def __getattr__(self, name: str) -> Any:
        """The methods of tensors, as torch functions on fields."""
        method = None if name.startswith("_") else getattr(Tensor, name, None)
        if callable(method):
            return lambda *args, **kwargs: self.dispatch(method, (self, *args), kwargs)
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    @property
    def ndim(self) -> int:
        """The number of dimensions of the values."""
        return len(self.shape)

    def dim(self) -> int:
        """The number of dimensions of the values."""
        return self.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape of the values, or its entry `dim`."""
        return self.shape if dim is None else self.shape[dim]

    @abstractmethod
    def differentiate(self, axis: int) -> Field:
        """∂/∂x_axis, once."""

    def laplacian(self, axes: Sequence[int]) -> Field:
        """Σ ∂²/∂x_axis² over the axes; see `pinnlab.jets.operators.laplacian`."""
        return reduce(operator.add, (self.differentiate(axis).differentiate(axis) for axis in axes))

    @abstractmethod
    def derivative(self, alpha: tuple[int, ...]) -> Tensor:
        """The values of ∂^α of this field over the coordinate axes, shape `(N, ...)`."""

    def d(self, *coordinates: Field) -> Field:
        """The derivative along each of the coordinates in turn: `u.d(x, x)` is ∂²u/∂x².

        A vector coordinate gives all its derivatives, along a new last dimension.

        Raises:
            UserError: if an argument is not a coordinate (an expression, say), or none is given.
        """
        if not coordinates:
            raise UserError("d() needs at least one coordinate to differentiate along, like u.d(x)")
        field: Field = self
        for coordinate in coordinates:
            axis = field._axis(coordinate)
            if field.derived is not None:
                field = field.derived(coordinate)
                continue
            if isinstance(axis, int):
                field = field.differentiate(axis)
            else:
                field = self.apply(torch.stack, ([field.differentiate(a) for a in axis], -1), {})
        return field

    def _axis(self, coordinate: object) -> int | range:
        if not isinstance(coordinate, type(self)) or coordinate.axis is None:
            raise UserError(
                "d(…) differentiates along coordinates only (the equation's inputs as they are passed in); "
                "got an expression or a number"
            )
        return coordinate.axis

    def axes(self, coordinates: Sequence[Field]) -> tuple[int, ...]:
        """The axes of coordinates, vector ones written out.

        Raises:
            UserError: if one is not a coordinate.
        """
        found = [self._axis(coordinate) for coordinate in coordinates]
        return tuple(a for axis in found for a in ([axis] if isinstance(axis, int) else axis))

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Torch functions called on fields arrive here."""
        return cls.dispatch(func, args, kwargs or {})

    @classmethod
    @abstractmethod
    def apply(cls, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """`function(*args, **kwargs)` where some argument is a field of this class.

        Raises:
            UserError: if the function has no rule for this kind of field.
        """

    @classmethod
    def dispatch(cls, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Conditions and steps are computed from the values, everything else by `apply`."""
        if function not in ON_VALUES:
            return cls.apply(function, args, kwargs)
        args, kwargs = tree_map(
            lambda leaf: leaf.value.detach() if isinstance(leaf, Field) else leaf, (tuple(args), dict(kwargs))
        )
        return function(*args, **kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: object, **kwargs: object) -> Any:
        """Numpy's functions of one entry at a time, `np.sin(u)` and `array * u` among them, as torch's."""
        return self.dispatch(*foreign.torch_call(ufunc, method, inputs, kwargs, self.dtype, self.device))

    def __array_function__(self, func: Any, types: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Numpy's other functions: `np.where` as torch's.

        Raises:
            UserError: for one that is not among them.
        """
        return self.dispatch(*foreign.torch_function(func, args, kwargs, self.dtype, self.device))

    def __array__(self, *_: object, **__: object) -> Any:
        """Refused: a field is no array."""
        raise UserError("a field does not become a numpy array: use torch's or numpy's functions on the field itself")

    def __getitem__(self, item: object) -> Self:
        """Indexing of the value's dimensions, `(N, ...)`."""
        part = self.apply(torch.Tensor.__getitem__, (self, item), {})
        if isinstance(self.axis, range) and isinstance(item, tuple) and len(item) == 2:
            rows, column = item
            if isinstance(column, int) and (rows is Ellipsis or rows == slice(None)):
                part.axis = self.axis[column]  # a component of a vector coordinate is a coordinate
        return part
