"""Outside of the region there is no solution: figures are blank, files have NaN, and the command counts the points."""

import csv
import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import pinnlab
from pinnlab.cli import main
from pinnlab.reporting import figures
from pinnlab.reporting.figures import panels
from pinnlab.reporting.folder import RunFolder

MODULE = """
import math
import torch
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import PointSet, Box, Disc, Interval, Union

PLATES = {
    "notch": Box(x=(0, 2), y=(0, 2)) - Box(x=(1, 2), y=(1, 2)),
    "hole": Box(x=(0, 2), y=(0, 2)) - Disc((1.5, 1.5), 0.4),
    "pieces": Union(Box(x=(0, 2), y=(0, 0.5)), Disc((0.5, 1.5), 0.5)),
}


class Plate(Equation):
    inputs, outputs = ("x", "y"), ("u",)

    def __init__(self, shape: str):
        super().__init__()
        self.region = PLATES[shape]

    def constraints(self):
        return {
            "interior": Constraint(self.region, lambda x, y, u: u.d(x, x) + u.d(y, y) - 1, points=40),
            "walls": Constraint(self.region.boundary, lambda u: u, points=20),
        }


class Flow(Equation):
    \"\"\"Past a disc, over a time.\"\"\"

    inputs, outputs = ("t", "x", "y"), ("u",)

    def constraints(self):
        region = Interval(t=(0, 1)) * PLATES["hole"]
        return {
            "interior": Constraint(region, lambda t, x, y, u: u.d(t) - u.d(x, x) - u.d(y, y), points=40),
            "start": Constraint(region.face("t", 0), lambda u: u, points=20),
        }


class Rod(Equation):
    inputs, outputs = ("x",), ("u",)

    def constraints(self):
        rod = Union(Interval(x=(2, 3)), Interval(x=(0, 1)))
        return {
            "interior": Constraint(rod, lambda x, u: u.d(x, x) - 1, points=20),
            "ends": Constraint(rod.boundary, lambda u: u),
        }

    def exact(self, x):
        return x * x


class Halves(Equation):
    \"\"\"One equation on each side.\"\"\"

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        return {
            "left": Constraint(Box(x=(0, 1), y=(0, 2)), lambda x, y, u: u.d(x) + u.d(y), points=20),
            "right": Constraint(Box(x=(1, 2), y=(0, 1)), lambda x, y, u: u.d(x), points=20),
        }


class Fit(Equation):
    \"\"\"Holds nowhere but at given points.\"\"\"

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        points = PointSet(x=[0.0, 1.0, 2.0], y=[0.0, 1.0, 0.5], value=[1.0, 2.0, 3.0])
        return {"data": Constraint(points, lambda u, value: u - value)}


class Ring(Equation):
    \"\"\"Holds on a curve.\"\"\"

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        return {"ring": Constraint(Disc((1, 1)).boundary, lambda x, y, u: u - x)}
"""

