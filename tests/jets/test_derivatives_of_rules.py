"""Every function of series is differentiable to second order, in both modes, and runs under vmap and jacrev.

Gradients with respect to the coefficients are what training uses.
"""

import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from pinnlab.jets import IndexSet, Jet
from pinnlab.jets.functions.compiled import Compiled
from pinnlab.jets.functions.faa_di_bruno import faa_di_bruno
from pinnlab.jets.functions.recurrence import recurrence
from pinnlab.jets.rules import structure
from pinnlab.jets.series import product as product_module
from pinnlab.jets.series.product import correlate, product
from tests.jets.cases import ELEMENTARY

SETS = {
    "line": IndexSet.simplex(1, 3),
    "plane": IndexSet.closure([(2, 1), (0, 2)]),
}
COMPOSITIONS = {"recurrence": recurrence, "partitions": faa_di_bruno}
IN_BRIEF = ("gelu",)
"""Functions that are compiled in every test run, beside the tanh of a network; all are in the long one."""


@pytest.fixture(params=SETS)
def indices(request):
    return SETS[request.param]


@pytest.fixture(params=COMPOSITIONS)
def composition(request):
    return COMPOSITIONS[request.param]


@pytest.fixture(params=["gather", "loop"])
def branch(request, monkeypatch):
    """Small and large products take different ways."""
    monkeypatch.setattr(product_module, "_GATHERED", -1.0 if request.param == "gather" else math.inf)


def stack(indices, centre, points=2):
    coefficients = 0.6 * torch.randn(len(indices), points)
    coefficients[0] = centre + 0.1 * torch.rand(points)
    return coefficients.requires_grad_()


def bound(name, indices, composition):
    """A composition with an elementary function, as a function of the coefficients."""
    function = ELEMENTARY[name][0]
    return lambda coefficients: function(Jet(coefficients, indices, composition=composition)).coefficients


@pytest.mark.parametrize("name", ELEMENTARY)
def test_elementary_functions_pass_gradcheck(name, indices, composition):
    x = stack(indices, ELEMENTARY[name][2], points=1)
    function = bound(name, indices, composition)
    assert gradcheck(function, (x,), check_forward_ad=True)
    assert gradgradcheck(function, (x,))


@pytest.mark.parametrize("name", ELEMENTARY)
def test_both_compositions_agree(name, indices):
    x = stack(indices, ELEMENTARY[name][2], points=4)
    found, truth = (bound(name, indices, composition)(x) for composition in COMPOSITIONS.values())
    torch.testing.assert_close(found, truth, rtol=1e-11, atol=1e-12)
    # each composition differentiates to the other's numbers as well
    weights = torch.randn_like(found)
    torch.testing.assert_close(
        *(torch.autograd.grad((value * weights).sum(), x)[0] for value in (found, truth)), rtol=1e-10, atol=1e-11
    )


# torch's compiler uses deprecated parts of torch itself
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in IN_BRIEF else pytest.mark.long) for n in ELEMENTARY]
)
def test_the_compiled_recurrence_agrees(name, indices):
    x = stack(indices, ELEMENTARY[name][2], points=4)
    found, truth = (bound(name, indices, composition)(x) for composition in (Compiled(), recurrence))
    torch.testing.assert_close(found, truth, rtol=1e-12, atol=1e-13)
    weights = torch.randn_like(found)
    torch.testing.assert_close(
        *(torch.autograd.grad((value * weights).sum(), x)[0] for value in (found, truth)), rtol=1e-12, atol=1e-13
    )


