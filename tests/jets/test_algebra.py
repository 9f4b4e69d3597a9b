"""Index sets and their product tables: what they hold, and how the work grows."""

import copy
import math
import pickle
from itertools import product

import pytest
from hypothesis import given

from pinnlab.jets import IndexSet
from pinnlab.jets.functions.faa_di_bruno import partitions
from pinnlab.jets.series.algebra import add, factorial
from tests.jets.cases import index_sets


@given(index_sets())
def test_an_index_set_is_downward_closed_sorted_and_shared(indices):
    for alpha in indices:
        assert all(beta in indices for beta in product(*(range(a + 1) for a in alpha)))
    assert list(indices.degrees) == sorted(indices.degrees)
    assert IndexSet.of(reversed(indices.indices)) is indices
    assert copy.deepcopy(indices) is indices
    assert pickle.loads(pickle.dumps(indices)) is indices


@given(index_sets())
def test_product_tables_hold_every_pair_once(indices):
    truth = {
        (i, j): indices.position[add(a, b)]
        for (i, a), (j, b) in product(enumerate(indices), repeat=2)
        if add(a, b) in indices
    }
    assert {pair: k for k, pairs in enumerate(indices.factors) for pair in pairs} == truth
    assert {(i, j): k for i, pairs in enumerate(indices.multiples) for k, j in pairs} == truth
    assert indices.pairs == len(truth)
    for pairs, triples in zip(indices.factors, indices.squares, strict=True):
        assert sum(w for *_, w in triples) == len(pairs)


@given(index_sets())
def test_the_recurrence_integrates_derivatives(indices):
    # y' = x' p with p = 1 gives y = x: only b = 0 remains, with weight one.
    for k, triples in enumerate(indices.recurrence[1:], start=1):
        assert [(a, w) for a, b, w in triples if b == 0] == [(k, 1.0)]
        assert all(indices.degrees[a] >= 1 for a, _, _ in triples)


@given(index_sets(minimum=(1,)))
def test_differentiation_shifts_the_set(indices):
    for axis in range(indices.dimension):
        shifted = indices.shifted(axis)
        step = tuple(int(i == axis) for i in range(indices.dimension))
        expected = [alpha for alpha in indices if add(alpha, step) in indices]
        if not expected:
            assert shifted is None
            continue
        assert shifted is not None
        target, sources, factors = shifted
        assert target is IndexSet.of(expected)
        for alpha, source, factor in zip(target, sources, factors, strict=True):
            assert indices.indices[source] == add(alpha, step)
            assert factor * factorial(alpha) == factorial(add(alpha, step))


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_work_of_a_product_is_polynomial_in_the_order(dimension):
    for order in range(9):
        indices = IndexSet.simplex(dimension, order)
        assert len(indices) == math.comb(order + dimension, dimension)
        assert indices.pairs == math.comb(order + 2 * dimension, 2 * dimension)
        assert [len(layer) for layer in indices.layers] == [
            math.comb(degree + dimension - 1, dimension - 1) for degree in range(order + 1)
        ]


def test_the_work_of_the_recurrence_is_quadratic_in_one_variable():
    for order in range(1, 20):
        assert sum(map(len, IndexSet.simplex(1, order).recurrence)) == order * (order + 1) // 2


def test_the_work_of_the_partition_rule_is_the_partition_numbers():
    known = [1, 1, 2, 3, 5, 7, 11, 15, 22, 30, 42, 56, 77, 101, 135]
    assert [sum(1 for _ in partitions((n,))) for n in range(len(known))] == known
    bipartite = [1, 2, 9, 31, 109]  # of (n, n)
    assert [sum(1 for _ in partitions((n, n))) for n in range(len(bipartite))] == bipartite


@pytest.mark.parametrize("alpha", [(4,), (2, 2), (1, 2, 1)])
def test_partitions_are_distinct_and_sum_to_the_index(alpha):
    found = list(partitions(alpha))
    assert len({frozenset(p) for p in found}) == len(found)
    for partition in found:
        total = (0,) * len(alpha)
        for beta, count in partition:
            assert any(beta)
            for _ in range(count):
                total = add(total, beta)
        assert total == alpha


def test_bad_sets_are_refused():
    for indices in ([], [(0,), (0, 0)], [(0,), (2,)], [(0, 0), (1, -1)]):
        with pytest.raises(ValueError, match="index set"):
            IndexSet.of(indices)
    with pytest.raises(ValueError, match="axes do not mix"):
        IndexSet.simplex(1, 2).intersection(IndexSet.simplex(2, 2))
