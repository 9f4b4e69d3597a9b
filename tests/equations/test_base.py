"""What an equation declares, how its residuals get their arguments, and which derivatives they consume."""

import copy
import functools
import pickle

import pytest
import torch

from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.equations.residual.arguments import columns, components, resolve
from pinnlab.equations.residual.inference import required
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Interval, PointSet
from pinnlab.jets import IndexSet, Jet, Probe
from pinnlab.jets.series.algebra import add


class Example(Equation):
    """Whatever residual a test needs, on (t, x), with two outputs and an unknown."""

    inputs, outputs = ("t", "x"), ("u", "v")

    def __init__(self, residual=lambda u: u):
        super().__init__()
        self.nu = Unknown(0.5)
        self._residual = residual

    def constraints(self):
        return {"interior": Constraint(Box(t=(0, 1), x=(-1, 1)), self._residual, points=4)}


def indices_of(residual, order=0):
    equation = Example(residual)
    indices, count = required(equation, "interior", equation.constraints()["interior"], order)
    assert count >= 1
    return indices


def simplex(*indices):
    return IndexSet.closure(indices)


INFERRED = {
    "value": (lambda u: u, 0, simplex((0, 0))),
    "slope": (lambda x, u: u.d(x), 0, simplex((0, 1))),
    "coordinates_cost_nothing": (lambda t, x, u: u + torch.sin(t) * x, 0, simplex((0, 0))),
    "product_differentiated": (lambda x, u: (u * u).d(x, x), 0, simplex((0, 2))),
    "slopes_multiply": (lambda t, x, u: u.d(x) * u.d(t), 0, simplex((0, 1), (1, 0))),
    "mixed": (lambda t, x, u: u.d(t, x), 0, simplex((1, 1))),
    "burgers": (lambda t, x, u, nu: u.d(t) + u * u.d(x) - nu * u.d(x, x), 0, simplex((1, 0), (0, 2))),
    "burgers_first_order": (
        lambda t, x, u, nu: u.d(t) + u * u.d(x) - nu * u.d(x, x),
        1,
        simplex((2, 0), (1, 2), (1, 1), (0, 3)),
    ),
    "value_to_order_two": (lambda u: u, 2, IndexSet.simplex(2, 2)),
    "several_outputs": (lambda t, x, u, v: u.d(x, x) + v.d(t), 0, simplex((0, 2), (1, 0))),
    "several_rows": (lambda t, x, u, v: (u.d(x), v.d(t, t)), 0, simplex((0, 1), (2, 0))),
    "functions": (lambda x, u: torch.exp(torch.tanh(u).d(x)).d(x), 0, simplex((0, 2))),
    "modules": (lambda x, u: torch.nn.functional.silu(u * x).d(x), 0, simplex((0, 1))),
    "stacked": (lambda x, u, v: torch.stack([u.d(x), v]).sum(0).d(x), 0, simplex((0, 2))),
    "methods": (lambda x, u: u.sin().square().d(x), 0, simplex((0, 1))),
    "unknown_as_factor": (lambda x, u, nu: (nu * u).d(x), 0, simplex((0, 1))),
    "coordinate_differentiated": (lambda x, u: (x * x).d(x) * u, 0, simplex((0, 1))),
    "defaults_stay": (lambda x, u, side=1: side * u.d(x), 0, simplex((0, 1))),
    "where_on_values": (lambda t, x, u: torch.where(x.value > 0, u.d(x), u.d(t)), 0, simplex((0, 1), (1, 0))),
    "where_on_output_values": (lambda x, u: torch.where(u.value > 0, u.d(x), 2.0), 0, simplex((0, 1))),
    "where_on_values_of_a_derivative": (lambda x, u: torch.where(u.d(x).value > 0, u, 2.0), 0, simplex((0, 1))),
    "where_on_a_derivative": (lambda x, u: torch.where(u.d(x) > u, u, 2.0), 0, simplex((0, 1))),
    "values_of_a_derivative": (lambda x, u: u * torch.sin(u.d(x, x).value), 0, simplex((0, 2))),
    "power_and_division": (lambda x, u, v: (u**3 / (1 + v**2)).d(x), 0, simplex((0, 1))),
}


@pytest.mark.parametrize(("residual", "order", "expected"), INFERRED.values(), ids=INFERRED)
def test_the_derivatives_a_residual_needs_are_inferred(residual, order, expected):
    assert indices_of(residual, order) is expected


def evaluate(residual, indices, order):
    """The residual on random jets over an index set, all derivatives up to the order."""
    generator = torch.Generator().manual_seed(1)
    fields = {name: Jet(torch.rand(len(indices), 3, generator=generator) + 0.5, indices) for name in ("u", "v")}
    seed = Jet.seed(torch.rand(3, 2, generator=generator), indices)
    fields |= {name: Jet(seed.coefficients[..., axis], indices, axis) for axis, name in enumerate("tx")}
    result = residual(**resolve(residual, {**fields, "nu": torch.tensor(0.5)}, "test"))
    parts = result if isinstance(result, tuple) else (result,)
    return [part.derivative(alpha) for part in parts for alpha in IndexSet.simplex(2, order)]