@pytest.mark.parametrize("name", ELEMENTARY)
def test_elementary_functions_run_under_vmap_and_jacrev(name, indices, composition):
    function = bound(name, indices, composition)
    x = stack(indices, ELEMENTARY[name][2], points=3).detach()
    mapped = torch.func.vmap(function, in_dims=1, out_dims=1)(x)
    torch.testing.assert_close(mapped, function(x))
    jacobians = torch.func.vmap(torch.func.jacrev(function), in_dims=1)(x)
    forward = torch.func.vmap(torch.func.jacfwd(function), in_dims=1)(x)
    whole = torch.autograd.functional.jacobian(function, x)
    for i in range(3):
        torch.testing.assert_close(jacobians[i], whole[:, i, :, i])
    torch.testing.assert_close(forward, jacobians)


@pytest.mark.usefixtures("branch")
@pytest.mark.parametrize("function", [product, correlate], ids=["product", "correlate"])
class TestBilinear:
    def test_gradients_of_first_and_second_order(self, function, indices):
        a, b = stack(indices, 0.5), stack(indices, 0.5)
        assert gradcheck(lambda a, b: function(a, b, indices), (a, b), check_forward_ad=True)
        assert gradgradcheck(lambda a, b: function(a, b, indices), (a, b))

    def test_the_same_factor_twice(self, function, indices):
        a = stack(indices, 0.5)
        assert gradcheck(lambda a: function(a, a, indices), (a,), check_forward_ad=True)
        torch.testing.assert_close(function(a, a, indices), function(a, a.clone(), indices))

    def test_vmap(self, function, indices):
        a, b = stack(indices, 0.5, 3).detach(), stack(indices, 0.5, 3).detach()

        def bound(a, b):
            return function(a, b, indices)

        whole = bound(a, b)
        torch.testing.assert_close(torch.func.vmap(bound, in_dims=1, out_dims=1)(a, b), whole)
        one = torch.func.vmap(bound, in_dims=(1, None), out_dims=1)(a, b[:, 0])
        torch.testing.assert_close(one, bound(a, b[:, :1].expand_as(a)))
        jacobian = torch.func.vmap(torch.func.jacrev(bound), in_dims=1)(a, b)
        assert jacobian.shape == (3, len(indices), len(indices))


def test_correlation_is_the_adjoint_of_the_product(indices):
    a, b, c = (stack(indices, 0.0) for _ in range(3))
    left = (c * product(a, b, indices)).sum()
    right = (a * correlate(c, b, indices)).sum()
    torch.testing.assert_close(left, right)


def test_gathered_and_looped_products_agree(indices, monkeypatch):
    a, b = stack(indices, 0.5, 5), stack(indices, 0.5, 5)
    for function in (product, correlate):
        small = function(a, b, indices)
        monkeypatch.setattr(product_module, "_GATHERED", math.inf)
        torch.testing.assert_close(function(a, b, indices), small)
        monkeypatch.undo()


def linear(x, weight, bias):
    return structure._Linear.apply(x, weight, bias)


def test_linear_passes_gradcheck():
    x, weight, bias = (torch.randn(shape, requires_grad=True) for shape in ((3, 2, 4), (5, 4), (5,)))
    assert gradcheck(linear, (x, weight, bias), check_forward_ad=True)
    assert gradgradcheck(linear, (x, weight, bias))


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)], ids=str)
@pytest.mark.parametrize(
    "in_dims", [(1, None, None), (1, 0, 0), (None, 0, None), (None, None, 0), (None, 0, 0)], ids=str
)
def test_linear_under_vmap(lead, in_dims):
    size = 6  # the number of coefficients too, where a wrong alignment of dimensions would go unnoticed by shapes
    x = torch.randn(6, *([] if in_dims[0] is None else [size]), *lead, 4)
    weight = torch.randn(*([] if in_dims[1] is None else [size]), 5, 4)
    bias = torch.randn(*([] if in_dims[2] is None else [size]), 5)
    found = torch.func.vmap(linear, in_dims=in_dims, out_dims=1)(x, weight, bias)
    for i in range(size):
        args = [a if dim is None else a.select(dim, i) for a, dim in zip((x, weight, bias), in_dims, strict=True)]
        torch.testing.assert_close(found[:, i], linear(*args))
