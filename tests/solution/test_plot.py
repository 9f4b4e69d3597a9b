"""`Solution.plot()`: what is drawn are the solution's own values, where the region is and nowhere else."""

import re
from io import BytesIO

import numpy as np
import pytest
import torch
from matplotlib.collections import FillBetweenPolyCollection, TriMesh
from matplotlib.figure import Figure
from matplotlib.image import imread

import pinnlab
from pinnlab.equations import Constraint, Equation, Unknown, Vector
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Disc, Interval, PointSet, Polygon
from pinnlab.reporting.figures.space.views import views
from pinnlab.strategy import Features, Proposal, Recipe, Stop
from pinnlab.training import GaussNewton

CORNERS = [(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)]


class Decay(Equation):
    """u' = −ku with k from ten measurements."""

    inputs, outputs = ("t",), ("u",)

    def __init__(self):
        super().__init__()
        self.k = Unknown(1.0)

    def constraints(self):
        t = torch.linspace(0, 2, 10, dtype=torch.float64)
        return {
            "law": Constraint(Interval(t=(0, 2)), lambda t, u, k: u.d(t) + k * u),
            "data": Constraint(PointSet(t=t, seen=torch.exp(-0.7 * t)), lambda u, seen: u - seen),
        }


class Shape(Equation):
    """Δu + 1 = 0 in an L."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        shape = Polygon(CORNERS)
        return {
            "inside": Constraint(shape, lambda x, y, u: pinnlab.laplacian(u, x, y) + 1, points=20),
            "walls": Constraint(shape.boundary, lambda u: u, points=8),
        }


class Halves(Equation):
    """Two outputs, each in its own half of a square."""

    inputs, outputs = ("x", "y"), ("a", "b")

    def constraints(self):
        left, right = Box(x=(0, 1), y=(0, 1)), Box(x=(1, 2), y=(0, 1))
        return {
            "left": Constraint(left, lambda x, y, a: pinnlab.laplacian(a, x, y) + 1, points=9),
            "right": Constraint(right, lambda x, y, b: pinnlab.laplacian(b, x, y) + 1, points=9),
        }


class Heat(Equation):
    """u_t = Δu from 1 in a disc with a hole, over a time, or on a rod."""

    outputs = ("u",)

    def __init__(self, space):
        super().__init__()
        self.space = space
        self.inputs = ("t", *space.names)

    def constraints(self):
        region = Interval(t=(0, 0.5)) * self.space
        first, last = self.space.names[0], self.space.names[-1]

        def rate(**fields):
            t, u = fields["t"], fields["u"]
            return u.d(t) - sum(u.d(fields[name], fields[name]) for name in {first, last})

        two, one = (lambda t, x, y, u: rate(t=t, x=x, y=y, u=u)), (lambda t, x, u: rate(t=t, x=x, u=u))
        return {
            "inside": Constraint(region, one if first == last else two, points=9),
            "start": Constraint(region.face("t", 0), lambda u: u - 1, points=9),
        }


class Cube(Equation):
    """Δu + 1 = 0 in a box of a number and a vector."""

    inputs, outputs = ("z", Vector("x", 2)), ("u",)

    def constraints(self):
        box = Box(z=(0, 1), x=([0.0, 0.0], [1.0, 2.0]))
        return {"inside": Constraint(box, lambda z, x, u: u.d(z, z) + 1, points=9)}


class Sphere(Equation):
    """u on points in space alone."""

    inputs, outputs = ("x", "y", "z"), ("u",)

    def constraints(self):
        x = torch.linspace(0, 1, 5)
        return {"data": Constraint(PointSet(x=x, y=x * x, z=1 - x, seen=x), lambda u, seen: u - seen)}


def trained(equation):
    return pinnlab.solve(equation, phases=GaussNewton(1), seed=3)


def titles(figure):
    """The titles of the panels, without the axes of colour bars."""
    return [axes.get_title() for axes in figure.axes if axes.get_xlabel()]


def mesh(axes):
    """Corners and values of a map."""
    (found,) = (each for each in axes.collections if isinstance(each, TriMesh))
    drawn = found._triangulation
    return drawn, found.get_array()


class One(Recipe):
    """One proposal."""

    def decisions(self, progress):
        yield Proposal(Features(20, (3.0,)))
        return Stop(False, "one proposal")


def test_a_curve_has_its_band_and_the_title_the_unknowns():
    solution = pinnlab.solve(Decay(), tol=1e-3, recipe=One())
    figure = solution.plot("u", "u_tt")
    first, second = figure.axes
    assert titles(figure) == ["u", "u_tt"]
    for axes, name in ((first, "u"), (second, "u_tt")):
        (line,) = axes.lines
        t, u = line.get_data()
        assert t[0] == 0 and t[-1] == 2 and (np.diff(t) > 0).all()
        np.testing.assert_allclose(u, solution.evaluate(name, t=t)[name], rtol=1e-12)
    (band,) = (each for each in first.collections if isinstance(each, FillBetweenPolyCollection))
    heights = band.get_paths()[0].vertices[:, 1]
    margin = solution.metrics["uncertainty_u"]
    assert heights.max() == pytest.approx(first.lines[0].get_ydata().max() + margin, rel=1e-12)
    assert not second.collections, "the error of u says nothing of its derivatives"
    title = figure.get_suptitle().replace("\n", " ")
    assert re.match(r"Decay: k = 0\.\d+ ± \S+, u ± \S+ relative error \S+, tol 1e-03 ", title)


def test_a_map_covers_the_region_alone():
    solution = trained(Shape())
    figure = solution.plot("u_x")
    assert titles(figure) == ["u_x"]
    assert figure.axes[0].get_aspect() == 1.0
    drawn, values = mesh(figure.axes[0])
    np.testing.assert_allclose(values, solution.d("x", x=drawn.x, y=drawn.y), rtol=1e-9, atol=1e-12)
    corners = drawn.get_masked_triangles()
    x, y = drawn.x[corners].mean(1), drawn.y[corners].mean(1)
    assert ((x <= 0) | (y >= 0)).all()
    sides = np.hypot(*(np.diff(c[corners], axis=1, append=c[corners][:, :1]) for c in (drawn.x, drawn.y)))
    assert sides.max() < 0.05, "no triangle is much larger than the others"


def test_every_output_is_drawn_where_it_lives():
    figure = trained(Halves()).plot()
    assert titles(figure) == ["a", "b"]
    for axes, low in zip([axes for axes in figure.axes if axes.get_xlabel()], (0, 1), strict=True):
        drawn, _ = mesh(axes)
        assert drawn.x.min() == pytest.approx(low, abs=1e-6) and drawn.x.max() == pytest.approx(low + 1, abs=1e-6)


def test_with_time_there_are_curves_at_some_times():
    rod = Interval(x=(0, 3)) - Interval(x=(1, 2))
    solution = trained(Heat(rod))
    figure = solution.plot()
    assert titles(figure) == ["u", "u"]
    assert figure.axes[0].get_aspect() == "auto"
    curves = next(axes for axes in figure.axes if axes.lines)
    assert [line.get_label() for line in curves.lines] == [f"t = {t:.3g}" for t in (0, 0.125, 0.25, 0.375, 0.5)]
    x, u = curves.lines[1].get_data()
    inside = np.isfinite(u)
    assert (inside == ((x <= 1) | (x >= 2))).mean() > 0.99 and not inside[(x > 1.01) & (x < 1.99)].any()
    np.testing.assert_allclose(u[inside], solution(t=0.125, x=x[inside]), rtol=1e-9)


def test_nothing_is_drawn_beyond_the_time_that_was_reached():
    def values(points):
        return {"u": points["t"].numpy()}

    found = views(Heat(Interval(x=(0, 3))), {"u": "u"}, values, time="t", until=0.2)
    plane, curves = (Figure().subplots() for _ in range(2))
    for axes, panel in zip((plane, curves), found.values(), strict=True):
        panel(axes)
    assert mesh(plane)[0].x.max() == pytest.approx(0.2, rel=1e-6)
    assert [line.get_label() for line in curves.lines][-1] == "t = 0.2"
    *_, last = views(Heat(Disc()), {"u": "u"}, values, time="t", until=0.2)
    assert last == "u, t = 0.2"


def test_three_inputs_are_slices():
    solution = trained(Heat(Disc() - Disc((0.3, 0), 0.3)))
    figure = solution.plot()
    assert titles(figure) == ["u, t = 0", "u, t = 0.25", "u, t = 0.5"]
    drawn, values = mesh(figure.axes[2])
    np.testing.assert_allclose(values, solution.evaluate(t=0.5, x=drawn.x, y=drawn.y)["u"], rtol=1e-9)
    corners = drawn.get_masked_triangles()
    x, y = drawn.x[corners].mean(1), drawn.y[corners].mean(1)
    assert (np.hypot(x, y) < 1.001).all() and (np.hypot(x - 0.3, y) > 0.299).all()


def test_a_vector_input_is_drawn_by_its_components():
    figure = trained(Cube()).plot("u_x")
    assert titles(figure)[:2] == ["u_x.0, x.1 = 1", "u_x.1, x.1 = 1"]


def test_a_notebook_shows_the_figure_that_a_file_has(tmp_path):
    solution = pinnlab.solve(Decay(), tol=1e-3, recipe=One())
    figure = solution.plot(path=tmp_path / "u.png")
    inline, stored = imread(BytesIO(figure._repr_png_())), imread(tmp_path / "u.png")
    assert inline.shape[0] / inline.shape[1] == pytest.approx(stored.shape[0] / stored.shape[1], rel=1e-2)
    assert inline[..., :3].mean() == pytest.approx(stored[..., :3].mean(), abs=1e-2) and inline.std() > 0.01


def test_a_file_is_written(tmp_path):
    solution = trained(Decay())
    figure = solution.plot(path=tmp_path / "u.png")
    assert imread(tmp_path / "u.png").shape[2] == 4
    assert "nan" not in figure.get_suptitle() and "k = " in figure.get_suptitle()
    assert solution.plot(path=str(tmp_path / "u.pdf")) is not figure and (tmp_path / "u.pdf").exists()


@pytest.mark.parametrize(
    ("names", "path", "message"),
    [(("v",), None, "'v' is no derivative of Decay"), ((), "u.xyz", r"u\.xyz: choose a file name that ends in \.png")],
)
def test_what_is_wrong_is_a_line(names, path, message, tmp_path):
    with pytest.raises(UserError, match=message):
        trained(Decay()).plot(*names, path=path and tmp_path / path)


def test_points_in_space_have_no_slices():
    with pytest.raises(UserError, match="without volume"):
        trained(Sphere()).plot()
