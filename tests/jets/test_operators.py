"""Operators of fields, the collapsed Laplacian, vector inputs and the stochastic estimator."""

import copy
import pickle

import pytest
import torch

from pinnlab import biharmonic, directional, div, grad, laplacian
from pinnlab.engines import NTP, Autograd, estimate_laplacian
from pinnlab.equations import Constraint, Equation, Vector
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import Collapsed, IndexSet, Jet
from pinnlab.jets.functions.compiled import LARGEST
from pinnlab.networks import MLP
from pinnlab.residuals import Residuals

UNIT = Box(t=(0, 1), x=(0, 1), y=(0, 1))


class Space(Equation):
    inputs = ("t", "x", "y")
    outputs = ("u",)

    def __init__(self, residual):
        super().__init__()
        self.residual = residual

    def constraints(self):
        return {"interior": Constraint(UNIT, self.residual)}


RESIDUALS = {
    "heat": (lambda t, x, y, u: u.d(t) - laplacian(u, x, y), 5),
    "quasilinear": (lambda t, x, y, u: u * u.d(x) - (1 + u * u) * laplacian(u, x, y) + x * y, 5),
    "wave": (lambda t, x, y, u: u.d(t, t) - laplacian(u, x, y), 6),
    "of a product": (lambda t, x, y, u: laplacian(u * x, x, y), 4),
    "mixed": (lambda t, x, y, u: u.d(x, y) + laplacian(u, x, y), 5),
    "beside a second derivative": (lambda t, x, y, u: u.d(x, x) - laplacian(u, x, y), 5),
    "divergence of the gradient": (lambda t, x, y, u: div(grad(u, x, y), x, y), 5),
    "eikonal": (lambda t, x, y, u: (grad(u, x, y) ** 2).sum(-1) - 1, 3),
    "conductivity": (lambda t, x, y, u: div([(1 + x) * u.d(x), (1 + x) * u.d(y)], x, y), 5),
    "twice": (lambda t, x, y, u: laplacian(laplacian(u, x, y), x, y), 13),
    "plate": (lambda t, x, y, u: biharmonic(u, t, x, y), 25),
    "directional": (lambda t, x, y, u: directional(u, torch.tensor([1.0, -2.0, 0.5]), t, x, y, order=2), 10),
}


