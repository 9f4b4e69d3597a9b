"""Fields: functions of the coordinates that know how to differentiate themselves.

Residuals are written over fields, with arithmetic, torch functions and `.d`; each derivative engine supplies
its own kind. Operators and torch functions arrive at one place, `apply`.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import Any, Self

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from pinnlab.errors import UserError
from pinnlab.jets import foreign

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


class Field(ABC):
    """A function of the coordinates, sampled at a batch of points, with derivatives.

    `u.d(x)` is ∂u/∂x, `u.d(x, x, t)` is ∂³u/∂x²∂t. Only a coordinate can be differentiated along: it is a
    field that carries its axis, which arithmetic drops.
    """

    axis: int | range | None
    """The coordinate axis that this field is, a vector coordinate's range of axes, or None for every other field."""

    derived: Callable[[Field], Field] | None = None
    """The derivative along a coordinate, of what an operator on all nodes returned; arithmetic drops it."""

    def __getattr__(self, name: str) -> Any:
        """The methods of tensors, as torch functions on fields."""
        method = None if name.startswith("_") else getattr(Tensor, name, None)
        if callable(method):
            return partial(self.apply_method, method)
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def apply_method(self, method: Callable[..., Any], *args: object, **kwargs: object) -> Any:
        """`method(self, *args, **kwargs)` for an unbound tensor method."""
        return self.dispatch(method, (self, *args), kwargs)

    @property
    @abstractmethod
    def value(self) -> Tensor:
        """The values at the points, a tensor of shape `(N, ...)`."""

    @property
    def shape(self) -> torch.Size:
        """The shape of the values, `(N, ...)`."""
        return self.value.shape

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

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the values."""
        return self.value.dtype

    @property
    def device(self) -> torch.device:
        """The device of the values."""
        return self.value.device

    @abstractmethod
    def differentiate(self, axis: int) -> Field:
        """∂/∂x_axis, once."""

    def laplacian(self, axes: Sequence[int]) -> Field:
        """Σ ∂²/∂x_axis² over the axes; see `pinnlab.jets.operators.laplacian`."""
        return reduce(operator.add, (self.differentiate(axis).differentiate(axis) for axis in axes))

    @abstractmethod
    def derivative(self, alpha: tuple[int, ...]) -> Tensor:
        """The values of ∂^α of this field over the coordinate axes, shape `(N, ...)`."""

    @classmethod
    @abstractmethod
    def apply(cls, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """`function(*args, **kwargs)` where some argument is a field of this class.

        Raises:
            UserError: if the function has no rule for this kind of field.
        """

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

    def _binary(self, function: Callable[..., Any], left: object, right: object) -> Any:
        other = right if left is self else left
        if type(other) not in _READY and not isinstance(other, Field | Tensor):
            other = foreign.operand(other, function.__name__, self.dtype, self.device)
            left, right = (left, other) if left is self else (other, right)
        return self.apply(function, (left, right), {})

    def __add__(self, other: object) -> Self:
        """The sum."""
        return self._binary(torch.add, self, other)

    def __radd__(self, other: object) -> Self:
        """The sum."""
        return self._binary(torch.add, other, self)

    def __sub__(self, other: object) -> Self:
        """The difference."""
        return self._binary(torch.sub, self, other)

    def __rsub__(self, other: object) -> Self:
        """The difference."""
        return self._binary(torch.sub, other, self)

    def __mul__(self, other: object) -> Self:
        """The product."""
        return self._binary(torch.mul, self, other)

    def __rmul__(self, other: object) -> Self:
        """The product."""
        return self._binary(torch.mul, other, self)

    def __truediv__(self, other: object) -> Self:
        """The quotient."""
        return self._binary(torch.div, self, other)

    def __rtruediv__(self, other: object) -> Self:
        """The quotient."""
        return self._binary(torch.div, other, self)

    def __pow__(self, exponent: object) -> Self:
        """The power with a constant exponent."""
        return self._binary(torch.pow, self, exponent)

    def __rpow__(self, base: object) -> Self:
        """The power of a constant base."""
        return self._binary(torch.pow, base, self)

    def __matmul__(self, other: object) -> Self:
        """The matrix product over the trailing dimensions."""
        return self._binary(torch.matmul, self, other)

    def __rmatmul__(self, other: object) -> Self:
        """The matrix product over the trailing dimensions."""
        return self._binary(torch.matmul, other, self)

    def __neg__(self) -> Self:
        """The negative."""
        return self.apply(torch.neg, (self,), {})

    def __pos__(self) -> Self:
        """The field itself."""
        return self

    def __abs__(self) -> Self:
        """The absolute value, smooth away from zeros."""
        return self.apply(torch.abs, (self,), {})

    def __getitem__(self, item: object) -> Self:
        """Indexing of the value's dimensions, `(N, ...)`."""
        part = self.apply(torch.Tensor.__getitem__, (self, item), {})
        if isinstance(self.axis, range) and isinstance(item, tuple) and len(item) == 2:
            rows, column = item
            if isinstance(column, int) and (rows is Ellipsis or rows == slice(None)):
                part.axis = self.axis[column]  # a component of a vector coordinate is a coordinate
        return part

    def __len__(self) -> int:
        """The number of points."""
        return self.shape[0]

    def __iter__(self) -> Any:
        """The slices along the first dimension."""
        return (self[i] for i in range(len(self)))

    def __mod__(self, divisor: object) -> Self:
        """The remainder, which jumps."""
        return self._binary(torch.remainder, self, divisor)

    def __rmod__(self, other: object) -> Self:
        """The remainder, which jumps."""
        return self._binary(torch.remainder, other, self)

    def __floordiv__(self, divisor: object) -> Any:
        """The whole quotient of the values, which jumps: a plain tensor."""
        return self._compare(torch.floor_divide, divisor)

    def __rfloordiv__(self, other: object) -> Any:
        """The whole quotient of the values, which jumps: a plain tensor."""
        return self._binary(torch.div, other, self).floor().value.detach()

    def __round__(self, digits: int = 0) -> Self:
        """The nearest whole number, which jumps."""
        if digits:
            raise UserError("round(field, digits) is not defined: write torch.round(u * 10**digits) / 10**digits")
        return self.apply(torch.round, (self,), {})

    def __setitem__(self, item: object, value: object) -> None:
        """Refused: fields do not change."""
        raise UserError("a field cannot be changed in place: choose between expressions by torch.where(x < 0.5, a, b)")

    def __format__(self, spec: str) -> str:
        """As `repr`, whatever the format: a field is no number."""
        return repr(self)

    def _compare(self, function: Callable[..., Any], other: object) -> Any:
        """The condition on the values, `(N, ...)`: a plain tensor of booleans, for `torch.where`."""
        if type(other) not in _READY and not isinstance(other, Field | Tensor):
            other = foreign.operand(other, function.__name__, self.dtype, self.device)
        return function(self.value.detach(), other.value.detach() if isinstance(other, Field) else other)

    def __lt__(self, other: object) -> Any:
        """Where the values are less."""
        return self._compare(torch.lt, other)

    def __le__(self, other: object) -> Any:
        """Where the values are less or equal."""
        return self._compare(torch.le, other)

    def __gt__(self, other: object) -> Any:
        """Where the values are greater."""
        return self._compare(torch.gt, other)

    def __ge__(self, other: object) -> Any:
        """Where the values are greater or equal."""
        return self._compare(torch.ge, other)

    def __eq__(self, other: object) -> Any:
        """Where the values are equal: object's own would answer False and let the residual go on."""
        return self._compare(torch.eq, other)

    def __ne__(self, other: object) -> Any:
        """Where the values differ."""
        return self._compare(torch.ne, other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        """Refused: a residual must not branch on the values of a field."""
        raise UserError(
            "the truth value of a field is not defined: a residual cannot branch on values; "
            "use torch.where(x < 0.5, a, b) or write the two cases as two constraints"
        )

    def _refuse_number(self) -> Any:
        raise UserError(
            "a field is no number, as math.sin(x), float(u) and int(u) need: use torch.sin(x), torch.exp(x) and so on "
            "(numpy's work too); a residual cannot branch on values"
        )

    __float__ = __int__ = __complex__ = __index__ = __trunc__ = __floor__ = __ceil__ = _refuse_number


_READY = frozenset((float, int, bool))
"""Numbers that torch takes as they are."""
