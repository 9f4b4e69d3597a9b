"""Torch functions on jets, held against the same functions on tensors under nested reverse mode."""

import math
import operator

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pinnlab.errors import UserError
from pinnlab.jets import IndexSet, Jet
from tests.jets.cases import ELEMENTARY
from tests.truth import agree, nested

PLANE = IndexSet.simplex(2, 3)
N = 3
T = torch.linspace(0.5, 1.5, N, dtype=torch.float64)
M = torch.linspace(-1, 1, 9, dtype=torch.float64).reshape(3, 3)
B = torch.linspace(-1, 1, 10 * 3 * 2, dtype=torch.float64).reshape(10, 3, 2)  # as many as jets have coefficients


def points():
    return torch.rand(N, 2) + 0.5


def check(function, tolerance=1e-11, where=points, indices=PLANE):
    """function(p), for p `(N, 2)`, gives the same values and derivatives on a jet as on a tensor."""
    p = where()
    result = function(Jet.seed(p, indices))
    results = result if isinstance(result, tuple | list) else (result,)
    plain = function(p)
    shapes = [part.shape for part in (plain if isinstance(plain, tuple | list) else (plain,))]
    assert [part.shape for part in results] == shapes
    for i, part in enumerate(results):
        truth = nested(lambda q, i=i: _part(function(q), i), p, indices)
        for alpha, true in zip(indices, truth, strict=True):
            agree(part.derivative(alpha), true, tolerance, (i, alpha))


def _part(result, i):
    return result[i] if isinstance(result, tuple | list) else result


def mix(p):
    """A nonlinear map to three columns, `(N, 3)`."""
    x, y = p[:, 0], p[:, 1]
    return torch.stack([x * y, torch.sin(x) + y, x - y * y], -1)


ARITHMETIC = {
    "numbers_left": lambda p: 2 + 3 * p - 1,
    "numbers_right": lambda p: (p * 3 + 2) / 4 - 0.5,
    "reflected": lambda p: 1 - 2 / p,
    "tensor_left": lambda p: T * p[:, 0] + T - T / p[:, 1],
    "tensor_right": lambda p: p[:, 0] * T + p[:, 1] - T + p[:, 1] / T,
    "tensor_of_more_dimensions": lambda p: p[:, 0].unsqueeze(-1) * M.T[:, :2] + mix(p)[:, :2],
    "integer_tensor": lambda p: p * torch.arange(2) + torch.arange(2),
    "jets_that_broadcast": lambda p: p[:, :1] * mix(p) + p[:, 1:] - mix(p) / p[:, :1],
    "alpha": lambda p: torch.add(p[:, 0], p[:, 1], alpha=3) + torch.sub(p[:, 0], T, alpha=2),
    "functions": lambda p: torch.multiply(torch.true_divide(p[:, 0], p[:, 1]), torch.subtract(p[:, 0], p[:, 1])),
    "rsub": lambda p: torch.rsub(p[:, 0], p[:, 1]),
    "positive": lambda p: +p,
    "square": lambda p: torch.square(mix(p)) + p[:, :1].square(),
    "in_place_names": lambda p: operator.iadd(p[:, 0] * 1, p[:, 1]) if isinstance(p, Jet) else p[:, 0] + p[:, 1],
    "where": lambda p: torch.where(T > 1, torch.sin(p[:, 0]) * p[:, 1], p[:, 1] ** 2),
    "where_on_values": lambda p: torch.where((p.value if isinstance(p, Jet) else p)[:, :1] > 1, mix(p), 2.0),
}


@pytest.mark.parametrize("function", ARITHMETIC.values(), ids=ARITHMETIC)
def test_arithmetic(function):
    check(function)


@pytest.mark.parametrize(
    "ranks", [((3,), (2, 3)), ((2, 3), (3,)), ((), (3,)), ((3,), ()), ((2, 1), (10, 2, 3))], ids=str
)
def test_shapes_of_different_ranks_broadcast_as_tensors_do(ranks):
    left, right = (Jet(torch.rand(len(PLANE), *shape) + 0.5, PLANE) for shape in ranks)
    shape = torch.broadcast_shapes(*ranks)
    wide = [Jet(torch.stack([c.expand(shape) for c in jet.coefficients]).contiguous(), PLANE) for jet in (left, right)]
    for operation in (operator.add, operator.sub, operator.mul, operator.truediv):
        for a, b in ((left, right), (left.value, right), (left, right.value)):
            found, truth = (operation(*pair).coefficients for pair in ((a, b), _like((a, b), wide)))
            torch.testing.assert_close(found, truth)