@pytest.mark.parametrize(("residual", "order", "expected"), INFERRED.values(), ids=INFERRED)
def test_no_derivative_is_inferred_that_is_not_needed(residual, order, expected):
    assert all(torch.isfinite(value).all() for value in evaluate(residual, expected, order))
    for alpha in expected:
        above = [beta for beta in expected if beta != alpha and all(b >= a for a, b in zip(alpha, beta, strict=True))]
        if not above and len(expected) > 1:
            with pytest.raises(UserError, match=r"carr(y|ied)"):
                evaluate(residual, IndexSet.of(set(expected) - {alpha}), order)


def test_the_number_of_fields_is_inferred_too():
    for residual, count in ((lambda u: u, 1), (lambda u: (u,), 1), (lambda u, v: [u, v, u * v], 3)):
        equation = Example(residual)
        assert required(equation, "interior", equation.constraints()["interior"], 0)[1] == count


@pytest.mark.parametrize("order", range(4))
def test_each_sobolev_order_asks_for_one_more_derivative(order):
    base = indices_of(lambda t, x, u: u.d(t) - u.d(x, x))
    expected = IndexSet.closure(add(alpha, beta) for alpha in base for beta in IndexSet.simplex(2, order))
    assert indices_of(lambda t, x, u: u.d(t) - u.d(x, x), order) is expected


def branch_on_field(u):
    return u if u else -u


def branch_on_comparison(x, u):
    return u if u > 0 else u.d(x)


def branch_on_equality(x, u):
    return u if u == 0 else u.d(x)


def branch_on_values(x, u):
    return u if u.value.mean() > 0 else u.d(x)


def branch_on_number(x, u):
    return u if float(u.value[0]) > 0 else u.d(x)


def branch_on_item(x, u):
    return u if u.mean().item() > 0 else u.d(x)


def loop_over_values(u):
    return sum(v * u for v in u.value.tolist())


@pytest.mark.parametrize(
    "residual",
    [
        branch_on_field,
        branch_on_comparison,
        branch_on_equality,
        branch_on_values,
        branch_on_number,
        branch_on_item,
        loop_over_values,
    ],
)
def test_control_flow_that_depends_on_values_is_refused(residual):
    with pytest.raises(UserError, match="branch"):
        indices_of(residual)


@pytest.mark.parametrize(
    ("message", "residual"),
    [
        (r"asks for 'w'.*\(t, x, u, v, nu\)", lambda w: w),
        ("asks for 'kwargs'", lambda **kwargs: kwargs),
        ("returned NoneType", lambda u: None),
        ("returned Tensor", lambda nu: nu * 2),
        ("returned tuple|returned", lambda u: (u, 3)),
        ("coordinates only", lambda x, u: u.d(2 * x)),
        ("coordinates only", lambda u, v: u.d(v)),
        ("values of derivatives", lambda u: u.derivative((0, 1))),
    ],
)
def test_wrong_residuals_are_refused(message, residual):
    with pytest.raises(UserError, match=message):
        indices_of(residual)


def test_errors_of_the_residual_itself_pass_through():
    def residual(u):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        indices_of(residual)
    with pytest.raises(UserError, match=r"interior.*broadcast.*must be a column"):
        indices_of(lambda u: u * torch.ones(7))


def test_a_probe_knows_shapes_and_no_numbers():
    probe = Probe.output((4,), 2)
    assert (probe * 2).shape == (4,)
    assert torch.stack([probe, probe], -1).shape == (4, 2)
    assert [part.shape for part in torch.stack([probe, probe], -1).unbind(-1)] == [(4,), (4,)]
    assert probe.value.device.type == "meta"
    assert (probe + Probe.coordinate((4,), 2, 0)).axis is None


class Method:
    def residual(self, x, u):
        return u

    @staticmethod
    def static(u):
        return u

    @classmethod
    def of_class(cls, u):
        return u


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (lambda x, u: u, {"x", "u"}),
        (Method().residual, {"x", "u"}),
        (Method.static, {"u"}),
        (Method.of_class, {"u"}),
        (lambda u, k=3: u, {"u"}),
        (lambda u, x=0: u, {"u", "x"}),
        (functools.partial(lambda u, side: u, side=1), {"u"}),
    ],
)
def test_arguments_are_resolved_by_name(function, names):
    available = {"x": 1, "u": 2, "v": 3}
    assert resolve(function, available, "here") == {name: available[name] for name in names}


def test_columns_are_what_is_not_an_input():
    equation = Example()
    points = {"t": torch.zeros(2), "x": torch.zeros(2), "normal": torch.ones(2)}
    assert set(columns(equation, points, "here")) == {"normal"}
    with pytest.raises(UserError, match=r"here: the region has no coordinate 'x'"):
        columns(equation, {"t": torch.zeros(2)}, "here")
    for taken in ("u", "nu"):
        with pytest.raises(UserError, match=f"column '{taken}'"):
            columns(equation, {**points, taken: torch.ones(2)}, "here")


