"""Whole-grid operators: one suite of laws for all, against functions whose transforms and derivatives are known."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from pinnlab.errors import UserError
from pinnlab.operators import (
    Antiderivative,
    Caputo,
    Convolution,
    Fredholm,
    GaussHermite,
    GaussLegendre,
    HilbertOnCircle,
    HilbertOnLine,
    Identity,
    Integral,
    Multiplication,
    PeriodicTrapezoid,
    Rule,
    SinhTrapezoid,
    Sum,
    TanTrapezoid,
    Volterra,
    WholeOperator,
)

Function = Callable[[torch.Tensor], torch.Tensor]

INTERVAL = GaussLegendre(x=(0, 0.7, 2), nodes=14)
CIRCLE = PeriodicTrapezoid(x=(0, 2 * math.pi), nodes=24)
LINE = SinhTrapezoid(x=(-1e12, 1e12), nodes=480)
BELL = GaussHermite(x=(0, 1), nodes=40)


@dataclass(frozen=True)
class Subject:
    """An operator with a function and what it makes of it."""

    rule: Rule
    build: Callable[[Rule, str | None], WholeOperator]
    function: Function
    result: Function
    differentiable: bool = True


SUBJECTS = {
    "identity": Subject(INTERVAL, lambda rule, axis: Identity(rule), torch.sin, torch.sin),
    "multiplication": Subject(
        INTERVAL, lambda rule, axis: Multiplication(rule, torch.exp, axis), torch.sin, lambda x: x.exp() * x.sin()
    ),
    "sum": Subject(
        INTERVAL,
        lambda rule, axis: Sum(Antiderivative(rule, axis), Multiplication(rule, torch.exp, axis)),
        torch.cos,
        lambda x: x.sin() + x.exp() * x.cos(),
    ),
    "antiderivative": Subject(INTERVAL, Antiderivative, torch.cos, torch.sin),
    "antiderivative-power": Subject(
        GaussLegendre(x=(0, 2), nodes=16, power=0.5),
        Antiderivative,
        lambda x: x.sqrt() + x,
        lambda x: x**1.5 / 1.5 + x**2 / 2,
    ),
    "fredholm": Subject(
        INTERVAL,
        lambda rule, axis: Fredholm(rule, lambda x, y: torch.exp(x - y) + x * y, axis),
        torch.cos,
        # ∫_0^2 e^{−y} cos y dy and ∫_0^2 y cos y dy
        lambda x: (
            x.exp() * (1 + math.exp(-2) * (math.sin(2) - math.cos(2))) / 2 + x * (2 * math.sin(2) + math.cos(2) - 1)
        ),
    ),
    "volterra": Subject(
        INTERVAL,
        lambda rule, axis: Volterra(rule, lambda x, y: torch.exp(x - y), axis),
        torch.cos,
        lambda x: (x.exp() + x.sin() - x.cos()) / 2,
    ),
    "volterra-of-differences": Subject(  # Dirichlet's formula: ∫_0^x (x − y) u dy integrates twice
        INTERVAL,
        lambda rule, axis: Volterra(rule, lambda x, y: x - y, axis),
        torch.cos,
        lambda x: 1 - x.cos(),
    ),
    "convolution-circle": Subject(
        CIRCLE,
        lambda rule, axis: Convolution(rule, lambda d: d.cos() + 2 * (3 * d).sin(), axis),
        lambda x: x.sin() + (3 * x).cos(),
        lambda x: math.pi * x.sin() + 2 * math.pi * (3 * x).sin(),
    ),
    "convolution-line": Subject(  # variances add
        SinhTrapezoid(x=(-40, 40), nodes=200),
        lambda rule, axis: Convolution(rule, lambda d: torch.exp(-(d**2) / 2) / math.sqrt(2 * math.pi), axis),
        lambda x: torch.exp(-(x**2) / 6) / math.sqrt(3),
        lambda x: torch.exp(-(x**2) / 8) / 2,
    ),
    "convolution-bell": Subject(
        BELL,
        lambda rule, axis: Convolution(rule, lambda d: torch.exp(-(d**2) / 2) / math.sqrt(2 * math.pi), axis),
        lambda x: torch.exp(-(x**2) / 2),
        lambda x: torch.exp(-(x**2) / 4) / math.sqrt(2),
    ),
    "hilbert-circle": Subject(
        CIRCLE, HilbertOnCircle, lambda x: 2 + x.cos() + (5 * x).sin(), lambda x: x.sin() - (5 * x).cos()
    ),
    "hilbert-line": Subject(LINE, HilbertOnLine, lambda x: 1 / (1 + x**2), lambda x: x / (1 + x**2)),
    "hilbert-line-tan": Subject(
        TanTrapezoid(x=(0, 1), nodes=25), HilbertOnLine, lambda x: 1 / (1 + x**2), lambda x: x / (1 + x**2)
    ),
    "caputo": Subject(
        GaussLegendre(x=(0, 2), nodes=12, power=0.5),
        lambda rule, axis: Caputo(rule, 0.5, axis),
        lambda x: 3 + x.sqrt() + x**2,
        lambda x: math.gamma(1.5) + 2 / math.gamma(2.5) * x**1.5,
        differentiable=False,
    ),
}


def slope(function: Function, x: torch.Tensor) -> torch.Tensor:
    return torch.func.vmap(torch.func.grad(function))(x)


def second(function: Function, x: torch.Tensor) -> torch.Tensor:
    return slope(torch.func.grad(function), x)


def close(found, expected, tolerance=1e-11):
    """Equal up to a part of the largest value."""
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * float(expected.abs().max()))


class TestOperator:
    """What holds for every operator; a new one adds a subject."""

    subjects = SUBJECTS

    def test_it_gives_the_known_result(self, subject):
        operator = subject.build(subject.rule, None)
        x = subject.rule.nodes["x"]
        close(operator @ subject.function(x), subject.result(x))

    def test_its_derivative_is_that_of_the_result(self, subject):
        operator = subject.build(subject.rule, None)
        x = subject.rule.nodes["x"]
        if not subject.differentiable:
            with pytest.raises(UserError, match=f"the result of {operator.name} has no derivative along x"):
                operator.derivative("x")
            return
        values, slopes = operator.derivative("x")
        found = torch.zeros_like(x)
        if values is not None:
            found = found + values @ subject.function(x)
        if slopes is not None:
            found = found + slopes @ slope(subject.function, x)
        close(found, slope(subject.result, x))

    def test_so_is_the_second_derivative(self, subject):
        if not subject.differentiable:
            return
        x = subject.rule.nodes["x"]
        derivatives = [subject.function(x), slope(subject.function, x), second(subject.function, x)]

        def nth(operator, first, n):
            """The n-th derivative of operator @ (the derivative number `first`)."""
            if operator is None:
                return torch.zeros_like(x)
            if n == 0:
                return operator @ derivatives[first]
            values, slopes = operator.derivative("x")
            return nth(values, first, n - 1) + nth(slopes, first + 1, n - 1)

        close(nth(subject.build(subject.rule, None), 0, 2), second(subject.result, x), 1e-10)

    @pytest.mark.parametrize("order", ["tx", "xt"])
    def test_in_a_product_it_acts_on_its_axis_at_each_node_of_the_other(self, subject, order):
        if len(subject.rule.weights) > 100:
            return
        t = GaussLegendre(t=(1, 2), nodes=3)
        rule = t * subject.rule if order == "tx" else subject.rule * t
        operator = subject.build(rule, "x")
        u = subject.function(rule.nodes["x"]) * rule.nodes["t"].exp()
        close(operator @ u, subject.result(rule.nodes["x"]) * rule.nodes["t"].exp())
        # along t it commutes with the derivative, up to what a sum is made of
        values, slopes = operator.derivative("t")
        assert values is None
        close(slopes @ u, operator @ u)

    def test_it_commutes_with_derivatives_along_coordinates_that_the_rule_has_not(self, subject):
        operator = subject.build(subject.rule, None)
        assert operator.derivative("t") == (None, operator)

    def test_columns_are_taken_one_by_one(self, subject):
        operator = subject.build(subject.rule, None)
        u = torch.randn(len(subject.rule.weights), 3)
        close(operator @ u, torch.stack([operator @ column for column in u.unbind(1)], 1))

    def test_it_works_in_the_type_of_the_values(self, subject):
        operator = subject.build(subject.rule, None)
        u = subject.function(subject.rule.nodes["x"])
        found = operator @ u.float()
        assert found.dtype == torch.float32 and operator.matrix.dtype == torch.float64
        close(found, operator.matrix.float() @ u.float(), 1e-5)

    def test_another_number_of_values_is_refused(self, subject):
        operator = subject.build(subject.rule, None)
        with pytest.raises(UserError, match=rf"{operator.name} acts on values .* and got the shape \(7,\)"):
            operator @ torch.zeros(7)
        with pytest.raises(UserError, match="acts on values"):
            operator @ torch.zeros(len(subject.rule.weights), 2, 2)


def test_an_integral_over_all_axes_is_one_row_of_weights():
    rule = INTERVAL
    operator = Integral(rule)
    torch.testing.assert_close(operator.matrix, rule.weights[None])
    torch.testing.assert_close(operator @ rule.nodes["x"].cos(), torch.tensor([math.sin(2)]))
    with pytest.raises(UserError, match="Integral has no derivative along x: it is not a function of x"):
        operator.derivative("x")
    assert operator.derivative("t") == (None, operator)


@pytest.mark.parametrize("axis", ["t", "x"])
def test_an_integral_over_one_axis_has_a_row_for_each_node_of_the_other(axis):
    t, x = GaussLegendre(t=(0, 1), nodes=5), INTERVAL
    rule = t * x
    u = rule.nodes["t"] ** 2 * rule.nodes["x"].cos()
    expected = t.points**2 * math.sin(2) if axis == "x" else x.points.cos() / 3
    torch.testing.assert_close(Integral(rule, axis) @ u, expected)
    torch.testing.assert_close(Integral(rule) @ u, torch.tensor([math.sin(2) / 3]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Integral(INTERVAL, "y"), "the rule has no axis 'y'; it has x"),
        (lambda: Antiderivative(INTERVAL * GaussLegendre(t=(0, 1))), "name the axis of the operator"),
        (lambda: Antiderivative(CIRCLE), "Antiderivative interpolates .* x has a PeriodicTrapezoid"),
        (lambda: Volterra(LINE, lambda x, y: x), "Volterra interpolates"),
        (lambda: HilbertOnLine(CIRCLE), "HilbertOnLine needs a SinhTrapezoid or TanTrapezoid rule.*HilbertOnCircle"),
        (lambda: HilbertOnCircle(INTERVAL), "HilbertOnCircle needs the even grid"),
        (lambda: Convolution(INTERVAL, torch.exp), "Convolution is for the circle and the whole line"),
        (lambda: Convolution(CIRCLE, torch.exp), "the kernel must have the period"),
        (lambda: Fredholm(INTERVAL, lambda x, y: (x * y).sum(1)), "entry by entry"),
        (lambda: Fredholm(INTERVAL, lambda x, y: 1 / (x - y)), "Fredholm: the matrix has entries that are not finite"),
        (lambda: Caputo(INTERVAL, 0.5), "x has 2 panels"),
        (lambda: Caputo(GaussLegendre(x=(0, 1)), 1.0), "order must lie between 0 and 1, not 1.0"),
        (lambda: Caputo(GaussLegendre(x=(0, 1)), math.nan), "order must lie between 0 and 1"),
        (lambda: Caputo(CIRCLE, 0.5), "Caputo interpolates"),
    ],
    ids=range(14),
)
def test_wrong_input_is_refused_with_one_line(wrong, message):
    with pytest.raises(UserError, match=message) as error:
        wrong()
    assert "\n" not in str(error.value)


def test_a_constant_is_a_kernel():
    torch.testing.assert_close(
        Fredholm(INTERVAL, lambda x, y: torch.tensor(2.0)) @ torch.ones(28), torch.full((28,), 4.0)
    )
    x = INTERVAL.nodes["x"]
    volterra = Volterra(INTERVAL, lambda x, y: torch.tensor(2.0))
    torch.testing.assert_close(volterra @ torch.ones(28), 2 * x)
    torch.testing.assert_close(volterra.derivative("x").values @ x, 2 * x)


def test_what_is_no_tensor_is_left_to_the_other_side():
    class Taken:
        def __rmatmul__(self, operator):
            return operator.name

    assert Antiderivative(INTERVAL) @ Taken() == "Antiderivative"
