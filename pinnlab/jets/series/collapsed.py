"""The algebra of the collapsed Laplacian: Δu over d axes from d + 2 coefficients.

A Laplacian needs the sum of the second-order coefficients over a group of axes, and none of them alone. The algebra
therefore sets the products of the group's axes to e_i e_j = δ_ij L with one new element L of degree 2. It is again a
truncated graded algebra, and the coefficient of u at L is Δu / 2. The forward Laplacian (Li et al. 2023), or collapsed
Taylor mode (Dangel et al. 2025), is the recurrence of every other jet, over this algebra.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property

from pinnlab.jets.series.algebra import Algebra, IndexSet, MultiIndex, add, unit


class Collapsed(Algebra):
    """A downward-closed set of multi-indices with one more element L = e_i² for every axis i of the group.

    Build one with `Collapsed.over`; equal algebras are the same object.

    Example:
        >>> import torch
        >>> from pinnlab.jets import Collapsed, Jet
        >>> algebra = Collapsed.over(range(100), [], dimension=100)
        >>> len(algebra)
        102
        >>> x = Jet.seed(torch.ones(1, 100), algebra)
        >>> (x**2).sum(-1).laplacian(range(100)).value
        tensor([200.])
    """

    def __init__(self, base: IndexSet, group: tuple[int, ...]) -> None:
        """Use `Collapsed.over`."""
        self.base = base
        self.group = group
        self.dimension = base.dimension
        behind = next((k for k, degree in enumerate(base.degrees) if degree > 2), len(base))
        self.indices: tuple[MultiIndex | None, ...] = (*base.indices[:behind], None, *base.indices[behind:])
        self.position = {alpha: k for k, alpha in enumerate(self.indices) if alpha is not None}
        self.top = behind

    @staticmethod
    def over(group: Iterable[int], indices: Iterable[MultiIndex], dimension: int) -> Collapsed | None:
        """The smallest algebra with the Laplacian over `group` and the derivatives `indices`.

        Returns:
            The algebra, or None if some index asks for a second derivative along one axis of the group on its own.
        """
        axes = tuple(sorted(group))
        base = IndexSet.closure([*indices, *(unit(dimension, axis) for axis in axes)])
        if any(alpha[axis] > 1 for alpha in base for axis in axes):
            return None
        return _shared(base, axes)

    @cached_property
    def degrees(self) -> tuple[int, ...]:
        """The degree of every element: |α|, and 2 for L."""
        return tuple(2 if alpha is None else sum(alpha) for alpha in self.indices)

    @cached_property
    def _axis(self) -> dict[int, int]:
        return {k: axis for axis, k in enumerate(self.units) if k is not None and axis in self.group}

    def multiply(self, i: int, j: int) -> int | None:
        """The product e_α e_β: e_{α+β} where the set has it, L for e_i² with i in the group, and zero otherwise."""
        if i == 0 or j == 0:
            return i + j
        if i == j and i in self._axis:
            return self.top
        alpha, beta = self.indices[i], self.indices[j]
        if alpha is None or beta is None or (self._flat and i in self._axis and j in self._axis):
            return None
        return self.position.get(add(alpha, beta))

    @cached_property
    def _flat(self) -> bool:
        # In a set without mixed derivatives the many products of two axes are zero and need no look-up.
        return self.base.order == 1

    @cached_property
    def units(self) -> tuple[int | None, ...]:
        """The position of e_axis for every axis; None for an axis without derivatives."""
        return tuple(self.position.get(unit(self.dimension, axis)) for axis in range(self.dimension))

    @cache  # noqa: B019
    def shifted(self, axis: int) -> tuple[IndexSet, tuple[int, ...], tuple[int, ...]] | None:
        """How differentiation along `axis` shifts coefficients; see `IndexSet.shifted`."""
        shifted = self.base.shifted(axis)
        if shifted is None:
            return None
        target, sources, factors = shifted
        return target, tuple(self.position[self.base.indices[k]] for k in sources), factors

    @cache  # noqa: B019
    def positions(self, subset: Algebra) -> tuple[int, ...]:
        """The position of every index of `subset`."""
        assert isinstance(subset, IndexSet)
        return tuple(self.position[alpha] for alpha in subset.indices)

    def intersection(self, other: Algebra) -> Algebra:
        """The algebra of the elements that both algebras carry."""
        if other is self:
            return self
        return self.base.intersection(other.base if isinstance(other, Collapsed) else other)

    def __contains__(self, alpha: MultiIndex) -> bool:
        """Whether ∂^α is carried on its own."""
        return alpha in self.position

    def __repr__(self) -> str:
        """The set written out."""
        return f"Collapsed({list(self.base.indices)}, Laplacian over {list(self.group)})"

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Copies and pickles stay the shared object."""
        return _shared, (self.base, self.group)


@cache
def _shared(base: IndexSet, group: tuple[int, ...]) -> Collapsed:
    return Collapsed(base, group)
