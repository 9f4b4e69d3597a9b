"""The suite that every engine, activation and network must pass; a subclass supplies constructors alone."""

import copy
import math
import pickle
from collections.abc import Callable
from functools import cache
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from pinnlab.engines import Engine
from pinnlab.jets import IndexSet
from tests.truth import agree, nested, taylor

Build = Callable[[int, int], nn.Module]
ORDERS = {1: 8, 2: 6, 3: 4}


@cache
def case(build: Build, dimension: int, dtype: torch.dtype) -> tuple[nn.Module, Tensor]:
    """A network of one output with parameters exact in both precisions, and a few points."""
    torch.manual_seed(dimension)
    network = build(dimension, 1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_((parameter + 0.3 * torch.randn_like(parameter)).float())
    return network.to(dtype), torch.rand(3, dimension).mul(2).sub(1).float().to(dtype)


@cache
def truth(build: Build, dimension: int) -> list[Tensor]:
    """All derivatives up to the order of the suite, by nested reverse mode in float64."""
    network, points = case(build, dimension, torch.float64)
    indices = IndexSet.simplex(dimension, ORDERS[dimension])
    return [value.detach() for value in nested(lambda x: network(x)[:, 0], points, indices)]


def derivatives(engine: Engine, network: nn.Module, points: Tensor, indices: IndexSet) -> list[Tensor]:
    """∂^α of the network's only output by the engine, for every index."""
    coordinates = {f"x{axis}": column for axis, column in enumerate(points.unbind(-1))}
    u = engine.fields(network, coordinates, ("u",), indices)["u"]
    return [u.derivative(alpha) for alpha in indices]


class Conformance:
    """What is true of every engine with every network.

    A subclass gives the engine and the networks, and inherits the tests.
    """

    engine: ClassVar[Engine]
    subjects: ClassVar[dict[str, Build]]
    dimensions: ClassVar[tuple[int, ...]] = (1, 2, 3)

    @pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-4)], ids=str)
    def test_derivatives_of_all_orders(
        self, subject: Build, dimension: int, dtype: torch.dtype, tolerance: float
    ) -> None:
        network, points = case(subject, dimension, dtype)
        indices = IndexSet.simplex(dimension, ORDERS[dimension])
        found = derivatives(self.engine, network, points, indices)
        for alpha, value, true in zip(indices, found, truth(subject, dimension), strict=True):
            assert value.dtype == dtype
            agree(value.double(), true, tolerance, alpha)

    def test_gradients_reach_every_parameter(self, subject: Build, dimension: int) -> None:
        network, points = case(subject, dimension, torch.float64)
        indices = IndexSet.simplex(dimension, 2)
        parameters = list(network.parameters())

        def gradients(values: list[Tensor]) -> tuple[Tensor, ...]:
            return torch.autograd.grad(sum(v.square().sum() for v in values), parameters)  # type: ignore[arg-type]

        found = gradients(derivatives(self.engine, network, points, indices))
        for value, true in zip(found, gradients(nested(lambda x: network(x)[:, 0], points, indices)), strict=True):
            agree(value, true, 1e-12)

    def test_a_smaller_index_set_gives_the_same_numbers(self, subject: Build, dimension: int) -> None:
        network, points = case(subject, dimension, torch.float64)
        whole = IndexSet.simplex(dimension, 3)
        by_index = dict(zip(whole, derivatives(self.engine, network, points, whole), strict=True))
        part = IndexSet.closure([(2, *[1] * (dimension - 1))[:dimension], (0,) * dimension])
        part = IndexSet.of(set(part) & set(whole))
        for alpha, value in zip(part, derivatives(self.engine, network, points, part), strict=True):
            agree(value, by_index[alpha], 1e-12, alpha)

    def test_points_do_not_see_each_other(self, subject: Build, dimension: int) -> None:
        network, points = case(subject, dimension, torch.float64)
        indices = IndexSet.simplex(dimension, 3)
        together = derivatives(self.engine, network, points, indices)
        alone = [derivatives(self.engine, network, point[None], indices) for point in points]
        for alpha, value, *parts in zip(indices, together, *alone, strict=True):
            agree(value, torch.cat(parts), 1e-13, alpha)

    def test_copies_and_pickles_give_the_same_numbers(self, subject: Build) -> None:
        network, points = case(subject, self.dimensions[0], torch.float64)
        indices = IndexSet.simplex(self.dimensions[0], 2)
        expected = derivatives(self.engine, network, points, indices)
        for twin in (copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))):
            engine, other = twin(self.engine), twin(network)
            for value, true in zip(derivatives(engine, other, points, indices), expected, strict=True):
                assert torch.equal(value, true)
            with torch.no_grad():  # the twin owns its parameters
                next(other.parameters()).add_(1)
            assert torch.equal(derivatives(self.engine, network, points, indices)[0], expected[0])

    def test_functional_call_uses_the_given_parameters(self, subject: Build) -> None:
        network, points = case(subject, self.dimensions[0], torch.float64)
        indices = IndexSet.simplex(self.dimensions[0], 2)
        parameters = {name: 1.1 * value.detach() for name, value in network.named_parameters()}
        scaled = copy.deepcopy(network)
        scaled.load_state_dict(parameters, strict=False)  # a module may have more state than its parameters

        def stateless(x: Tensor) -> Tensor:
            return torch.func.functional_call(network, parameters, (x,))

        call = _Wrapped(stateless)
        for value, true in zip(
            derivatives(self.engine, call, points, indices),
            derivatives(self.engine, scaled, points, indices),
            strict=True,
        ):
            assert torch.equal(value, true)


