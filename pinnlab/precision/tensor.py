"""A tensor of double-double numbers that torch's own code accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from pinnlab.errors import UserError
from pinnlab.precision import arithmetic, functions
from pinnlab.precision.arithmetic import Pair, exactly

aten = torch.ops.aten


class DoubleDouble(Tensor):
    """A float64 tensor that carries its rounding error along: about 32 digits.

    Every elementary operation of torch on it, in modules, jets and residuals alike, is carried out on the pairs
    (hi, lo); as a tensor it is hi. It has no gradients: use it under `torch.no_grad`.

    Example:
        >>> import torch
        >>> from pinnlab.precision import doubled
        >>> third = doubled(torch.ones(1)) / 3
        >>> float((3 * third - 1).abs()) < 1e-31
        True
    """

    high: Tensor
    """The number rounded to float64, on the memory of this tensor."""
    low: Tensor
    """The rounding error."""

    @staticmethod
    def __new__(cls: type[DoubleDouble], high: Tensor, low: Tensor) -> DoubleDouble:
        """Wraps a pair: hi and lo float64, of one shape and layout."""
        self: DoubleDouble = Tensor._make_subclass(cls, high)
        self.high, self.low = high, low
        return self

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Iterable[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Carries out one operation of torch.

        Raises:
            UserError: if the operation has no rule for double-double numbers.
        """
        kwargs = dict(kwargs or {})
        packet = func.overloadpacket
        if packet in _COMPARISONS:
            return func(*tree_map(_high, list(args)), **kwargs)
        if packet in _PARTWISE:
            return _partwise(func, args, kwargs)
        rule = _RULES.get(packet)
        if rule is None:
            raise unsupported(str(packet))
        out = kwargs.pop("out", None)
        result = _wrapped(rule(*args, **kwargs))
        name = packet.__name__
        target = args[0] if name.endswith("_") and not name.startswith("_") else out
        if target is None:
            return result
        target.high.copy_(result.high)
        target.low.copy_(result.low)
        return target

    def __repr__(self) -> str:  # type: ignore[override]
        """Both parts."""
        return f"DoubleDouble({self.high!r}, {self.low!r})"


def doubled(tensor: Tensor) -> DoubleDouble:
    """The double-double numbers of the same values as a float tensor, in memory of their own.

    Raises:
        UserError: on a device without float64.
    """
    if tensor.device.type == "mps":
        raise UserError("double-double numbers need float64, which the device mps lacks")
    high = torch.empty_like(tensor, dtype=torch.float64).copy_(tensor.detach())
    return DoubleDouble(high, torch.zeros_like(high))


def unsupported(name: str) -> UserError:
    """The error for an operation that has no rule for double-double numbers."""
    return UserError(f"{name} has no rule for double-double numbers")


def _high(x: Any) -> Any:
    return x.high if isinstance(x, DoubleDouble) else x


def _low(x: Any) -> Any:
    if isinstance(x, DoubleDouble):
        return x.low
    return torch.zeros_like(x) if isinstance(x, Tensor) and x.is_floating_point() else x


def _wrapped(pair: Pair) -> DoubleDouble:
    return DoubleDouble(*pair)


def _pair(x: Any, like: Any = None) -> Pair:
    """An operand as a pair; a number has no dimensions."""
    if isinstance(x, DoubleDouble):
        return x.high, x.low
    if not isinstance(x, Tensor):
        assert like is not None
        x = torch.tensor(float(x), dtype=torch.float64, device=like.device)
    return exactly(x.double())