@pytest.mark.parametrize("name", RESIDUALS)
def test_engines_agree_on_operators(name):
    residual, _ = RESIDUALS[name]
    torch.manual_seed(0)
    network = MLP(3, 1, 8, 2)
    points = {"interior": {axis: torch.rand(7) for axis in ("t", "x", "y")}}
    jet, partitions, nested = (
        Residuals(network, Space(residual), engine)(points)["interior"]
        for engine in (NTP(), NTP("faa_di_bruno"), Autograd())
    )
    tolerance = 1e-10 * float(nested.detach().abs().max())
    torch.testing.assert_close(jet, nested, rtol=0, atol=tolerance)
    torch.testing.assert_close(partitions, nested, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", ["heat", "quasilinear", "wave", "of a product", "plate"])
def test_no_more_coefficients_than_needed(name):
    residual, count = RESIDUALS[name]
    term = Residuals(MLP(3, 1), Space(residual), NTP()).terms["interior"]
    assert len(term.indices) <= count


def test_equal_collapsed_algebras_are_one_object():
    algebra = Collapsed.over([0, 1], [(0, 0)], 2)
    assert copy.deepcopy(algebra) is algebra
    assert pickle.loads(pickle.dumps(algebra)) is algebra
    assert Collapsed.over([0, 1], [(2, 0)], 2) is None


def test_the_product_of_a_collapsed_algebra_is_associative_and_commutative():
    algebra = Collapsed.over([1, 2], [(2, 0, 0), (1, 1, 0)], 3)

    def times(i, j):
        return None if i is None or j is None else algebra.multiply(i, j)

    for i in range(len(algebra)):
        for j in range(len(algebra)):
            assert times(i, j) == times(j, i)
            for k in range(len(algebra)):
                assert times(times(i, j), k) == times(i, times(j, k))


def test_a_vector_input_gives_gradients_and_its_components_are_coordinates():
    torch.manual_seed(0)
    network = MLP(4, 1, 8, 2)
    points = {"t": torch.rand(5), "x": torch.rand(5, 3)}
    for engine in (NTP(), Autograd()):
        fields = engine.fields(network, points, ("u",), IndexSet.simplex(4, 2))
        u, x = fields["u"], fields["x"]
        assert u.d(x).shape == (5, 3)
        torch.testing.assert_close(u.d(x)[..., 1].value, u.d(x[..., 1]).value)
        torch.testing.assert_close(laplacian(u, x).value, div(u.d(x), x).value)
    with pytest.raises(UserError, match="positive dimension"):
        Vector("x", 0)


def test_the_stochastic_laplacian_of_a_quadratic_has_its_known_variance():
    d = 200
    torch.manual_seed(0)
    matrix = torch.randn(d, d) / d
    symmetric = (matrix + matrix.T) / 2

    class Quadratic(torch.nn.Module):
        def forward(self, x):
            return 0.5 * (x * (x @ symmetric)).sum(-1, keepdim=True)

    estimate = estimate_laplacian(Quadratic(), torch.rand(2, d), 2000, torch.Generator().manual_seed(1))
    assert float(((estimate.mean - symmetric.trace()).abs() / estimate.standard_error).max()) < 3
    # With random signs v, Var(vᵀ A v) = 2 Σ_{i≠j} A_ij².
    variance = 2 * (symmetric.square().sum() - symmetric.diagonal().square().sum())
    torch.testing.assert_close(estimate.variance, variance.expand(2, 1), rtol=0.15, atol=0)


def test_directions_are_the_seeds_of_directional_derivatives():
    torch.manual_seed(0)
    network, x = MLP(3, 1, 8, 2), torch.rand(4, 3)
    v = torch.randn(3)
    along = network(Jet.seed(x, IndexSet.simplex(1, 3), directions=v[None])).derivative((3,))
    fields = Autograd().fields(network, dict(zip("xyz", x.unbind(-1), strict=True)), ("u",), IndexSet.simplex(3, 3))
    u = directional(fields["u"], v, *(fields[name] for name in "xyz"), order=3)
    torch.testing.assert_close(along[:, 0], u.value)


def test_autocast_is_refused():
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(UserError, match="autocast"):
        MLP(1, 1)(Jet.seed(torch.rand(3, 1), IndexSet.simplex(1, 2)))


# torch's compiler uses deprecated parts of torch itself
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_compiled_recurrences_agree_with_the_eager_ones():
    torch.manual_seed(0)
    network, points = MLP(1, 1, 8, 2), {"x": torch.rand(16)}
    seen = []
    for engine in (NTP(), NTP(compile=True)):
        u = engine.fields(network, points, ("u",), IndexSet.simplex(1, 3))["u"]
        network.zero_grad()
        u.derivative((3,)).square().mean().backward()
        seen.append((u.coefficients.detach(), network[0].weight.grad.clone()))
    for eager, compiled in zip(*seen, strict=True):
        torch.testing.assert_close(compiled, eager)


def test_partitions_are_not_compiled():
    with pytest.raises(UserError, match="compile: true is for the recurrence"):
        NTP("faa_di_bruno", compile=True)


def test_index_sets_too_large_to_compile_are_refused():
    engine, network = NTP(compile=True), MLP(2, 1, 4, 1)
    points = {"x": torch.rand(3), "y": torch.rand(3)}
    with pytest.raises(UserError, match=r"up to 256 products .* need 330, up to order 7: set compile: false"):
        engine.fields(network, points, ("u",), IndexSet.simplex(2, 7))
    assert IndexSet.simplex(2, 6).pairs <= LARGEST and IndexSet.simplex(1, 21).pairs <= LARGEST
    assert IndexSet.simplex(1, 22).pairs > LARGEST
