"""Fields: functions of the coordinates that know how to differentiate themselves.

Residuals are written over fields, with arithmetic, torch functions and `.d`; each derivative engine supplies
its own kind. Operators and torch functions arrive at one place, `apply`.
"""

from __future__ import annotations

import numbers
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import Any, Self

import torch
from torch import Tensor

from pinnlab.errors import UserError


class Field(ABC):
    """A function of the coordinates, sampled at a batch of points, with derivatives.

    `u.d(x)` is ∂u/∂x, `u.d(x, x, t)` is ∂³u/∂x²∂t. Only a coordinate can be differentiated along: it is a
    field that carries its axis, which arithmetic drops.
    """

    axis: int | range | None
    """The coordinate axis that this field is, a vector coordinate's range of axes, or None for every other field."""

    # Lets a numpy array on the left hand side fall through to our reflected operators, which refuse it.
    __array_ufunc__ = None

    def __getattr__(self, name: str) -> Any:
        """The methods of tensors, as torch functions on fields."""
        method = None if name.startswith("_") else getattr(Tensor, name, None)
        if callable(method):
            return partial(self.apply_method, method)
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def apply_method(self, method: Callable[..., Any], *args: object, **kwargs: object) -> Any:
        """`method(self, *args, **kwargs)` for an unbound tensor method."""
        return self.apply(method, (self, *args), kwargs)

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
            axis = self._axis(coordinate)
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
        return cls.apply(func, args, kwargs or {})

    def _binary(self, function: Callable[..., Any], left: object, right: object) -> Any:
        for operand in (left, right):
            if not isinstance(operand, Field | Tensor | numbers.Real):
                raise UserError(
                    f"{function.__name__}(field, {type(operand).__module__}.{type(operand).__name__}) is not "
                    "defined: use floats or torch tensors beside fields (torch.as_tensor converts a numpy array)"
                )
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

    def __bool__(self) -> bool:
        """Refused: a residual must not branch on the values of a field."""
        raise UserError(
            "the truth value of a field is not defined: a residual cannot branch on values; "
            "use torch.where on a tensor condition or write the two cases as two constraints"
        )

    def _refuse_comparison(self, other: object) -> bool:
        raise UserError(
            "fields cannot be compared: a residual cannot branch on values; compare .value, which is a tensor"
        )

    __lt__ = __le__ = __gt__ = __ge__ = _refuse_comparison
    __eq__ = __ne__ = _refuse_comparison  # object's own would answer False and let the residual go on
    __hash__ = object.__hash__
