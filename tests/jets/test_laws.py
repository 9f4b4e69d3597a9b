"""Laws of differential algebra that hold for every jet."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pinnlab.errors import UserError
from pinnlab.jets import IndexSet, Jet
from tests.jets.cases import ELEMENTARY, coordinates, index_sets, jet, jets, same


@given(jets(3))
def test_jets_are_a_commutative_ring(uvw):
    u, v, w = uvw
    same(u * v, v * u, 1e-15)
    same((u * v) * w, u * (v * w))
    same(u * (v + w), u * v + u * w)
    same(u + v, v + u, 0)
    same((u + v) - v, u)
    same(u * 1, u, 0)
    same(-u, -1 * u, 0)
    same(u**2, u * u)
    same(u**5, u * u * u * u * u)


@given(jets(2))
def test_division_undoes_multiplication(uv):
    u, v = uv
    same((u / v) * v, u, 1e-10)
    same((1 / v) * v, torch.ones_like(v), 1e-10)
    same(u / 3, u * (1 / 3))
    same(v**-2 * v * v, torch.ones_like(v), 1e-10)


@given(jets(2))
def test_functions_undo_their_inverses(uv):
    u, v = uv
    same(torch.exp(torch.log(u)), u, 1e-10)
    same(torch.log(torch.exp(u)), u, 1e-10)
    same(torch.sqrt(u) ** 2, u, 1e-10)
    same(torch.expm1(torch.log1p(u)), u, 1e-10)
    same(torch.tan(torch.atan(u)), u, 1e-9)
    same((u**1.6) ** (1 / 1.6), u, 1e-10)
    same(torch.sin(u) ** 2 + torch.cos(u) ** 2, torch.ones_like(u), 1e-10)
    same(torch.cosh(u) ** 2 - torch.sinh(u) ** 2, torch.ones_like(u), 1e-10)
    same(torch.exp(u + v), torch.exp(u) * torch.exp(v), 1e-10)
    same(torch.tanh(u), torch.sinh(u) / torch.cosh(u), 1e-10)
    same(torch.sigmoid(u), 1 / (1 + torch.exp(-u)), 1e-10)
    same(torch.rsqrt(u) * torch.sqrt(u), torch.ones_like(u), 1e-10)


@given(jets(2, minimum=(1,)), st.floats(-2, 2))
def test_differentiation_is_linear_and_obeys_leibniz(uv, factor):
    u, v = uv
    x = coordinates(u)[0]
    same((u + factor * v).d(x), u.d(x) + factor * v.d(x))
    same((u * v).d(x), u.d(x) * v + u * v.d(x))
    same((u / v).d(x), (u.d(x) * v - u * v.d(x)) / v**2, 1e-10)
    same((u**3).d(x), 3 * u**2 * u.d(x))
    same(x.d(x), torch.ones_like(x.d(x)), 0)


@given(jets(1, minimum=(1, 1)))
def test_mixed_partial_derivatives_are_symmetric(u):
    (u,) = u
    x, y = coordinates(u)[:2]
    same(u.d(x).d(y), u.d(y).d(x), 0)
    same(u.d(x, y), u.d(x).d(y), 0)
    rest = [0] * (u.indices.dimension - 2)
    assert torch.equal(u.d(x, y).value, u.derivative((1, 1, *rest)))


@pytest.mark.parametrize("name", ELEMENTARY)
@given(jets(1, minimum=(1,)))
def test_the_chain_rule_holds_as_an_identity_of_series(name, u):
    (u,) = u
    function, derivative, _ = ELEMENTARY[name]
    if name == "tan":
        u = u / 2  # inside (-π/2, π/2)
    for x in coordinates(u):
        if u.indices.shifted(x.axis) is not None:
            same(function(u).d(x), derivative(u) * u.d(x), 1e-9)


def test_the_jet_of_a_composition_is_the_composition_of_jets():
    # f∘g through an inner series in two variables, against the polynomial expanded by hand
    seed = Jet.seed(torch.rand(4, 2), IndexSet.simplex(2, 6))
    x, y = seed[:, 0], seed[:, 1]
    inner = x * y + y**2
    same(inner**3 - 2 * inner, (x**3 + 3 * x**2 * y + 3 * x * y**2 + y**3) * y**3 - 2 * x * y - 2 * y**2)


@given(index_sets(), st.integers(0, 2**31), st.data())
def test_truncation_commutes_with_arithmetic(indices, seed, data):
    generator = torch.Generator().manual_seed(seed)
    u, v = jet(indices, generator), jet(indices, generator)
    part = IndexSet.closure([data.draw(st.sampled_from(indices.indices))])
    cut_u, cut_v = u.on(part), v.on(part)
    for operation in (lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a / b, lambda a, b: torch.tanh(a) * b):
        same(operation(u, v).on(part), operation(cut_u, cut_v), 1e-13)
        same(operation(u, cut_v), operation(cut_u, cut_v), 1e-13)  # mixed sets meet on their intersection


@given(jets(1))
def test_constants_differentiate_to_explicit_zeros(u):
    (u,) = u
    for x in coordinates(u):
        if u.indices.shifted(x.axis) is not None:
            for constant in (torch.zeros_like(u), torch.ones_like(u), u**0, torch.sign(u), 0 * u + 3):
                assert not constant.d(x).coefficients.any()


def test_a_derivative_that_is_not_carried_is_refused():
    u = jet(IndexSet.simplex(2, 1))
    x, y = coordinates(u)
    with pytest.raises(UserError, match="larger index set"):
        u.d(x, y)
    with pytest.raises(UserError, match=r"\(0, 2\) is not carried"):
        u.derivative((0, 2))
    with pytest.raises(ValueError, match="do not fit"):
        Jet(torch.zeros(4, 3), u.indices)
