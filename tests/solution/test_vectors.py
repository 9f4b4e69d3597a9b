"""Inputs that are vectors, from training to files: everything goes by axes and not by the number of inputs."""

import json
from functools import partial

import numpy as np
import pytest
import torch

import pinnlab
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Vector
from pinnlab.equations.inputs import axes, axis_names
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.networks import MLP
from pinnlab.reporting.figures import draw_all
from pinnlab.reporting.folder import RunFolder
from pinnlab.solution.export import METADATA, export
from pinnlab.solution.output.grids import read_points, write
from pinnlab.training import Adam


class Quadratic(Equation):
    """u = the sum of squares of all axes, in a box of [0, 1] along each."""

    outputs = ("u",)

    def constraints(self):
        ends = {x: ([0.0] * x.dimension, [1.0] * x.dimension) if isinstance(x, Vector) else (0, 1) for x in self.inputs}
        return {"all": Constraint(Box(**ends), self.residual, points=12)}


class Cube(Quadratic):
    inputs = (Vector("x", 3),)

    def residual(self, x, u):
        return u.d(x, x)[:, 0, 1] + (u.d(x) - 2 * x).sum(-1)

    def exact(self, x):
        return (x * x).sum(-1)


class Line(Quadratic):
    inputs = (Vector("x", 1),)

    def residual(self, x, u):
        return u.d(x)[:, 0] - 2 * x[:, 0]

    def exact(self, x):
        return (x * x).sum(-1)


class Moving(Quadratic):
    inputs = ("t", Vector("x", 2))

    def residual(self, t, x, u):
        return u.d(t) - 2 * t + (u.d(x) - 2 * x).sum(-1)

    def exact(self, t, x):
        return t * t + (x * x).sum(-1)


class Pair(Quadratic):
    inputs = (Vector("a", 2), Vector("b", 3))

    def residual(self, a, b, u):
        return u.d(a, b)[:, 0, 1] + (u.d(b) - 2 * b).sum(-1)

    def exact(self, a, b):
        return (a * a).sum(-1) + (b * b).sum(-1)


class Plane(Quadratic):
    inputs = (Vector("x", 2),)

    def residual(self, x, u):
        return u.d(x)[:, 0] - 2 * x[:, 0]


EQUATIONS = [Cube, Line, Moving, Pair, Plane]
ENGINES = [NTP, Autograd]


def solved(equation, engine=NTP, **options):
    return pinnlab.solve(equation(), partial(MLP, width=6, depth=1), engine(), [Adam(2)], **options)


def coordinates(equation, shape=()):
    draw = np.random.default_rng(0)
    return {x: draw.random((*shape, x.dimension) if isinstance(x, Vector) else shape) for x in equation.inputs}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("equation", EQUATIONS)
def test_derivatives_are_those_of_finite_differences(equation, engine):
    solution = solved(equation, engine)
    assert ("max_error" in solution.metrics) == (equation is not Plane)
    where = coordinates(equation, (2, 2))
    assert solution(**where).shape == (2, 2)
    h = 1e-5
    names = axis_names(equation.inputs)
    for number, name in enumerate(names):
        owner = next(x for x, axis in axes(equation.inputs).items() if number in (axis, *_members(axis)))
        step = np.zeros(owner.dimension if isinstance(owner, Vector) else ())
        step[... if step.ndim == 0 else number - axes(equation.inputs)[owner].start] = h
        ahead, behind = (solution(**where | {owner: where[owner] + sign * step}) for sign in (1, -1))
        np.testing.assert_allclose(solution.d(name, **where), (ahead - behind) / (2 * h), atol=1e-8)


def _members(axis):
    return tuple(axis) if isinstance(axis, range) else ()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_vector_gives_all_derivatives_along_it(engine):
    solution = solved(Moving, engine)
    where = coordinates(Moving, (4,))
    hessian = solution.d("x", "x", **where)
    assert hessian.shape == (4, 2, 2)
    for i in range(2):
        for j in range(2):
            np.testing.assert_allclose(hessian[:, i, j], solution.d(f"x.{i}", f"x.{j}", **where), atol=1e-14)
    found = solution.evaluate("u_tx", "u_x.1", "u_x.0x.0", **where)
    assert list(found) == ["u", "u_tx", "u_x.1", "u_x.0x.0"]
    np.testing.assert_allclose(found["u_tx"], solution.d("x", "t", **where), atol=1e-14)
    np.testing.assert_array_equal(found["u_x.0x.0"], hessian[:, 0, 0])


