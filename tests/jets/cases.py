"""Random jets for the laws, and the elementary functions with their derivatives and domains."""

from collections.abc import Callable, Sequence
from typing import Any

import hypothesis.strategies as st
import torch

from pinnlab.jets import IndexSet, Jet

Function = Callable[[Any], Any]


@st.composite
def index_sets(draw: st.DrawFn, order: int = 4, minimum: Sequence[int] = ()) -> IndexSet:
    """Downward-closed sets of every shape, not simplices alone."""
    dimension = draw(st.integers(max(1, len(minimum)), 3))
    index = st.tuples(*[st.integers(0, order)] * dimension).filter(lambda alpha: sum(alpha) <= order)
    indices = draw(st.lists(index, min_size=1, max_size=3))
    return IndexSet.closure([*indices, (*minimum, *[0] * (dimension - len(minimum)))])


@st.composite
def jets(draw: st.DrawFn, count: int, minimum: Sequence[int] = ()) -> tuple[Jet, ...]:
    """Jets over one index set, with values in [0.5, 1.5] so that they can divide and be powers."""
    indices = draw(index_sets(minimum=minimum))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    return tuple(jet(indices, generator) for _ in range(count))


def jet(indices: IndexSet, generator: torch.Generator | None = None, shape: tuple[int, ...] = (3,)) -> Jet:
    coefficients = torch.rand(len(indices), *shape, generator=generator) - 0.5
    coefficients[0] += 1
    return Jet(coefficients, indices)


def coordinates(like: Jet) -> list[Jet]:
    """The coordinates of the index set, to differentiate along."""
    seed = Jet.seed(torch.zeros(3, like.indices.dimension), like.indices)
    return [seed.coordinate(axis) for axis in range(like.indices.dimension)]


def same(a: Jet, b: Jet, tolerance: float = 1e-12) -> None:
    """Asserts equal jets, up to rounding of the size of the larger coefficients."""
    assert a.indices is b.indices
    scale = max(1.0, float(b.coefficients.detach().abs().max()))
    assert float((a.coefficients - b.coefficients).detach().abs().max()) <= tolerance * scale


# name ↦ (σ, σ', a point of its domain well inside it)
ELEMENTARY: dict[str, tuple[Function, Function, float]] = {
    "tanh": (torch.tanh, lambda x: 1 - torch.tanh(x) ** 2, 0.3),
    "sigmoid": (torch.sigmoid, lambda x: torch.sigmoid(x) * torch.sigmoid(-x), -0.4),
    "sin": (torch.sin, torch.cos, 0.7),
    "cos": (torch.cos, lambda x: -torch.sin(x), 0.7),
    "tan": (torch.tan, lambda x: 1 / torch.cos(x) ** 2, 0.4),
    "atan": (torch.atan, lambda x: 1 / (1 + x * x), 0.8),
    "sinh": (torch.sinh, torch.cosh, 0.5),
    "cosh": (torch.cosh, torch.sinh, 0.5),
    "exp": (torch.exp, torch.exp, 0.2),
    "expm1": (torch.expm1, torch.exp, 0.2),
    "log": (torch.log, lambda x: 1 / x, 1.4),
    "log1p": (torch.log1p, lambda x: 1 / (1 + x), 0.4),
    "reciprocal": (torch.reciprocal, lambda x: -1 / x**2, 1.3),
    "sqrt": (torch.sqrt, lambda x: 0.5 * torch.rsqrt(x), 1.2),
    "rsqrt": (torch.rsqrt, lambda x: -0.5 * torch.rsqrt(x) / x, 1.2),
    "erf": (torch.erf, lambda x: 2 / torch.pi**0.5 * torch.exp(-x * x), 0.6),
    "power": (lambda x: x**2.3, lambda x: 2.3 * x**1.3, 0.9),
    "inverse_power": (lambda x: x**-1.7, lambda x: -1.7 * x**-2.7, 1.1),
    "softplus": (torch.nn.functional.softplus, torch.sigmoid, 0.3),
    "silu": (
        torch.nn.functional.silu,
        lambda x: torch.sigmoid(x) + x * torch.sigmoid(x) * torch.sigmoid(-x),
        0.5,
    ),
    "gelu": (
        torch.nn.functional.gelu,
        lambda x: (1 + torch.erf(x / 2**0.5)) / 2 + x * torch.exp(-x * x / 2) / (2 * torch.pi) ** 0.5,
        0.5,
    ),
}