def test_components_are_fields():
    probe = Probe.output((4,), 1)
    assert components(probe, "here") == (probe,)
    assert components([probe, probe], "here") == (probe, probe)
    for wrong in (None, (), torch.ones(2), (probe, 1.0)):
        with pytest.raises(UserError, match="here: the residual must return a field"):
            components(wrong, "here")


def declared(**attributes):
    body = {"inputs": ("x",), "outputs": ("u",)} | attributes
    body.setdefault("constraints", lambda self: {"point": Constraint(PointSet(x=[0.0]), lambda u: u)})
    return type("Declared", (Equation,), {k: v for k, v in body.items() if v is not None})()


def test_a_right_declaration_passes():
    declared().check()
    Example().check()


@pytest.mark.parametrize(
    ("message", "attributes"),
    [
        ("Declared.inputs must be a tuple of names", {"inputs": "x"}),
        ("Declared.inputs", {"inputs": None}),
        ("Declared.inputs", {"inputs": ()}),
        ("Declared.outputs", {"outputs": ("u", 1)}),
        ("'x' for more than one", {"outputs": ("x",)}),
        ("'u' for more than one", {"outputs": ("u", "u")}),
        ("has no constraints", {"constraints": lambda self: {}}),
    ],
)
def test_wrong_declarations_are_refused(message, attributes):
    with pytest.raises(UserError, match=message):
        declared(**attributes).check()


def test_an_unknown_may_not_take_the_name_of_an_output():
    equation = declared()
    equation.u = Unknown(1.0)
    with pytest.raises(UserError, match="'u' for more than one"):
        equation.check()


def test_an_equation_needs_constraints_to_exist():
    class Half(Equation):
        inputs, outputs = ("x",), ("u",)

    with pytest.raises(TypeError, match="abstract"):
        Half()


class Decay(Equation):
    """u' = -u, u(0) = 1."""

    inputs, outputs = ("x",), ("u",)

    def constraints(self):
        return {"interior": Constraint(Interval(x=(0, 1)), lambda x, u: u.d(x) + u)}

    def exact(self, x):
        return torch.exp(-x)


def test_the_exact_solution_comes_with_its_derivatives():
    x = torch.rand(5)
    assert Decay().solved
    u = Decay().solution({"x": x}, 4)["u"]
    for j in range(5):
        torch.testing.assert_close(u.derivative((j,)), (-1) ** j * torch.exp(-x))
    assert not Example().solved
    with pytest.raises(UserError, match="Example has no exact solution"):
        Example().solution({"t": x, "x": x})


def test_unknowns_are_parameters_and_copies_own_theirs():
    from pinnlab.problems import SelfSimilarBurgers

    equation = SelfSimilarBurgers(1)
    assert list(equation.state_dict()) == ["lam.parameter"]
    for twin in (copy.deepcopy(equation), pickle.loads(pickle.dumps(equation))):
        with torch.no_grad():
            twin.lam.parameter.fill_(0.4)
        assert float(equation.lam.value.detach()) != 0.4
        assert twin.constraints()["interior"].residual.__self__ is twin  # its constraints are its own


class Tabulated(Equation):
    """u' = 2t with u(0) = 0, whose solution is known as numbers."""

    inputs, outputs = ("t",), ("u",)

    def __init__(self, values=lambda t: t**2):
        super().__init__()
        self.values = values

    def constraints(self):
        line = Interval(t=(0, 1))
        return {
            "ode": Constraint(line, lambda t, u: u.d(t) - 2 * t),
            "start": Constraint(line.face("t", 0), lambda u: u),
        }

    def reference(self, t):
        return self.values(t)


def test_a_reference_is_a_solution_of_numbers_without_derivatives():
    equation = Tabulated()
    equation.check()
    assert equation.solved and equation.known_order == 0 and Decay().known_order is None
    t = torch.linspace(0, 1, 5, dtype=torch.float64)
    field = equation.solution({"t": t})["u"]
    assert torch.equal(field.value, t**2) and field.coefficients.shape == (1, 5)
    with pytest.raises(UserError, match="the solution of Tabulated is known by its reference, which has no deriv"):
        equation.solution({"t": t}, order=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (lambda t: t[:2], r"Tabulated.reference returns the shape \(2,\) for u, but the points have the shape \(3,\)"),
        (lambda t: (t, t), "Tabulated.reference returns 2 of 1 outputs"),
        (lambda t: "one", "Tabulated.reference returns a str for u: give an array of real numbers"),
        (lambda t: t.nothing, "Tabulated.reference fails: AttributeError: .* it is given arrays of numpy"),
    ],
)
def test_a_reference_of_another_kind_is_refused(values, message):
    with pytest.raises(UserError, match=message):
        Tabulated(values).solution({"t": torch.zeros(3)})
