"""A symbolic probe: which derivatives of the network does a residual consume?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

from pinnlab.errors import UserError
from pinnlab.jets.algebra import MultiIndex, add, unit
from pinnlab.jets.field import Field


class Probe(Field):
    """A field that records the derivatives it is made of instead of computing any.

    A node holds the set of shifts it consumes: coordinates and outputs of the network hold {0}, `.d` shifts every
    element by one derivative along its axis, and everything else unions its operands. To have ∂^α of the node,
    its operands must supply ∂^{α+s} for every shift s. Values live on the meta
    device: they have shapes and no numbers, so control flow that depends on data is an error.
    """

    def __init__(
        self,
        shape: Sequence[int],
        dimension: int,
        shifts: Iterable[MultiIndex],
        axis: int | range | None = None,
        laplacians: Iterable[tuple[int, ...]] = (),
    ) -> None:
        """A probe of the given shape of values; `dimension` is the number of coordinate axes."""
        self._value = torch.empty(tuple(shape), device="meta")
        self.dimension = dimension
        self.shifts = frozenset(shifts)
        self.axis = axis
        self.laplacians = frozenset(laplacians)

    @classmethod
    def output(cls, shape: Sequence[int], dimension: int) -> Probe:
        """An output of the network."""
        return cls(shape, dimension, [(0,) * dimension])

    @classmethod
    def coordinate(cls, shape: Sequence[int], dimension: int, axis: int | range) -> Probe:
        """A coordinate: its expressions can be differentiated too, like (x * x).d(x)."""
        return cls(shape, dimension, [(0,) * dimension], axis)

    @property
    def value(self) -> Tensor:
        """A tensor without numbers, `(N, ...)`."""
        return self._value

    def differentiate(self, axis: int) -> Probe:
        """Every shift with one more derivative along the axis."""
        step = unit(self.dimension, axis)
        return Probe(self.shape, self.dimension, (add(shift, step) for shift in self.written_out()))

    def laplacian(self, axes: Sequence[int]) -> Field:
        """The Laplacian of the outputs is noted as such; that of anything else by its second derivatives."""
        if len(axes) > 1 and not self.laplacians and self.shifts == {(0,) * self.dimension}:
            return Probe(self.shape, self.dimension, (), laplacians=[tuple(sorted(axes))])
        return super().laplacian(axes)

    def written_out(self) -> frozenset[MultiIndex]:
        """The shifts, with Laplacians as the second derivatives that they are sums of."""
        return self.shifts | {
            tuple(2 * a for a in unit(self.dimension, axis)) for axes in self.laplacians for axis in axes
        }

    def derivative(self, alpha: MultiIndex) -> Tensor:
        """A probe has no numbers to give.

        Raises:
            UserError: always.
        """
        raise UserError("a residual cannot ask for the values of derivatives; use .d(…)")

    @classmethod
    def apply(cls, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Runs the function for its shape and unions what its operands consume."""
        leaves, _ = tree_flatten((args, kwargs), is_leaf=lambda leaf: isinstance(leaf, Field))
        probes = [leaf for leaf in leaves if isinstance(leaf, Probe)]
        shifts = frozenset().union(*(probe.shifts for probe in probes))
        laplacians = frozenset().union(*(probe.laplacians for probe in probes))
        dimension = probes[0].dimension

        def strip(leaf: object) -> object:
            if isinstance(leaf, Probe):
                return leaf.value
            return leaf.to("meta") if isinstance(leaf, Tensor) else leaf

        plain_args, plain_kwargs = tree_map(
            strip, (tuple(args), dict(kwargs)), is_leaf=lambda leaf: isinstance(leaf, Field)
        )

        def wrap(leaf: object) -> object:
            return cls(leaf.shape, dimension, shifts, None, laplacians) if isinstance(leaf, Tensor) else leaf

        try:
            result = function(*plain_args, **plain_kwargs)
        except (RuntimeError, NotImplementedError) as error:
            if "meta" in str(error):
                raise UserError(
                    f"{getattr(function, '__name__', function)} depends on the values of a field; "
                    "a residual cannot branch on values"
                ) from error
            raise
        return tree_map(wrap, result)
