"""Names: each is the name of one thing, and what cannot be used is refused in one line before anything is trained."""

import numpy as np
import pytest
import torch

import pinnlab
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown, Vector
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Interval, PointSet
from pinnlab.training import Adam, GaussNewton


def made(inputs=("x",), outputs=("u",), unknowns=(), constraints=None, **attributes):
    """An equation of these names whose outputs are 1 everywhere."""

    def declared(self):
        region = Box(**{name: (0, 1) for name in inputs})
        residual = eval(f"lambda {outputs[0]}: {outputs[0]} - 1")
        return {name: Constraint(region, residual, points=8) for name in constraints or ["all"]}

    body = {"inputs": inputs, "outputs": outputs, "constraints": declared} | attributes
    equation = type("Made", (Equation,), body)()
    for name in unknowns:
        setattr(equation, name, Unknown(0.5))
    return equation


def refused(equation, *words):
    with pytest.raises(UserError) as raised:
        pinnlab.solve(equation, phases=[Adam(10**9)])
    message = str(raised.value)
    assert "\n" not in message and all(word in message for word in words), message


@pytest.mark.parametrize("name", ["phase", "loss", "step", "seconds", "steps"])
def test_an_unknown_may_not_be_called_as_a_column_of_the_record(name):
    refused(made(unknowns=[name]), repr(name), "column")


@pytest.mark.parametrize("name", ["held_out_loss", "residual_all", "uncertainty_u"])
def test_nor_as_a_metric(name):
    refused(made(unknowns=[name]), repr(name), "metric")


@pytest.mark.parametrize("name", ["exact", "training", "parameters", "constraints", "dump_patches", "forward"])
def test_nor_as_an_attribute_of_every_equation(name):
    refused(made(unknowns=[name]), repr(name), "attribute")


@pytest.mark.parametrize("name", ["lr", "damping", "scale", "k", "lam", "value", "ν", "data"])
def test_what_is_free_can_be_used(name):
    equation = made(unknowns=[name])
    solution = pinnlab.solve(equation, phases=[Adam(2), GaussNewton(1)])
    np.testing.assert_array_equal(solution.history[name], 0.5)
    assert list(solution.unknowns) == [name]
    assert (
        np.isfinite(solution.history["optimiser/lr"]).any() and np.isfinite(solution.history["optimiser/damping"]).any()
    )


@pytest.mark.parametrize(
    ("declaration", "words"),
    [
        ({"inputs": ["x"]}, ["inputs must be a tuple"]),
        ({"inputs": "x"}, ["inputs must be a tuple"]),
        ({"inputs": ("lambda",)}, ["'lambda'", "argument"]),
        ({"inputs": ("x 1",)}, ["'x 1'", "argument"]),
        ({"inputs": ("\N{MICRO SIGN}",)}, ["Python reads"]),
        ({"inputs": ("x", "normal_x")}, ["'normal_x'", "normal"]),
        ({"inputs": ("residual",)}, ["residual"]),
        ({"inputs": ("x", "x")}, ["'x' for more than one"]),
        ({"inputs": ("x",), "outputs": ("x",)}, ["'x' for more than one"]),
        ({"unknowns": ("x",)}, ["'x' for more than one"]),
        ({"dimension": 3}, ["'dimension'"]),
        ({"solution": lambda self, x: x}, ["'solution'"]),
        ({"constraints": [""]}, ["''"]),
        ({"constraints": ["left wall"]}, ["'left wall'"]),
        ({"constraints": ["left/wall"]}, ["'left/wall'"]),
        ({"constraints": ["left.wall"]}, ["'left.wall'"]),
        ({"constraints": ["left\n"]}, ["called 'left"]),
        ({"constraints": [3]}, ["3"]),
        ({"constraints": ["a", "a_precise"]}, ["'a_precise'"]),
    ],
)
def test_declarations_that_cannot_be_used(declaration, words):
    refused(made(**declaration), *words)


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        (lambda self: [Constraint(Interval(x=(0, 1)), lambda u: u)], ["dictionary"]),
        (lambda self: {"all": (Interval(x=(0, 1)), lambda u: u)}, ["give a Constraint"]),
        (lambda self: {"all": Constraint(lambda u: u, Interval(x=(0, 1)))}, ["a region and a function"]),
        (lambda self: {"all": Constraint(Interval, lambda u: u)}, ["a region and a function"]),
    ],
)
def test_constraints_that_are_none(constraints, words):
    equation = type("Made", (Equation,), {"inputs": ("x",), "outputs": ("u",), "constraints": constraints})()
    refused(equation, *words)


def test_attributes_that_cannot_be_set():
    class Early(Equation):
        inputs, outputs = ("x",), ("u",)

        def __init__(self, late=False):
            self.a = 1.0
            if not late:
                self.k = Unknown(1.0)

        def constraints(self):
            return {"all": Constraint(PointSet(x=[0.0]), lambda u: u - self.a)}

    with pytest.raises(UserError, match=r"must begin with super\(\).__init__\(\), before 'k' is set"):
        Early()
    refused(Early(late=True), "super().__init__()")
    for name in ("name", "dimension", "solved"):
        with pytest.raises(UserError, match=f"every equation has '{name}' already"):
            setattr(made(), name, 3)


@pytest.mark.parametrize("engine", [NTP, Autograd])
def test_the_name_of_an_output_is_that_output(engine):
    equation = made(("t", "x"), ("u", "u_x"))
    solution = pinnlab.solve(equation, engine=engine(), phases=[Adam(1)])
    where = {"t": np.array([0.2, 0.4]), "x": 0.3}
    found = solution.evaluate("u_x", "u_x_x", "u_xx", "u_t", **where)
    assert list(found) == ["u", "u_x", "u_x_x", "u_xx", "u_t"]
    np.testing.assert_allclose(found["u_x"], solution(**where)["u_x"], atol=1e-15)
    np.testing.assert_allclose(found["u_x_x"], solution.d("x", **where)["u_x"])
    np.testing.assert_allclose(found["u_xx"], solution.d("x", "x", **where)["u"])


@pytest.mark.parametrize(
    ("inputs", "outputs", "name", "readable"),
    [
        (("t", "x", "tx"), ("u",), "u_tx", False),
        (("t", "x", "tx"), ("u",), "u_txtx", False),
        (("t", "x", "tx"), ("u",), "u_xt", True),
        (("a", "aa"), ("u",), "u_aaa", False),
        (("a", "b", "ab"), ("u",), "u_ba", True),
        (("x", "x_x"), ("u", "u_x"), "u_x_x", False),
        (("x1", "x"), ("u",), "u_x1x", True),
        (("x", Vector("x1", 2)), ("u",), "u_x1.0x", True),
    ],
)
def test_a_derivative_that_may_mean_two_things_is_refused(inputs, outputs, name, readable):
    from pinnlab.solution.requests import requested

    equation = made(inputs, outputs)
    if readable:
        assert requested(equation, [name])[-1].name == name
        return
    with pytest.raises(UserError, match=r"may be .* or .*: ask from Python"):
        requested(equation, [name])


def test_coordinates_may_be_called_as_arguments_of_the_solution(tmp_path):
    solution = pinnlab.solve(made(("order", "names", "file")), phases=[Adam(1)], folder=tmp_path / "run")
    where = {"order": 0.1, "names": torch.tensor(0.2), "file": [0.3]}
    assert solution(**where).shape == (1,)
    assert solution.d("order", "names", **where).shape == (1,)
    with np.load(tmp_path / "run" / "solution.npz") as arrays:
        assert {"order", "names", "file"} <= set(arrays)