def _like(pair, wide):
    return [jet if isinstance(part, Jet) else jet.value for part, jet in zip(pair, wide, strict=True)]


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 7, 2.0, np.float64(3), -1, -2, 0.5, 1.7, 2.5, 4.25, -0.5, -1.3])
def test_powers(exponent):
    check(lambda p: p[:, 0] ** float(exponent) * p[:, 1] + torch.pow(p[:, 1], float(exponent)))
    jet = Jet.seed(points(), PLANE)[:, 0]
    assert torch.equal((jet**exponent).coefficients, (jet ** float(exponent)).coefficients)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 5])
def test_whole_powers_at_zero_and_below(exponent):
    check(lambda p: (p[:, 0] * p[:, 1]) ** exponent, where=lambda: torch.tensor([[0.0, 1.0], [0.0, 0.0], [-2.0, 1.5]]))


@pytest.mark.parametrize(("exponent", "order"), [(1.5, 1), (2.5, 2), (3.5, 3), (4.2, 4)])
def test_real_powers_have_at_zero_the_derivatives_that_exist(exponent, order):
    x = Jet.seed(torch.tensor([[0.0], [1.0]]), IndexSet.simplex(1, order))
    y = x**exponent
    for j in range(order + 1):
        factor = math.prod(exponent - i for i in range(j))
        torch.testing.assert_close(y.derivative((j,)), torch.tensor([[0.0], [factor]]))


STRUCTURE = {
    "getitem": lambda p: (mix(p)[:, 1], mix(p)[..., 0], mix(p)[:, None], mix(p)[:, -2:], mix(p)[:, [2, 0]]),
    "mask": lambda p: mix(p)[:, torch.tensor([True, False, True])],
    "index_tensors": lambda p: mix(p).reshape(N, 3, 1)[:, torch.tensor([0, 2]), torch.tensor([0, 0])],
    "index_tensors_apart": lambda p: (
        mix(p).reshape(N, 3, 1, 1)[:, torch.tensor([0, 2]), :, torch.tensor([0, 0])].transpose(0, 1)
    ),
    "reshape": lambda p: (mix(p).reshape(N, 3, 1), torch.reshape(mix(p), (N, 1, 3)), mix(p).view(N, -1)),
    "flatten": lambda p: (mix(p).unsqueeze(-1).flatten(1), torch.flatten(mix(p).unsqueeze(1), 1, 2)),
    "expand": lambda p: p[:, :1].expand(N, 5),
    "permute": lambda p: mix(p).unsqueeze(-1).expand(N, 3, 2).permute(0, 2, 1),
    "transpose": lambda p: torch.transpose(mix(p).unsqueeze(-1), 1, 2),
    "movedim": lambda p: torch.movedim(mix(p).unsqueeze(1), -1, 1),
    "unsqueeze": lambda p: (p.unsqueeze(-1), p.unsqueeze(1), torch.unsqueeze(p, -2)),
    "squeeze": lambda p: (mix(p)[:, :1].squeeze(-1), p[:, None, :1].squeeze(), torch.squeeze(p[:, :1], dim=1)),
    "unbind": lambda p: mix(p).unbind(-1),
    "chunk": lambda p: mix(p).chunk(2, -1),
    "split": lambda p: (*torch.split(mix(p), 1, -1), *mix(p).split([1, 2], dim=1)),
    "sum": lambda p: (mix(p).sum(-1), torch.sum(mix(p), dim=1, keepdim=True), mix(p).unsqueeze(-1).sum((1, 2))),
    "mean": lambda p: (mix(p).mean(-1), torch.mean(mix(p), 1, True), mix(p).mean(dim=(-1,))),
    "cat": lambda p: torch.cat([p, mix(p), M.T], -1),
    "stack": lambda p: torch.stack((p[:, 0], T, p[:, 1]), dim=1),
    "contiguous": lambda p: mix(p).contiguous().clone(),
    "constants": lambda p: torch.zeros_like(p) + p[:, :1] * torch.ones_like(p),
}


@pytest.mark.parametrize("function", STRUCTURE.values(), ids=STRUCTURE)
def test_structure(function):
    check(function)


