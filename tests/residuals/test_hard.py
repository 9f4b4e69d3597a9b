"""Conditions built into the network: exact for any weights, and left in the loss where that cannot be done."""

import copy
import math
import pickle
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
import torch

import pinnlab
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Disc, Interval, PointSet, Polygon
from pinnlab.geometry.region import Pilot
from pinnlab.jets.operators import laplacian
from pinnlab.networks import MLP
from pinnlab.problems import ViscousBurgers
from pinnlab.residuals import Residuals
from pinnlab.residuals.hard.conditions import build_in
from pinnlab.solution.export import export
from pinnlab.training import GaussNewton
from tests.conformance import Conformance, Vectorised
from tests.fields import L_SHAPE, Elbow, LoadedElbow, Rod

SMALL = partial(MLP, width=6, depth=1)


class Given(Equation):
    """An equation of any constraints."""

    inputs, outputs = ("t", "x"), ("u",)

    def __init__(self, inputs, outputs, constraints, unknown=False):
        super().__init__()
        vars(self)["inputs"], vars(self)["outputs"], vars(self)["made"] = inputs, outputs, constraints
        if unknown:
            self.c = Unknown(1.0)

    def constraints(self):
        return self.made()


def heat(start, left, right, interior=lambda t, x, u: u.d(t) - u.d(x, x)):
    box = Box(t=(0, 2), x=(-1, 3))
    return lambda: {
        "interior": Constraint(box, interior),
        "start": Constraint(box.face("t", 0), start),
        "left": Constraint(box.face("x", -1), left),
        "right": Constraint(box.face("x", 3), right),
    }


def wave():
    box = Box(t=(0, 1), x=(0, 1))
    return {
        "interior": Constraint(box, lambda t, x, u: u.d(t, t) - u.d(x, x)),
        "start": Constraint(box.face("t", 0), lambda t, x, u: (u - torch.sin(math.pi * x), u.d(t) - x * (1 - x))),
        "walls": Constraint(box.faces("x"), lambda u: u),
    }


def plate():
    hole = Disc((0.2, 0), 0.4)
    region = Box(x=(-1, 1), y=(-1, 1)) - hole
    return {
        "interior": Constraint(region, lambda x, y, u: laplacian(u, x, y)),
        "outer": Constraint(region.boundary - hole, lambda x, y, u: 2 * u - x * y),
        "hole": Constraint(region.boundary & hole, lambda x, y, u: (1 + x * x) * (u - 3)),
    }


def drum():
    region = Interval(t=(0, 1)) * Disc()
    return {
        "interior": Constraint(region, lambda t, x, y, u: u.d(t) - laplacian(u, x, y)),
        "start": Constraint(region.face("t", 0), lambda x, y, u: u - x * (1 - x * x - y * y) - y),
        "walls": Constraint(Interval(t=(0, 1)) * Disc().boundary, lambda t, y, u: u - y * torch.exp(t)),
    }


def cube():
    box = Box(x=(0, 1), y=(0, 2), z=(-1, 1))
    return {
        "interior": Constraint(box, lambda x, y, z, u: laplacian(u, x, y, z)),
        "walls": Constraint(box.faces(), lambda x, y, z, u: u - torch.exp(x) * y - z * y * y),
    }


