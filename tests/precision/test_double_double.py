"""Double-double numbers against mpmath: arithmetic, functions, and torch's code run on them."""

import mpmath
import pytest
import torch

from pinnlab.errors import UserError
from pinnlab.precision import arithmetic, doubled, functions

RANDOM = torch.Generator().manual_seed(0)


@pytest.fixture(autouse=True)
def digits():
    with mpmath.workdps(60):
        yield


def exact(pair):
    """A pair of tensors as a list of numbers."""
    high, low = (pair.high, pair.low) if isinstance(pair, torch.Tensor) else pair
    return [
        mpmath.mpf(h) + mpmath.mpf(part)
        for h, part in zip(high.flatten().tolist(), low.flatten().tolist(), strict=True)
    ]


def numbers(n, spread=1.0, positive=False):
    """Random pairs with all their digits."""
    high = spread * torch.randn(n, generator=RANDOM)
    high = high.abs() if positive else high
    return arithmetic.two_sum(high, high * torch.randn(n, generator=RANDOM) * 1e-17)


def agrees(found, truth, tolerance):
    worst = max(abs(f - t) / max(1, abs(t)) for f, t in zip(exact(found), truth, strict=True))
    assert worst < tolerance, mpmath.nstr(worst)


ARITHMETIC = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic(name):
    a, b = numbers(200, 10.0), numbers(200, 0.1)
    truth = [ARITHMETIC[name](x, y) for x, y in zip(exact(a), exact(b), strict=True)]
    agrees(getattr(arithmetic, name)(a, b), truth, 1e-31)


def test_cancellation_leaves_the_digits_of_the_low_parts():
    a = numbers(50)
    b = (-a[0], torch.randn(50, generator=RANDOM) * 1e-18)
    found, truth = exact(arithmetic.add(a, b)), [x + y for x, y in zip(exact(a), exact(b), strict=True)]
    assert all(abs(f - t) <= 1e-15 * abs(t) for f, t in zip(found, truth, strict=True))


REAL = ["exp", "expm1", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "erf", "ndtr", "sigmoid"]
POSITIVE = ["log", "log1p", "square_root"]
TRUTH = {
    "ndtr": mpmath.ncdf,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "square_root": mpmath.sqrt,
}


@pytest.mark.parametrize("spread", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("name", [*REAL, *POSITIVE])
def test_functions(name, spread):
    function = getattr(functions, name, None) or getattr(arithmetic, name)
    truth = TRUTH.get(name) or getattr(mpmath, name)
    x = numbers(60, spread, name in POSITIVE)
    agrees(function(x), [truth(value) for value in exact(x)], 1e-28)


@pytest.mark.parametrize("exponent", [0, 1, 7, -3, 0.5, -0.5, 1.25])
def test_powers(exponent):
    x = numbers(60, 3.0, positive=True)
    agrees(functions.power(x, exponent), [value ** mpmath.mpf(exponent) for value in exact(x)], 1e-28)


def test_powers_at_zero():
    zero = doubled(torch.zeros(1))
    assert [float(zero**p) for p in (2, 1.5, 0.5)] == [0, 0, 0]


def test_the_sum_of_logarithms():
    x, y = numbers(60, 5.0), numbers(60, 5.0)
    truth = [mpmath.log(mpmath.exp(a) + mpmath.exp(b)) for a, b in zip(exact(x), exact(y), strict=True)]
    agrees(functions.logaddexp(x, y), truth, 1e-29)


def test_constants():
    for parts, truth in (
        (functions.LN_2, mpmath.ln2),
        (functions.HALF_PI, mpmath.pi / 2),
        (functions.TWO_OVER_ROOT_PI, 2 / mpmath.sqrt(mpmath.pi)),
    ):
        assert abs(sum(map(mpmath.mpf, parts)) - truth) < 1e-32


@pytest.mark.parametrize("length", [1, 20, 700])
def test_matrix_products_of_entries_of_many_sizes(length):
    def matrix(*shape):
        high = torch.randn(shape, generator=RANDOM) * 10 ** (3 * torch.randn(shape, generator=RANDOM))
        return high, high * 1e-17

    a, b = matrix(3, length), matrix(length, 2)
    found = exact(arithmetic.matrix_product(a, b))
    left, right = exact(a), exact(b)
    for i in range(3):
        for j in range(2):
            terms = [left[i * length + k] * right[2 * k + j] for k in range(length)]
            # relative to the largest entries, as for any product of matrices
            row, column = max(map(abs, left[i * length : (i + 1) * length])), max(map(abs, right[j::2]))
            assert abs(found[2 * i + j] - mpmath.fsum(terms)) < 1e-30 * length * row * column


def test_torch_code_keeps_the_digits():
    """Views, writing in place, out=, sums, indices and broadcasting."""
    x = doubled(torch.rand(4, 3, generator=RANDOM)) / 7
    third = doubled(torch.ones(3)) / 3
    with torch.no_grad():
        y = torch.empty_like(x)
        y[:2] = x[:2]
        torch.mul(x[2:], third, out=y[2:])
        y[1:].addcmul_(x[:3], third, value=0.5)
        y[0] /= 3
        y.index_add_(0, torch.tensor([0, 0]), x[:2] - third)
        z = torch.cat((y.mT, torch.stack([third, third], 1)), 1).sum(0).mean()
    rows = [exact(row) for row in x]
    third_, out = mpmath.mpf(1) / 3, []
    for i in range(4):
        base = rows[i] if i < 2 else [v * third_ for v in rows[i]]
        out.append([b + (rows[i - 1][j] * third_ / 2 if i else 0) for j, b in enumerate(base)])
    out[0] = [v / 3 + rows[0][j] + rows[1][j] - 2 * third_ for j, v in enumerate(out[0])]
    truth = (mpmath.fsum(v for row in out for v in row) + 2) / 6
    agrees(z, [truth], 1e-31)


def test_an_operation_without_a_rule_is_named():
    with pytest.raises(UserError, match=r"erfinv has no rule for double-double numbers"):
        doubled(torch.zeros(2)).erfinv()


def test_nothing_is_lost_in_doubling():
    single = torch.rand(3, dtype=torch.float32)
    assert doubled(single).high.tolist() == single.tolist()


def test_a_product_with_zeros_is_two_zeros_of_their_own():
    """What is added to it in place, as the bias of a layer, must not be added to both parts."""
    product = doubled(torch.zeros(2, 3)) @ doubled(torch.ones(3, 4))
    product.add_(0.25)
    assert torch.equal(product.high, torch.full((2, 4), 0.25)) and not product.low.any()