def test_reductions_over_everything():
    p = points()
    jet = mix(Jet.seed(p, PLANE))
    assert jet.sum().shape == jet.mean().shape == ()
    torch.testing.assert_close(jet.sum().coefficients, jet.coefficients.sum((1, 2)))
    torch.testing.assert_close(jet.mean().coefficients, jet.coefficients.mean((1, 2)))


LINEAR = {
    "jet_matrix": lambda p: mix(p) @ M,
    "jet_vector": lambda p: mix(p) @ M[:, 0],
    "matrix_jet": lambda p: (M.T @ mix(p).unsqueeze(-1)).squeeze(-1),
    "jet_batch": lambda p: (mix(p).unsqueeze(1).unsqueeze(1) @ B)[:, ::9, 0, 0],
    "batch_jet": lambda p: (B.mT @ mix(p).unsqueeze(1).unsqueeze(-1))[:, ::9, 0, 0],
    "jet_jet": lambda p: mix(p).unsqueeze(1) @ mix(p).unsqueeze(-1),
    "linear": lambda p: F.linear(mix(p), M.T, T),
    "linear_without_bias": lambda p: F.linear(mix(p), M.T),
}


@pytest.mark.parametrize("function", LINEAR.values(), ids=LINEAR)
def test_linear_maps(function):
    check(function)


@pytest.mark.parametrize("other", [M[:, 0], M, B], ids=["vector", "matrix", "batch"])
def test_matmul_of_every_rank(other):
    """Shapes that broadcast without the points' dimension: each coefficient behaves like a tensor."""
    for shape in ((3,), (2, 3), (10, 2, 3)):
        jet = Jet(torch.randn(len(PLANE), *shape), PLANE)
        truth = torch.stack([c @ other for c in jet.coefficients])
        torch.testing.assert_close((jet @ other).coefficients, truth)
        if other.ndim > 1:
            turned = jet if len(shape) == 1 else jet.transpose(-1, -2)
            truth = torch.stack([other.mT @ c for c in turned.coefficients])
            torch.testing.assert_close((other.mT @ turned).coefficients, truth)
            torch.testing.assert_close(torch.matmul(other.mT, turned).coefficients, truth)


def test_a_parameter_times_a_jet_reaches_the_parameter():
    p = points()
    for make in (lambda c, u: c * u, lambda c, u: u * c, lambda c, u: u / c, lambda c, u: c - u, lambda c, u: c / u):
        parameter = nn.Parameter(torch.tensor(1.7))
        jet = make(parameter, mix(Jet.seed(p, PLANE)))
        (found,) = torch.autograd.grad(jet.coefficients.square().sum(), parameter)
        step = 1e-6
        ends = [make(c, mix(Jet.seed(p, PLANE))).coefficients.square().sum() for c in (1.7 + step, 1.7 - step)]
        assert float(found) == pytest.approx(float(ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", ELEMENTARY)
def test_elementary_functions_at_every_order(name):
    function, _, centre = ELEMENTARY[name]
    line = IndexSet.simplex(1, 7)
    check(function, 1e-10, lambda: centre + 0.2 * torch.rand(N, 1), line)


def test_absolute_value_and_sign_off_zero():
    check(
        lambda p: torch.abs(mix(p) - 0.7) + abs(p[:, :1] - 1.01), where=lambda: torch.tensor([[0.6, 1.2], [1.3, 0.9]])
    )
    check(lambda p: torch.sign(p - 1) * mix(p)[:, :2])


MODULES = {
    "identity": nn.Identity(),
    "dropout_at_rest": nn.Dropout(0.5).eval(),
    "tanh": nn.Tanh(),
    "sigmoid": nn.Sigmoid(),
    "softplus": nn.Softplus(),
    "softplus_beta": nn.Softplus(beta=2.5),
    "silu": nn.SiLU(),
    "gelu": nn.GELU(),
    "gelu_tanh": nn.GELU(approximate="tanh"),
    "softsign": nn.Softsign(),
    "mish": nn.Mish(),
    "logsigmoid": nn.LogSigmoid(),
    "tanhshrink": nn.Tanhshrink(),
    "softmax": nn.Softmax(-1),
    "flatten": nn.Flatten(),
    "unbiased": nn.Linear(3, 2, bias=False).double(),
    "nested": nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.0), nn.Tanh(), nn.Sequential(nn.Linear(4, 2))).double(),
}


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_modules_run_unchanged(module):
    check(lambda p: module(mix(p)), 1e-10)