def square_with_hole():
    region = Polygon([(0, 0), (3, 0), (3, 3), (0, 3)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
    return {
        "interior": Constraint(region, lambda x, y, u: laplacian(u, x, y)),
        "walls": Constraint(region.boundary, lambda x, y, u: u - x * x),
    }


def line():
    return {
        "interior": Constraint(Interval(x=(0, 1)), lambda x, u, v: (u.d(x) - v, v.d(x) + u)),
        "start": Constraint(PointSet(x=[0.0]), lambda x, u, v: (u - 1, 2 * v + 3)),
    }


ALL = {
    "heat": (("t", "x"), ("u",), heat(lambda x, u: u - x * x, lambda t, u: u - torch.exp(-t), lambda u: 2 * (u - 9))),
    "wave": (("t", "x"), ("u",), wave),
    "plate": (("x", "y"), ("u",), plate),
    "drum": (("t", "x", "y"), ("u",), drum),
    "cube": (("x", "y", "z"), ("u",), cube),
    "hole": (("x", "y"), ("u",), square_with_hole),
    "line": (("x",), ("u", "v"), line),
}


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["NTP", "Autograd"])
@pytest.mark.parametrize("name", ALL)
def test_every_network_satisfies_what_is_built_in(name, engine):
    equation = Given(*ALL[name])
    built, report = build_in(SMALL(len(equation.inputs), len(equation.outputs)), equation, True)
    assert report.soft == {} and set(report.hard) == set(equation.constraints()) - {"interior"}
    for parameter in built.parameters():
        parameter.data += 0.5 * torch.randn_like(parameter)
    residuals = Residuals(built, equation, engine).unweighted()
    batch = {key: constraint.region.place(50, Pilot(5)) for key, constraint in equation.constraints().items()}
    blocks = residuals(batch)
    for key in report.hard:
        assert float(blocks[key].detach().abs().max()) < 1e-12, key
    assert float(blocks["interior"].detach().abs().max()) > 1e-2  # which the network is for


class Solid(Equation):
    """Values on two faces of a box of any dimension, and a slope beside one of them."""

    inputs, outputs = ("x0",), ("u",)

    def __init__(self, dimension):
        super().__init__()
        vars(self)["inputs"] = tuple(f"x{i}" for i in range(dimension))

    def constraints(self):
        box = Box(**{name: (-1, 1) for name in self.inputs})
        return {
            "interior": Constraint(box, lambda x0, u: u.d(x0)),
            "first": Constraint(box.face("x0", -1), lambda x0, u: (u - 2, u.d(x0) - 1)),
            "last": Constraint(box.face(self.inputs[-1], 1), self.end),
        }

    def end(self, x0, u):
        return u - torch.exp(x0 / 2) if len(self.inputs) == 1 else u - 3 - x0


def built(inputs, outputs):
    return build_in(SMALL(inputs, outputs), Solid(inputs), True)[0]


class TestByJets(Conformance, Vectorised):
    engine = NTP()
    subjects: ClassVar = {"built in": built}


@pytest.mark.parametrize("name", ALL)
def test_engines_agree_on_what_is_built_in(name):
    equation = Given(*ALL[name])
    built, _ = build_in(SMALL(len(equation.inputs), len(equation.outputs)), equation, True)
    batch = {"interior": equation.constraints()["interior"].region.place(20, Pilot(3))}
    jets, nested = (Residuals(built, equation, engine)(batch)["interior"].detach() for engine in (NTP(), Autograd()))
    torch.testing.assert_close(jets, nested, rtol=1e-10, atol=1e-10 * float(nested.abs().max()))


def test_what_the_network_can_still_be():
    """D vanishes nowhere inside: a network behind it can have any values there."""
    for inputs, outputs, constraints in ALL.values():
        equation = Given(inputs, outputs, constraints)
        network = SMALL(len(inputs), len(outputs))
        built, _ = build_in(network, equation, True)
        points = constraints()["interior"].region.place(100, Pilot(4))
        x = torch.stack([points[name] for name in inputs], -1)
        with torch.no_grad():
            before = built(x)
            network.last.bias += 1
            assert float((built(x) - before).abs().min()) > 1e-9


SOFT = {
    "nonlinear": (lambda u: u * u - 1, "not linear in the outputs"),
    "second": (lambda x, u: u.d(x, x), "higher order"),
    "robin": (lambda t, x, u: u + u.d(x), "more than one value or derivative"),
    "slope": (lambda t, x, u: u.d(x), "beside a value at the same place alone"),
    "tangent": (lambda t, x, u: u.d(t), "a derivative along t is built in where t is fixed"),
    "unknown": (lambda u, c: u - c, "depends on c, which is no coordinate"),
    "vanishing": (lambda t, u: t * 0 * u + (t > 1) * u, "vanishes at some points"),
    "nothing": (lambda t: t * 1.0, "about no output"),
    "branch": (lambda t, u: u - 1 if float(t[0]) > 0 else u.nothing, "cannot be tried"),
}


@pytest.mark.parametrize("name", [name for name in SOFT if name != "branch"])
def test_what_cannot_be_built_in_stays_in_the_loss_with_a_reason(name):
    residual, reason = SOFT[name]
    equation = Given(("t", "x"), ("u",), heat(lambda x, u: u - x, residual, lambda u: u - 3), unknown=True)
    _, report = build_in(SMALL(2, 1), equation, True)
    assert set(report.hard) == {"start", "right"}
    assert reason in report.soft["left"], report.soft
    with pytest.raises(UserError, match=r"'left' cannot be built in: "):
        build_in(SMALL(2, 1), equation, ["left"])


def test_conditions_that_disagree_are_not_built_in():
    equation = Given(("t", "x"), ("u",), heat(lambda u: u, lambda u: u - 1, lambda u: u))
    built, report = build_in(SMALL(2, 1), equation, True)
    assert len(report.hard) == 2 and set(report.soft.values()) == {"it does not agree with others where they meet"}
    assert any("not built in: " in line for line in report.lines())
    for name in report.hard:
        points = {name: equation.constraints()[name].region.place(20, Pilot())}
        assert float(Residuals(built, equation, NTP())(points)[name].detach().abs().max()) < 1e-12


@pytest.mark.parametrize(
    ("constraint", "reason"),
    [
        (lambda box: Constraint(box.face("x", 0.5), lambda u: u), "not made of whole sides"),
        (lambda box: Constraint(Box(t=(0, 0.5), x=(0, 1)).face("x", 0), lambda u: u), "a part of a side"),
        (lambda box: Constraint(PointSet(t=[0.3], x=[0.2], m=[1.0]), lambda u, m: u - m), "not made of whole sides"),
        (lambda box: Constraint(box.boundary, lambda u, normal_x: u - normal_x), "depends on normal_x"),
    ],
    ids=["within", "part", "data", "normal"],
)
def test_where_a_condition_is_built_in(constraint, reason):
    box = Box(t=(0, 1), x=(0, 1))
    constraints = {"interior": Constraint(box, lambda x, u: u.d(x)), "one": constraint(box)}
    network = SMALL(2, 1)
    built, report = build_in(network, Given(("t", "x"), ("u",), lambda: constraints), True)
    assert built is network and reason in report.soft["one"], report.soft


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        (Disc((0, 0), 1.0) | Disc((1, 0), 1.0), "a part of a side"),
        (Box(x=(-1, 1), y=(-1, 1)) - Box(x=(-0.5, 0.5), y=(-0.5, 0.5)), "goes on within the region"),
    ],
    ids=["union", "frame"],
)
def test_a_side_that_goes_on_within_the_region_is_soft(region, reason):
    constraints = {
        "interior": Constraint(region, lambda x, y, u: laplacian(u, x, y)),
        "walls": Constraint(region.boundary, lambda u: u),
    }
    _, report = build_in(SMALL(2, 1), Given(("x", "y"), ("u",), lambda: constraints), True)
    assert reason in report.soft["walls"]


