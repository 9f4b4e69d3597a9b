"""Every engine with every activation, held against nested reverse mode and fifty digits."""

from functools import cache
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from pinnlab.engines import NTP, Autograd, Engine
from pinnlab.jets import IndexSet
from pinnlab.jets.series.algebra import factorial, of_degree
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


@cache
def along_lattice() -> tuple[Tensor, Tensor]:
    """Directions that determine every mixed partial of order 8, and the Taylor coefficients along them."""
    network, points = case(TestRecurrence.subjects["tanh"], 3, torch.float64)
    directions = [[component / 8 for component in alpha] for alpha in of_degree(3, 8)]
    truths = [taylor(network, points[0].tolist(), v, 8) for v in directions]  # type: ignore[arg-type]
    return torch.tensor(directions), torch.tensor([[float(c) for c in truth] for truth in truths])


@pytest.mark.parametrize("engine", [NTP("recurrence"), NTP("faa_di_bruno")], ids=["recurrence", "partitions"])
def test_order_eight_in_three_inputs(engine: Engine):
    network, points = case(TestRecurrence.subjects["tanh"], 3, torch.float64)
    indices = IndexSet.simplex(3, 8)
    coefficients = torch.cat(derivatives(engine, network, points[:1], indices))
    coefficients /= torch.tensor([float(factorial(alpha)) for alpha in indices])
    directions, truth = along_lattice()
    terms = coefficients * directions[:, None].pow(torch.tensor(indices.indices)).prod(-1)
    for j, layer in enumerate(indices.layers):
        agree(terms[:, layer.start : layer.stop].sum(-1), truth[:, j], 1e-11, j)
