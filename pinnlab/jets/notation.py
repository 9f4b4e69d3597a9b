"""Python's own operators on fields: arithmetic and comparisons, and the conversions that a field refuses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets import foreign


class Notation(ABC):
    """Python's operators, each as the torch function that does the same, by `dispatch`."""

    @property
    @abstractmethod
    def value(self) -> Tensor:
        """The values at the points, a tensor of shape `(N, ...)`."""

    @property
    def shape(self) -> torch.Size:
        """The shape of the values, `(N, ...)`."""
        return self.value.shape

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the values."""
        return self.value.dtype

    @property
    def device(self) -> torch.device:
        """The device of the values."""
        return self.value.device

    @classmethod
    @abstractmethod
    def dispatch(cls, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The torch function called on fields, `function(*args, **kwargs)`."""

    @abstractmethod
    def __getitem__(self, item: object) -> Self:
        """Indexing of the value's dimensions, `(N, ...)`."""

    def _binary(self, function: Callable[..., Any], left: object, right: object) -> Any:
        other = right if left is self else left
        if type(other) not in _READY and not isinstance(other, Notation | Tensor):
            other = foreign.operand(other, function.__name__, self.dtype, self.device)
            left, right = (left, other) if left is self else (other, right)
        return self.dispatch(function, (left, right), {})

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
        return self.dispatch(torch.neg, (self,), {})

    def __pos__(self) -> Self:
        """The field itself."""
        return self

    def __abs__(self) -> Self:
        """The absolute value, smooth away from zeros."""
        return self.dispatch(torch.abs, (self,), {})

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
        """The whole quotient of the values, a plain tensor: it jumps, and has no derivatives."""
        return self._binary(torch.floor_divide, self, divisor)

    def __rfloordiv__(self, other: object) -> Any:
        """The whole quotient of the values, a plain tensor: it jumps, and has no derivatives."""
        return self._binary(torch.div, other, self).floor().value.detach()

    def __round__(self, digits: int = 0) -> Self:
        """The nearest whole number, which jumps."""
        if digits:
            raise UserError("round(field, digits) is not defined: write torch.round(u * 10**digits) / 10**digits")
        return self.dispatch(torch.round, (self,), {})

    def __setitem__(self, item: object, value: object) -> None:
        """Refused: fields do not change."""
        raise UserError("a field cannot be changed in place: choose between expressions by torch.where(x < 0.5, a, b)")

    def __format__(self, spec: str) -> str:
        """As `repr`, whatever the format: a field is no number."""
        return repr(self)

    def __lt__(self, other: object) -> Any:
        """Where the values are less: a plain tensor of booleans, for `torch.where`."""
        return self._binary(torch.lt, self, other)

    def __le__(self, other: object) -> Any:
        """Where the values are less or equal."""
        return self._binary(torch.le, self, other)

    def __gt__(self, other: object) -> Any:
        """Where the values are greater."""
        return self._binary(torch.gt, self, other)

    def __ge__(self, other: object) -> Any:
        """Where the values are greater or equal."""
        return self._binary(torch.ge, self, other)

    def __eq__(self, other: object) -> Any:
        """Where the values are equal: object's own would answer False and let the residual go on."""
        return self._binary(torch.eq, self, other)

    def __ne__(self, other: object) -> Any:
        """Where the values differ."""
        return self._binary(torch.ne, self, other)

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
