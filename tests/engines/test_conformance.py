"""Every engine with every activation, held against nested reverse mode and fifty digits."""

import itertools
from typing import ClassVar

import pytest
import torch

from pinnlab.engines import NTP, Autograd, Engine
from pinnlab.jets import IndexSet
from pinnlab.jets.algebra import factorial, of_degree
from pinnlab.networks import MLP
from tests.conformance import Build, Conformance, HighPrecision, Vectorised, case, derivatives
from tests.truth import agree, taylor

SMOOTH = ("tanh", "sin", "sigmoid", "softplus", "silu", "gelu", "softsign")


def mlp(activation: str) -> Build:
    depth = 1 if activation == "softsign" else 2  # nested reverse mode of quotients grows fastest
    return lambda inputs, outputs: MLP(inputs, outputs, width=4, depth=depth, activation=activation)


class TestRecurrence(Conformance, HighPrecision, Vectorised):
    engine = NTP("recurrence")
    subjects: ClassVar = {name: mlp(name) for name in SMOOTH}


class TestPartitions(Conformance, HighPrecision, Vectorised):
    engine = NTP("faa_di_bruno")
    subjects = TestRecurrence.subjects


class TestAutograd(Conformance, HighPrecision):
    engine = Autograd()
    subjects = TestRecurrence.subjects


@pytest.mark.parametrize("engine", [NTP("recurrence"), NTP("faa_di_bruno")], ids=["recurrence", "partitions"])
def test_order_eight_in_three_inputs(engine: Engine):
    """Directional derivatives along a lattice of directions, which determine every mixed partial of order 8."""
    order, dimension = 8, 3
    network, points = case(TestRecurrence.subjects["tanh"], dimension, torch.float64)
    indices = IndexSet.simplex(dimension, order)
    found = torch.cat(derivatives(engine, network, points[:1], indices))
    for direction in of_degree(dimension, order):
        v = [component / order for component in direction]
        truth = taylor(network, points[0].tolist(), v, order)  # type: ignore[arg-type]
        monomials = torch.tensor([torch.tensor(v).pow(torch.tensor(a)).prod() / factorial(a) for a in indices])
        ends = list(itertools.accumulate(len(layer) for layer in indices.layers))
        for j, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            agree((found * monomials)[start:end].sum(), torch.tensor(float(truth[j])), 1e-11, (direction, j))