def test_several_equations_in_the_same_region_have_one_boundary():
    def made():
        box = Box(x=(0, 1), y=(0, 1))
        return {
            "first": Constraint(box, lambda x, u, v: u.d(x) - v),
            "second": Constraint(Box(x=(0, 1), y=(0, 1)), lambda y, u, v: v.d(y) - u),
            "walls": Constraint(box.boundary, lambda u, v: (u, v - 1)),
        }

    built, report = build_in(SMALL(2, 2), Given(("x", "y"), ("u", "v"), made), True)
    assert set(report.hard) == {"walls"}, report.soft
    found = built(torch.tensor([[0.0, 0.3], [1.0, 0.6], [0.2, 0.0], [0.7, 1.0]])).detach()
    torch.testing.assert_close(found, torch.tensor([[0.0, 1.0]]).expand(4, 2), rtol=0, atol=1e-6)


def test_a_condition_between_outputs_is_soft():
    built, report = build_in(SMALL(1, 2), Rod(), True)
    assert set(report.hard) == {"start", "end"} and "interface" in report.soft
    assert float(built(torch.tensor([[0.0]]))[0, 0].detach().abs()) < 1e-14
    assert float(built(torch.tensor([[1.0]]))[0, 1].detach().abs()) < 1e-14


def test_unknown_names_are_said():
    with pytest.raises(UserError, match="no constraint 'wall'; it has interior, start"):
        build_in(SMALL(1, 2), Given(*ALL["line"]), ["wall"])
    with pytest.raises(UserError, match="'interior' cannot be built in: it is an equation inside"):
        build_in(SMALL(1, 2), Given(*ALL["line"]), ["interior"])


