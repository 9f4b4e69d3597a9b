"""Truncated graded algebras: the basis, degrees and product tables that jets are series over.

A graded algebra here has a basis e_0 = 1, e_1, …, e_{K-1} sorted by degree, and every product of two basis
elements is another basis element or zero (truncated). A downward-closed set of multi-indices is one instance:
e_α e_β = e_{α+β}. Everything that jets do (products, series recurrences and their adjoints) uses the table and
the degrees alone, so another algebra with the same interface is served by the same code.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property

import torch
from torch import Tensor

MultiIndex = tuple[int, ...]
"""A multi-index α: one derivative count per coordinate axis."""


class Algebra(ABC):
    """A commutative graded algebra with a monomial basis e_0 = 1, …, e_{K-1}, sorted by degree.

    `IndexSet` and `Collapsed` are its two kinds. A jet over an algebra holds K coefficients for every value, and a
    product of two jets sums `pairs` products of coefficients.

    Example:
        >>> from pinnlab.jets import IndexSet
        >>> algebra = IndexSet.simplex(dimension=1, order=3)
        >>> algebra.degrees, algebra.pairs
        ((0, 1, 2, 3), 10)
        >>> algebra.multiply(1, 2), algebra.multiply(2, 2)  # x · x² = x³, and x² · x² is truncated
        (3, None)
    """

    @property
    @abstractmethod
    def degrees(self) -> tuple[int, ...]:
        """The degree of every basis element; non-decreasing, and 0 for the unit alone."""

    @abstractmethod
    def multiply(self, i: int, j: int) -> int | None:
        """The k with e_i e_j = e_k, or None where the product is truncated to zero."""

    # An element of degree 1 stands for a derivative along an axis; differentiation and mixing ask for the following.

    dimension: int
    position: dict[MultiIndex, int]

    @property
    @abstractmethod
    def units(self) -> tuple[int | None, ...]:
        """The position of e_axis for every axis; None for an axis without derivatives."""

    @abstractmethod
    def shifted(self, axis: int) -> tuple[IndexSet, tuple[int, ...], tuple[int, ...]] | None:
        """How differentiation along `axis` shifts coefficients; see `IndexSet.shifted`."""

    @abstractmethod
    def positions(self, subset: Algebra) -> tuple[int, ...]:
        """The position in this algebra of every element of `subset`."""

    @abstractmethod
    def intersection(self, other: Algebra) -> Algebra:
        """The algebra of the elements that both algebras carry."""

    @abstractmethod
    def __contains__(self, alpha: MultiIndex) -> bool:
        """Whether ∂^α is carried on its own."""

    def __len__(self) -> int:
        """The number K of basis elements."""
        return len(self.degrees)

    @property
    def order(self) -> int:
        """The largest degree."""
        return self.degrees[-1]

    @cached_property
    def factors(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For every k, the pairs (i, j) with e_i e_j = e_k: the product table, by target."""
        table: list[list[tuple[int, int]]] = [[] for _ in range(len(self))]
        for i, j in itertools.product(range(len(self)), repeat=2):
            if self.degrees[i] + self.degrees[j] <= self.order and (k := self.multiply(i, j)) is not None:
                table[k].append((i, j))
        return tuple(tuple(pairs) for pairs in table)

    @cached_property
    def squares(self) -> tuple[tuple[tuple[int, int, float], ...], ...]:
        """`factors` for a product of a series with itself: (i, j, w) with i ≤ j, w = 2 off the diagonal."""
        return tuple(tuple((i, j, 1.0 if i == j else 2.0) for i, j in pairs if i <= j) for pairs in self.factors)

    @cached_property
    def recurrence(self) -> tuple[tuple[tuple[int, int, float], ...], ...]:
        """For every k, the (a, b, |a|/|k|) with e_a e_b = e_k and |a| ≥ 1: how a series integrates y' = x' p."""
        return tuple(
            tuple((a, b, self.degrees[a] / self.degrees[k]) for a, b in pairs if self.degrees[a])
            for k, pairs in enumerate(self.factors)
        )

    @cached_property
    def multiples(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For every i, the pairs (k, j) with e_i e_j = e_k: the product table, by factor."""
        table: list[list[tuple[int, int]]] = [[] for _ in range(len(self))]
        for k, pairs in enumerate(self.factors):
            for i, j in pairs:
                table[i].append((k, j))
        return tuple(tuple(pairs) for pairs in table)

    @cached_property
    def pairs(self) -> int:
        """The number of products of basis elements that are not truncated."""
        return sum(map(len, self.factors))

    @cache  # noqa: B019  (algebras are shared for the life of the process)
    def table(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """The product table as index tensors (i, j, k) with e_i e_j = e_k, each `(pairs,)`."""
        triples = [(i, j, k) for k, pairs in enumerate(self.factors) for i, j in pairs]
        i, j, k = torch.tensor(triples, device=device).unbind(-1)
        return i.contiguous(), j.contiguous(), k.contiguous()

    @cached_property
    def layers(self) -> tuple[range, ...]:
        """The positions of the basis elements of degree 0, 1, …, order."""
        return tuple(
            range(self.degrees.index(d), len(self.degrees) - self.degrees[::-1].index(d)) for d in range(self.order + 1)
        )


class IndexSet(Algebra):
    """A finite downward-closed set of multi-indices: the basis of truncated Taylor series.

    A downward-closed set holds with α every β ≤ α. The coefficient of a jet at α is ∂^α u / α!, so that products
    are plain convolutions, e_α e_β = e_{α+β}. Build one with `IndexSet.simplex` or `IndexSet.closure`; equal
    sets are the same object, which makes comparison and the tables cheap.

    Example:
        >>> from pinnlab.jets import IndexSet
        >>> IndexSet.closure([(2, 1)])  # all that u_xxy needs
        IndexSet([(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (2, 1)])
        >>> len(IndexSet.simplex(dimension=2, order=9))
        55
    """

    def __init__(self, indices: tuple[MultiIndex, ...]) -> None:
        """Use `IndexSet.of`, which sorts the indices and shares equal sets."""
        self.indices = indices
        self.dimension = len(indices[0])
        self.position = {alpha: k for k, alpha in enumerate(indices)}

    @staticmethod
    def of(indices: Iterable[MultiIndex]) -> IndexSet:
        """The index set with exactly these indices, which must be downward closed.

        Raises:
            ValueError: if the set is empty, mixes dimensions, or is not downward closed.
        """
        found = set(indices)
        if not found or len({len(alpha) for alpha in found}) != 1:
            raise ValueError("an index set needs at least one multi-index, all of the same dimension")
        for alpha in found:
            if any(a < 0 for a in alpha) or any(below not in found for below in _predecessors(alpha)):
                raise ValueError(f"the index set is not downward closed at {alpha}")
        return _shared(frozenset(found))

    @staticmethod
    def simplex(dimension: int, order: int) -> IndexSet:
        """All multi-indices of `dimension` axes with |α| ≤ order."""
        return _shared(frozenset(a for degree in range(order + 1) for a in of_degree(dimension, degree)))

    @staticmethod
    def closure(indices: Iterable[MultiIndex]) -> IndexSet:
        """The smallest downward-closed set that holds `indices`."""
        found: set[MultiIndex] = set()
        stack = list(indices)
        while stack:
            alpha = stack.pop()
            if alpha not in found:
                found.add(alpha)
                stack.extend(_predecessors(alpha))
        return _shared(frozenset(found))

    @cached_property
    def degrees(self) -> tuple[int, ...]:
        """The order |α| of every multi-index."""
        return tuple(sum(alpha) for alpha in self.indices)

    def multiply(self, i: int, j: int) -> int | None:
        """The position of α_i + α_j, or None where it lies outside the set."""
        return self.position.get(add(self.indices[i], self.indices[j]))

    @cached_property
    def units(self) -> tuple[int | None, ...]:
        """The position of e_axis for every axis; None for an axis along which the set has no derivative."""
        return tuple(self.position.get(unit(self.dimension, axis)) for axis in range(self.dimension))

    @cache  # noqa: B019
    def shifted(self, axis: int) -> tuple[IndexSet, tuple[int, ...], tuple[int, ...]] | None:
        """How differentiation along `axis` shifts coefficients: to the set {α : α + e ∈ A} from this set A.

        Returns:
            The new set, for each of its α the position of α + e in this set, and the factor α_axis + 1
            (coefficients are normalised by α!); None if this set holds no derivative along the axis.
        """
        step = unit(self.dimension, axis)
        kept = [alpha for alpha in self.indices if add(alpha, step) in self.position]
        if not kept:
            return None
        target = _shared(frozenset(kept))
        sources = tuple(self.position[add(alpha, step)] for alpha in target.indices)
        return target, sources, tuple(alpha[axis] + 1 for alpha in target.indices)

    @cache  # noqa: B019
    def positions(self, subset: Algebra) -> tuple[int, ...]:
        """The position in this set of every index of `subset`."""
        assert isinstance(subset, IndexSet)
        return tuple(self.position[alpha] for alpha in subset.indices)

    @cache  # noqa: B019
    def intersection(self, other: Algebra) -> Algebra:
        """The indices that are in both sets, a downward-closed set again."""
        if not isinstance(other, IndexSet):
            return other.intersection(self)
        if self.dimension != other.dimension:
            raise ValueError(f"index sets of {self.dimension} and {other.dimension} axes do not mix")
        return _shared(frozenset(self.indices) & frozenset(other.indices))

    def __contains__(self, alpha: MultiIndex) -> bool:
        """Whether the multi-index belongs to the set."""
        return alpha in self.position

    def __iter__(self) -> Iterator[MultiIndex]:
        """The multi-indices, by degree and, within a degree, descending."""
        return iter(self.indices)

    def __repr__(self) -> str:
        """The set written out."""
        return f"IndexSet({list(self.indices)})"

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Copies and pickles stay the shared object."""
        return _shared, (frozenset(self.indices),)


@cache
def _shared(indices: frozenset[MultiIndex]) -> IndexSet:
    return IndexSet(tuple(sorted(indices, key=lambda alpha: (sum(alpha), tuple(-a for a in alpha)))))


def constant(numbers: Sequence[int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """The numbers as a tensor, `(len(numbers),)`, copied from pinned memory, so that no processor waits for a GPU."""
    host = torch.tensor(numbers, dtype=dtype, pin_memory=device.type == "cuda")
    return host.to(device, non_blocking=True)


def add(alpha: MultiIndex, beta: MultiIndex) -> MultiIndex:
    """The sum α + β."""
    return tuple(a + b for a, b in zip(alpha, beta, strict=True))


def unit(dimension: int, axis: int) -> MultiIndex:
    """The multi-index of one derivative along `axis`."""
    return tuple(int(i == axis) for i in range(dimension))


def of_degree(dimension: int, degree: int) -> Iterator[MultiIndex]:
    """The multi-indices of `dimension` axes with |α| = degree, descending."""
    for axes in itertools.combinations_with_replacement(range(dimension), degree):
        alpha = [0] * dimension
        for axis in axes:
            alpha[axis] += 1
        yield tuple(alpha)


def factorial(alpha: MultiIndex) -> int:
    """The factorial α! = Π α_i!."""
    return math.prod(math.factorial(a) for a in alpha)


def _predecessors(alpha: MultiIndex) -> Iterator[MultiIndex]:
    for axis, a in enumerate(alpha):
        if a:
            yield (*alpha[:axis], a - 1, *alpha[axis + 1 :])