def _partwise(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Runs an operation that moves numbers about on both parts; an operation in place returns its target."""
    high = func(*tree_map(_high, list(args)), **tree_map(_high, dict(kwargs)))
    low = func(*tree_map(_low, list(args)), **tree_map(_low, dict(kwargs)))
    if func._schema.is_mutable:
        return args[0]
    if isinstance(high, Tensor):
        return DoubleDouble(high, low) if high.is_floating_point() else high
    return [DoubleDouble(h, part) for h, part in zip(high, low, strict=True)]


def _packets(names: str) -> set[Any]:
    return {getattr(aten, name) for name in names.split()}


_PARTWISE = _packets(
    "alias _reshape_alias _unsafe_view as_strided cat clone contiguous copy_ detach diagonal empty_like expand flip "
    "gather index index_select lift_fresh movedim neg new_empty new_zeros permute repeat reshape roll select slice "
    "split split_with_sizes squeeze stack t transpose unbind unfold unsqueeze view where zero_ zeros_like"
)
"""Operations that move numbers about, or change their sign."""

_COMPARISONS = _packets(
    "eq ne lt le gt ge isfinite isnan sign ones_like new_ones new_full _local_scalar_dense any all is_same_size"
)
"""Operations whose result the high parts alone decide."""


def _unary(function: Callable[[Pair], Pair]) -> Callable[..., Pair]:
    return lambda x: function(_pair(x))


def _binary(function: Callable[[Pair, Pair], Pair]) -> Callable[..., Pair]:
    def rule(a: Any, b: Any, alpha: float = 1) -> Pair:
        like = a if isinstance(a, Tensor) else b
        left, right = _pair(a, like), _pair(b, like)
        if alpha != 1:
            right = arithmetic.multiply(right, _pair(alpha, like))
        return function(left, right)

    return rule


def _addcmul(total: Any, a: Any, b: Any, value: float = 1) -> Pair:
    product = arithmetic.multiply(_pair(a), _pair(b))
    if value != 1:
        product = arithmetic.multiply(product, _pair(value, a))
    return arithmetic.add(_pair(total), product)


def _matmul(a: Any, b: Any) -> Pair:
    return arithmetic.matrix_product(_pair(a), _pair(b))


def _mv(a: Any, b: Any) -> Pair:
    hi, lo = arithmetic.matrix_product(_pair(a), _pair(b.unsqueeze(-1)))
    return hi[:, 0], lo[:, 0]


def _addmm(bias: Any, a: Any, b: Any) -> Pair:
    return arithmetic.add(_pair(bias), _matmul(a, b))


def _sum(x: Any, dim: Any = None, keepdim: bool = False) -> Pair:
    dims = range(x.ndim) if dim is None or dim == [] else [d % x.ndim for d in dim]
    pair = _pair(x)
    for d in sorted(dims, reverse=True):
        pair = arithmetic.total(pair, d)
        if keepdim:
            pair = pair[0].unsqueeze(d), pair[1].unsqueeze(d)
    return pair


def _mean(x: Any, dim: Any = None, keepdim: bool = False) -> Pair:
    hi, lo = _sum(x, dim, keepdim)
    return arithmetic.divide((hi, lo), _pair(x.numel() // max(hi.numel(), 1), hi))


def _index_add(x: Any, dim: int, index: Tensor, source: Any) -> Pair:
    hi, lo = (part.movedim(dim, 0).clone() for part in _pair(x))
    more = tuple(part.movedim(dim, 0) for part in _pair(source))
    for position, i in enumerate(index.tolist()):
        hi[i], lo[i] = arithmetic.add((hi[i], lo[i]), (more[0][position], more[1][position]))
    return hi.movedim(0, dim), lo.movedim(0, dim)


def _gelu(x: Any, approximate: str = "none") -> Pair:
    if approximate != "none":
        raise unsupported(f"gelu({approximate})")
    return arithmetic.multiply(_pair(x), functions.ndtr(_pair(x)))


def _copied(x: Any, dtype: torch.dtype | None = None, **_: Any) -> Pair:
    if dtype not in (None, torch.float64):
        raise unsupported(f"a change to {dtype}")
    return x.high.clone(), x.low.clone()


def _larger(a: Pair, b: Pair) -> Pair:
    return arithmetic.choose(a[0] >= b[0], a, b)


def _smaller(a: Pair, b: Pair) -> Pair:
    return arithmetic.choose(a[0] <= b[0], a, b)


_RULES: dict[Any, Callable[..., Pair]] = {
    aten.abs: _unary(functions.absolute),
    aten.add: _binary(arithmetic.add),
    aten.add_: _binary(arithmetic.add),
    aten.addcmul: _addcmul,
    aten.addcmul_: _addcmul,
    aten.addmm: _addmm,
    aten.atan2: _binary(functions.atan2),
    aten.bmm: _matmul,
    aten.div: _binary(arithmetic.divide),
    aten.div_: _binary(arithmetic.divide),
    aten.fill_: lambda x, value: tuple(part.expand_as(x.high) for part in _pair(value, x)),
    aten.gelu: _gelu,
    aten.index_add: _index_add,
    aten.index_add_: _index_add,
    aten.logaddexp: _binary(functions.logaddexp),
    aten.maximum: _binary(_larger),
    aten.mean: _mean,
    aten.minimum: _binary(_smaller),
    aten.mm: _matmul,
    aten.mul: _binary(arithmetic.multiply),
    aten.mul_: _binary(arithmetic.multiply),
    aten.mv: _mv,
    aten.pow: lambda x, exponent: functions.power(_pair(x), exponent),
    aten.reciprocal: lambda x: functions.power(_pair(x), -1),
    aten.rsqrt: lambda x: functions.power(_pair(x), -0.5),
    aten.rsub: _binary(lambda a, b: arithmetic.subtract(b, a)),
    aten.special_ndtr: _unary(functions.ndtr),
    aten.sqrt: _unary(arithmetic.square_root),
    aten.sub: _binary(arithmetic.subtract),
    aten.sub_: _binary(arithmetic.subtract),
    aten.sum: _sum,
    aten._to_copy: _copied,
} | {
    getattr(aten, name): _unary(getattr(functions, name))
    for name in (
        *("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "atan"),
        *("sinh", "cosh", "tanh", "sigmoid", "erf"),
    )
}
"""Operations on numbers."""