@pytest.mark.parametrize("affine", [True, False])
def test_layer_normalisation(affine):
    # Against its formula: torch's own kernel is wrong from the third nested derivative on.
    module = nn.LayerNorm(3, elementwise_affine=affine)
    if affine:
        nn.init.normal_(module.weight)
        nn.init.normal_(module.bias)

    def both(p):
        if isinstance(p, Jet):
            return module(mix(p))
        x = mix(p)
        x = (x - x.mean(-1, True)) / torch.sqrt(x.var(-1, correction=0, keepdim=True) + module.eps)
        return x * module.weight + module.bias if affine else x

    check(both, 1e-10)


def test_dropout_masks_all_coefficients_of_a_value_alike():
    jet = mix(Jet.seed(points(), PLANE))
    dropped = nn.Dropout(0.5)(jet).coefficients
    kept = dropped[0] != 0
    assert kept.any() and not kept.all()
    torch.testing.assert_close(dropped, torch.where(kept, 2 * jet.coefficients, 0))


@pytest.mark.parametrize("module", [nn.ReLU(), nn.LeakyReLU(0.1)], ids=["relu", "leaky_relu"])
def test_piecewise_linear_functions_have_one_derivative(module):
    check(lambda p: module(mix(p) - 0.5), indices=IndexSet.simplex(2, 1))
    single = Jet.seed(points().float(), IndexSet.simplex(2, 1))
    assert module(single).dtype == torch.float32
    with pytest.raises(UserError, match=r"no derivatives beyond the first.*smooth activation"):
        module(Jet.seed(points(), IndexSet.simplex(2, 2)))


@pytest.mark.parametrize(
    "module", [nn.Hardtanh(), nn.ELU(), nn.PReLU().double(), nn.Hardswish(), nn.Softshrink()], ids=repr
)
def test_modules_without_a_rule_are_refused_by_name(module):
    name = type(module).__name__.lower()
    with pytest.raises(UserError, match=f"{name} has no rule for jets.*Autograd engine"):
        module(Jet.seed(points(), PLANE))


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("cumsum", lambda u: torch.cumsum(u, 0)),
        ("cumsum", lambda u: u.cumsum(0)),
        ("bessel_j0", torch.special.bessel_j0),
        ("item", lambda u: u.item()),
    ],
)
def test_operations_without_a_rule_are_refused_by_name(name, operation):
    with pytest.raises(UserError, match=name):
        operation(Jet.seed(points(), PLANE))


@pytest.mark.parametrize(
    ("message", "operation"),
    [
        ("truth value", bool),
        ("truth value", lambda u: 1 if u else 0),
        ("builtins.str", lambda u: u * "2"),
        ("complex", lambda u: u * 1j),
        ("numpy.ndarray", lambda u: u * np.array([1j, 2])),
        ("numpy.ndarray", lambda u: u * np.array(["a", "b"])),
        ("torch.sin", math.sin),
        ("torch.sin", float),
        ("torch.sin", int),
        ("torch.sin", complex),
        ("torch.sin", math.floor),
        ("torch.sin", math.trunc),
        ("torch.sin", lambda u: [1, 2, 3][u]),
        ("u \\* 10\\*\\*digits", lambda u: round(u, 2)),
        ("numpy's interp", lambda u: np.interp(u, [0, 1], [0, 1])),
        ("numpy's sum", np.sum),
        ("numpy's add.reduce", np.add.reduce),
        ("numpy's cbrt", np.cbrt),
        ("numpy's sin with where", lambda u: np.sin(u, where=np.ones(2, dtype=bool))),
        ("numpy's piecewise", lambda u: np.piecewise(u, [u > 0], [1, 2])),
        ("in place", lambda u: u.__setitem__(0, 1.0)),
        ("at least one coordinate", lambda u: u.d()),
        ("coordinates only", lambda u: u.d(u)),
        ("coordinates only", lambda u: u.d(2 * u)),
        ("coordinates only", lambda u: u.d("x")),
    ],
)
def test_misuse_is_refused_in_one_clear_line(message, operation):
    with pytest.raises(UserError, match=message) as caught:
        operation(Jet.seed(points(), PLANE))
    assert "\n" not in str(caught.value)


def test_attributes_that_tensors_lack_stay_attribute_errors():
    u = Jet.seed(points(), PLANE)
    assert not hasattr(u, "nonsense")
    assert (u.dim(), u.size(), u.size(-1), len(u), u.ndim) == (2, (N, 2), 2, N, 2)
    assert torch.equal(torch.stack([row.value for row in u]), u.value)
    assert "order=3" in repr(u)