CONFIG = """
model:
  equation: {class_path: %s, init_args: {%s}}
  network: {class_path: MLP, init_args: {width: 6, depth: 1}}
  engine: %s
  phases:
    - {class_path: Adam, init_args: {steps: 2}}
data: {held_out: 50}
"""
SHAPES = ["notch", "hole", "pieces"]
OTHERS = ["Flow", "Rod", "Halves", "Fit", "Ring"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.setenv("WANDB_MODE", "disabled")
        (folder / "plates_of_outside.py").write_text(MODULE)
        for number, name in enumerate([*SHAPES, *OTHERS]):
            equation, options = (name, "") if name in OTHERS else ("Plate", f"shape: {name}")
            engine = ("NTP", "Autograd")[number % 2]
            (folder / "c.yaml").write_text(CONFIG % (f"plates_of_outside.{equation}", options, engine))
            assert main(["fit", "--config", "c.yaml", "--run.name", name]) == 0
        yield folder / "runs"


def inside(shape, x, y):
    return {
        "notch": (x <= 1) | (y <= 1),
        "hole": np.hypot(x - 1.5, y - 1.5) >= 0.4 - 1e-9,
        "pieces": (y <= 0.5) | (np.hypot(x - 0.5, y - 1.5) <= 0.5 + 1e-9),
    }[shape] & (np.minimum(x, y) >= 0) & (np.maximum(x, y) <= 2)  # fmt: skip


@pytest.mark.parametrize("ending", ["npz", "csv"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_grid_has_nan_where_there_is_no_plate(runs, tmp_path, capsys, shape, ending):
    out = tmp_path / f"p.{ending}"
    grid = ["--grid", "x=-0.5:2:26", "y=0:2:21"]
    assert main(["predict", str(runs / shape), *grid, "--derivatives", "u_x", "--out", str(out)]) == 0
    arrays = np.load(out) if ending == "npz" else np.genfromtxt(out, delimiter=",", names=True)
    covered = inside(shape, arrays["x"], arrays["y"])
    for name in ("u", "u_x"):
        np.testing.assert_array_equal(np.isfinite(arrays[name]), covered)
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith(f"{(~covered).sum()} of 546 points lie outside of the region of 'interior': they are NaN")
    found = pinnlab.load(runs / shape)(x=arrays["x"], y=arrays["y"])
    np.testing.assert_allclose(arrays["u"][covered], found[covered], atol=1e-13)


def test_values_outside_are_given_on_demand(runs, tmp_path, capsys):
    out = tmp_path / "p.npz"
    assert main(["predict", str(runs / "notch"), "--grid", "x=0:4:5", "--extrapolate", "--out", str(out)]) == 0
    assert np.isfinite(np.load(out)["u"]).all()
    assert "points lie outside of the region of 'interior': their values are extrapolated" in capsys.readouterr().out


def test_points_from_a_file(runs, tmp_path, capsys):
    """Also those of the hole's edge, to six digits as files have them."""
    points, out = tmp_path / "points.csv", tmp_path / "values.csv"
    angle = np.linspace(0, 6, 30)
    edge = [(f"{1.5 + 0.4 * np.cos(a):.6f}", f"{1.5 + 0.4 * np.sin(a):.6f}") for a in angle]
    with points.open("w", newline="") as file:
        csv.writer(file).writerows([("x", "y"), *edge, (1.5, 1.5), (0, 3), (2, 2), (2.0000001, 0)])
    assert main(["predict", str(runs / "hole"), "--points", str(points), "--out", str(out)]) == 0
    values = np.genfromtxt(out, delimiter=",", names=True)["u"]
    assert np.isnan(values).tolist() == [False] * 30 + [True, True, False, False]
    assert "2 of 34 points lie outside" in capsys.readouterr().out


def test_a_region_over_a_time(runs, tmp_path, capsys):
    out = tmp_path / "p.npz"
    assert main(["predict", str(runs / "Flow"), "--grid", "t=-1,0.5,1", "x=0:2:21", "y=0:2:21", "--out", str(out)]) == 0
    arrays = np.load(out)
    covered = inside("hole", arrays["x"], arrays["y"]) & (arrays["t"] >= 0)
    np.testing.assert_array_equal(np.isfinite(arrays["u"]), covered)
    assert f"{(~covered).sum()} of 1323 points lie outside" in capsys.readouterr().out


def test_a_line_with_a_gap(runs, tmp_path):
    out = tmp_path / "p.npz"
    assert main(["predict", str(runs / "Rod"), "--grid", "x=0:3:31", "--out", str(out)]) == 0
    arrays = np.load(out)
    np.testing.assert_array_equal(np.isnan(arrays["u"]), (arrays["x"] > 1.05) & (arrays["x"] < 1.95))
    record = figures.read(RunFolder(runs / "Rod"))
    x, gap = record.solution["x"], np.isnan(record.solution["u"][0])
    assert (np.diff(x) > 0).all() and gap.sum() == 1 and 1 < x[gap][0] < 2
    assert np.isfinite(record.solution["exact/u"][:, ~gap]).all() and np.isfinite(x).all()


def test_either_region_of_an_equation_counts(runs, tmp_path, capsys):
    out = tmp_path / "p.npz"
    assert main(["predict", str(runs / "Halves"), "--grid", "x=0:2:21", "y=0:2:21", "--out", str(out)]) == 0
    arrays = np.load(out)
    np.testing.assert_array_equal(np.isfinite(arrays["u"]), inside("notch", arrays["x"], arrays["y"]))
    assert "outside of the region of 'left' and 'right'" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["Fit", "Ring"])
def test_what_holds_on_no_area_has_no_outside(runs, tmp_path, capsys, name):
    out = tmp_path / "p.npz"
    assert main(["predict", str(runs / name), "--grid", "x=0:9:4", "y=0:2:5", "--out", str(out)]) == 0
    assert np.isfinite(np.load(out)["u"]).all()
    assert "outside" not in capsys.readouterr().out


def test_vtk_marks_the_points_and_their_cells(runs, tmp_path):
    out = tmp_path / "p.vtk"
    assert main(["predict", str(runs / "notch"), "--grid", "x=0:2:5", "y=0:2:3", "--out", str(out)]) == 0
    text = out.read_text()
    values = text.split("SCALARS u double 1\nLOOKUP_TABLE default\n")[1].split("\n")[:15]
    ghosts = [
        marks.split() for marks in re.findall(r"vtkGhostType unsigned_char 1\nLOOKUP_TABLE default\n([0-9\n]+)", text)
    ]
    # the points (1.5, 2) and (2, 2) are the last two, with the cells to their lower left
    assert [value == "nan" for value in values] == [False] * 13 + [True] * 2
    assert ghosts == [["0"] * 6 + ["32"] * 2, ["0"] * 13 + ["2"] * 2]
    assert text.index("CELL_DATA 8") < text.index("POINT_DATA 15")
    assert main(["predict", str(runs / "notch"), "--grid", "x=0:1:5", "y=0:2:3", "--out", str(out)]) == 0
    assert "vtkGhostType" not in out.read_text() and "nan" not in out.read_text()


def test_vtk_of_points_marks_each(runs, tmp_path):
    points, out = tmp_path / "points.csv", tmp_path / "p.vtk"
    points.write_text("x,y\n0.5,0.5\n1.5,1.5\n")
    assert main(["predict", str(runs / "notch"), "--points", str(points), "--out", str(out)]) == 0
    text = out.read_text()
    assert "CELL_DATA 2\nSCALARS vtkGhostType unsigned_char 1\nLOOKUP_TABLE default\n0\n32\n" in text
    assert text.endswith("vtkGhostType unsigned_char 1\nLOOKUP_TABLE default\n0\n2\n")


@pytest.mark.parametrize("shape", [*SHAPES, "Ring", "Fit"])
def test_pictures_are_blank_where_there_is_no_plate(runs, shape):
    """By the colours of the picture itself, away from edges; curves and points are drawn as points."""
    record = figures.read(RunFolder(runs / shape))
    figure = Figure(figsize=(4, 4))
    canvas, axis = FigureCanvasAgg(figure), figure.add_subplot()
    panels.solution(record)[0](axis)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    x, y = (a.ravel() for a in np.meshgrid(np.linspace(0.06, 1.94, 40), np.linspace(0.06, 1.94, 40)))
    column, row = axis.transData.transform(np.stack([x, y], 1)).astype(int).T
    white = (pixels[len(pixels) - 1 - row, column] == 255).all(-1)
    if shape in SHAPES:
        around = [inside(shape, x + a, y + b) for a in (-0.04, 0.04) for b in (-0.04, 0.04)]
        assert not white[np.all(around, 0)].any()
        assert white[~np.any(around, 0)].all()
    else:
        assert white.mean() > 0.8


def test_records_without_triangles_are_drawn_as_before(runs, tmp_path):
    old = RunFolder(tmp_path / "old")
    old.path.mkdir()
    with np.load(runs / "notch" / "solution.npz") as arrays:
        np.savez(old.solution, **{name: array for name, array in arrays.items() if "/" not in name})
    written = [path.stem for path in figures.draw_all(old, tmp_path, ["png"])]
    assert written == ["solution", "residual"]