class _Wrapped(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class HighPrecision:
    """For plain multilayer perceptrons: the truth at 50 digits."""

    engine: ClassVar[Engine]
    subjects: ClassVar[dict[str, Build]]

    def test_one_input_against_fifty_digits(self, subject: Build) -> None:
        order = ORDERS[1]
        network, points = case(subject, 1, torch.float64)
        found = derivatives(self.engine, network, points, IndexSet.simplex(1, order))
        truths = [taylor(network, point, [1.0], order) for point in points.tolist()]  # type: ignore[arg-type]
        for j, value in enumerate(found):
            agree(value, torch.tensor([float(t[j]) * math.factorial(j) for t in truths]), 1e-12, j)


class Vectorised:
    """For engines that run under `torch.func` transforms."""

    engine: ClassVar[Engine]
    subjects: ClassVar[dict[str, Build]]

    def test_vmap_over_points(self, subject: Build) -> None:
        network, points = case(subject, 1, torch.float64)
        indices = IndexSet.simplex(1, 3)

        def one(point: Tensor) -> Tensor:
            return torch.stack(derivatives(self.engine, network, point[None], indices))[:, 0]

        together = torch.stack(derivatives(self.engine, network, points, indices))
        agree(torch.func.vmap(one)(points), together.T, 1e-13)

    def test_vmap_over_networks(self, subject: Build) -> None:
        network, points = case(subject, self.dimensions[-1], torch.float64)
        indices = IndexSet.simplex(points.shape[-1], 2)
        members = [{k: (1 + 0.1 * i) * v.detach() for k, v in network.named_parameters()} for i in range(6)]

        def member(parameters: dict[str, Tensor]) -> Tensor:
            call = _Wrapped(lambda x: torch.func.functional_call(network, parameters, (x,)))
            return torch.stack(derivatives(self.engine, call, points, indices))

        stacked = {name: torch.stack([m[name] for m in members]) for name in members[0]}
        agree(torch.func.vmap(member)(stacked), torch.stack([member(m) for m in members]), 1e-13)

    def test_per_point_jacobian_of_parameters(self, subject: Build) -> None:
        network, points = case(subject, 1, torch.float64)
        indices = IndexSet.simplex(1, 2)
        parameters = {name: value.detach() for name, value in network.named_parameters()}

        def row(parameters: dict[str, Tensor], point: Tensor) -> Tensor:
            call = _Wrapped(lambda x: torch.func.functional_call(network, parameters, (x,)))
            return derivatives(self.engine, call, point[None], indices)[-1][0]

        found = torch.func.vmap(torch.func.jacrev(row), in_dims=(None, 0))(parameters, points)
        for i, point in enumerate(points):
            value = derivatives(self.engine, network, point[None], indices)[-1][0]
            grads = torch.autograd.grad(value, list(network.parameters()), materialize_grads=True)
            for name, gradient in zip(parameters, grads, strict=True):
                agree(found[name][i], gradient, 1e-12, name)