@pytest.mark.parametrize(
    ("numpys", "torchs"),
    [
        (np.sin, torch.sin),
        (np.exp, torch.exp),
        (np.sqrt, torch.sqrt),
        (np.arctan, torch.atan),
        (np.absolute, torch.abs),
        (np.negative, torch.neg),
        (np.square, torch.square),
        (np.log1p, torch.log1p),
        (lambda u: np.power(u, 3), lambda u: u**3),
        (lambda u: np.pi * u, lambda u: math.pi * u),
        (lambda u: np.float32(0.5) - u, lambda u: 0.5 - u),
        (lambda u: np.array(2.0) / u, lambda u: 2 / u),
        (lambda u: np.array([1.0, 2.0]) * u, lambda u: torch.tensor([1.0, 2.0]) * u),
        (lambda u: u / np.array([1, 2]), lambda u: u / torch.tensor([1, 2])),
        (lambda u: np.array([4.0, 2.0])[::-1] - u, lambda u: torch.tensor([2.0, 4.0]) - u),
        (lambda u: np.where(u > 0.5, u, 2.0), lambda u: torch.where(u.value > 0.5, u, 2.0)),
        (lambda u: np.maximum(u, 0.5), lambda u: torch.where(u.value > 0.5, u, 0.5)),
        (lambda u: np.minimum(0.5, u), lambda u: torch.where(u.value > 0.5, 0.5, u)),
        (lambda u: np.clip(u, 0.2, 0.6), lambda u: torch.where(u < 0.2, 0.2, torch.where(u > 0.6, 0.6, u))),
        (lambda u: np.floor(3 * u), lambda u: torch.floor(3 * u)),
        (lambda u: u % 0.25, lambda u: u - 0.25 * torch.floor(4 * u)),
        (lambda u: u * (u // 0.25), lambda u: u * torch.floor(4 * u)),
        (lambda u: u * (2 // u), lambda u: u * torch.floor(2 / u)),
        (lambda u: 1.7 % u, lambda u: 1.7 - u * torch.floor(1.7 / u).value),
        (np.log10, lambda u: torch.log(u) / math.log(10)),
        (np.log2, lambda u: torch.log(u) / math.log(2)),
        (np.exp2, lambda u: torch.exp(u * math.log(2))),
        (lambda u: np.hypot(u, 2 * u), lambda u: math.sqrt(5) * u),
        (lambda u: round(4 * u), lambda u: torch.round(4 * u)),
        (lambda u: sum([u, u, u]), lambda u: 3 * u),
    ],
)
def test_numpys_functions_are_torchs(numpys, torchs):
    u = Jet.seed(points().abs() + 0.1, PLANE)
    found, expected = numpys(u), torchs(u)
    for alpha in PLANE:
        torch.testing.assert_close(found.derivative(alpha), expected.derivative(alpha))


@pytest.mark.parametrize(
    "power",
    [lambda u: u**u, lambda u: 2**u, lambda u: u ** torch.tensor(1.7), lambda u: torch.tensor([0.5, 2.0, 3.0]) ** u],
)
def test_exponents_may_be_fields(power):
    check(lambda p: power(mix(p) ** 2 + 0.5), 1e-9)


def test_comparisons_of_fields_are_conditions_on_their_values():
    u = Jet.seed(points(), PLANE)
    for found, expected in (
        (u > 0, u.value > 0),
        (u <= 0, u.value <= 0),
        (u == u, torch.ones(N, 2, dtype=torch.bool)),
        (u != u.value, torch.zeros(N, 2, dtype=torch.bool)),
        (torch.ones(N, 2) < u, u.value > 1),
        (u.lt(torch.tensor(0.3)), u.value < 0.3),
        (np.less(u, 0.3), u.value < 0.3),
        (u <= np.zeros(2), u.value <= 0),
        (torch.isnan(u), torch.zeros(N, 2, dtype=torch.bool)),
    ):
        assert type(found) is torch.Tensor and torch.equal(found, expected)
    assert len({u, u}) == 1


def test_a_field_prints_whatever_the_format():
    u = Jet.seed(points(), PLANE)
    assert "order=3" in str(u) and "order=3" in f"{u:.3f}"


def test_numpy_scalars_are_numbers():
    u = Jet.seed(points(), PLANE)
    assert torch.equal((np.float64(2) * u).coefficients, (2 * u).coefficients)
    assert torch.equal((u / np.int64(2)).coefficients, (u / 2).coefficients)