@pytest.mark.long
def test_from_python_to_a_folder_and_back(tmp_path):
    solution = pinnlab.solve(
        ViscousBurgers(0.5), SMALL, phases=GaussNewton(3), points={"interior": 40}, hard=True, folder=tmp_path / "run"
    )
    assert solution.built_in.hard == {"initial": "u at t = 0", "walls": "u at x = -1, u at x = 1"}
    x = np.linspace(-1, 1, 7)
    np.testing.assert_allclose(solution(t=0 * x, x=x), -np.sin(math.pi * x), atol=1e-14)
    np.testing.assert_allclose(solution(t=x**2, x=1.0), 0, atol=1e-14)
    points = {"t": np.linspace(0, 1, 7), "x": x}
    for twin in (pinnlab.load(tmp_path / "run"), copy.deepcopy(solution), pickle.loads(pickle.dumps(solution))):
        np.testing.assert_array_equal(twin(**points), solution(**points))
    export(solution.model, ["u_xx"], tmp_path / "one.pt2")
    program = torch.export.load(tmp_path / "one.pt2").module()
    values = program(torch.tensor(np.stack([points["t"], points["x"]], -1)))
    np.testing.assert_allclose(values["u_xx"], solution.d("x", "x", **points), rtol=1e-11, atol=1e-11)
    assert math.isfinite(solution.metrics["uncertainty_u"])


@pytest.mark.long
@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["NTP", "Autograd"])
def test_a_wave_with_its_start_and_walls_built_in(engine):
    class Wave(Equation):
        inputs, outputs = ("t", "x"), ("u",)

        def constraints(self):
            return wave() | {"start": Constraint(Box(t=(0, 1), x=(0, 1)).face("t", 0), self.start)}

        def start(self, t, x, u):
            return u - torch.sin(math.pi * x), u.d(t) - 2 * math.pi * torch.sin(2 * math.pi * x)

        def exact(self, t, x):
            pi = math.pi
            return torch.cos(pi * t) * torch.sin(pi * x) + torch.sin(2 * pi * t) * torch.sin(2 * pi * x)

    network = partial(pinnlab.networks.RandomFeatures, features=250, scale=2.5)
    points = {"interior": 600, "start": 2, "walls": 2}
    solution = pinnlab.solve(Wave(), network, engine, GaussNewton(6, damping=1e-20), points, hard=True)
    assert solution.metrics["max_error"] < 1e-6
    assert solution.metrics["residual_start"] < 1e-12 and solution.metrics["residual_walls"] < 1e-12


def test_the_walls_of_an_elbow_are_built_in():
    for equation in (Elbow(), LoadedElbow()):
        built, report = build_in(SMALL(2, 1), equation, ["walls"])
        points = L_SHAPE.boundary.place(60, Pilot(7))
        batch = {"walls": {name: points[name] for name in "xy"}}
        assert float(Residuals(built, equation, NTP())(batch)["walls"].detach().abs().max()) < 1e-12
        assert report.hard == {"walls": "u on its part of the boundary"}