def test_coordinates_broadcast_and_an_empty_array_gives_an_empty_one():
    solution = solved(Moving)
    grid = solution(t=np.linspace(0, 1, 3)[:, None], x=np.zeros((1, 5, 2)))
    assert grid.shape == (3, 5)
    np.testing.assert_allclose(grid[2, 4], solution(t=1.0, x=[0, 0]), atol=1e-14)
    assert solution(t=np.zeros(0), x=[0.0, 1.0]).shape == (0,)
    assert solution(t=torch.zeros(2, requires_grad=True), x=torch.zeros(2, 2)).shape == (2,)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"t": 0.0, "x": 0.5}, "the input 'x' is a vector: its last dimension must be 2"),
        ({"t": 0.0, "x": np.zeros((4, 3))}, "the input 'x' is a vector"),
        ({"t": np.zeros(3), "x": np.zeros((4, 2))}, "do not broadcast"),
        ({"t": 0.0}, "give a value for the input 'x', as in solution(x=[0.5, 0.5])"),
        ({"t": "now", "x": [0, 0]}, "takes real numbers"),
        ({"t": 1j, "x": [0, 0]}, "takes real numbers"),
        ({"t": 0.0, "x": [0, 0], "y": 1}, "has no input 'y'"),
    ],
)
def test_what_does_not_fit_is_one_line(where, message):
    with pytest.raises(UserError) as raised:
        solved(Moving)(**where)
    assert message in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("equation", EQUATIONS)
def test_record_and_figures(equation, tmp_path):
    solved(equation, folder=tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    assert json.loads(folder.summary.read_text())["status"] == "finished"
    names = axis_names(equation.inputs)
    with np.load(folder.solution) as arrays:
        assert [name for name in arrays if arrays[name].ndim == 1] == list(names)
        assert arrays["u"].shape == (2 if len(names) == 1 else 1, len(arrays[names[0]]))
    drawn = {path.stem for path in draw_all(folder, tmp_path / "figures", ["png"])}
    assert {"history", "points"} <= drawn
    assert ("solution" in drawn) == (len(names) <= 2)


@pytest.mark.parametrize("equation", [Cube, Moving])
def test_export_takes_one_column_for_each_axis(equation, tmp_path):
    solution = solved(equation)
    assert export(solution.model, ["u_x", "u_x.1"], tmp_path / "s.pt2") == ["u", "u_x", "u_x.1"]
    extra = {METADATA: ""}
    program = torch.export.load(tmp_path / "s.pt2", extra_files=extra).module()
    assert json.loads(extra[METADATA])["inputs"] == list(axis_names(equation.inputs))
    where = coordinates(equation, (4,))
    columns = [part if part.ndim == 2 else part[:, None] for part in where.values()]
    values = program(torch.tensor(np.concatenate(columns, 1)))
    for name, array in solution.evaluate("u_x", "u_x.1", **where).items():
        np.testing.assert_allclose(values[name].numpy(), array, atol=1e-13)


def test_files_have_a_column_for_each_component_and_npz_has_vectors_whole(tmp_path):
    solution = solved(Moving)
    where = coordinates(Moving, (5,))
    values = solution.evaluate("u_x", **where)
    write(tmp_path / "p.csv", where, values)
    table = np.genfromtxt(tmp_path / "p.csv", delimiter=",", names=True, deletechars="")
    assert table.dtype.names == ("t", "x.0", "x.1", "u", "u_x.0", "u_x.1")
    np.testing.assert_allclose(table["u_x.1"], values["u_x"][:, 1], rtol=1e-15)
    write(tmp_path / "p.npz", where, values)
    with np.load(tmp_path / "p.npz") as arrays:
        assert arrays["x"].shape == (5, 2)
    for file in ("p.csv", "p.npz"):
        columns = read_points(tmp_path / file, axis_names(Moving.inputs))
        np.testing.assert_allclose(columns["x.1"], where["x"][:, 1], rtol=1e-15)
    write(tmp_path / "p.vtk", where, values)
    assert (tmp_path / "p.vtk").read_text().count("SCALARS") == 3
