"""What a solution leaves: animations, vector fields, and files of values that VTK's own library reads."""

import re
import shutil

import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection
from matplotlib.quiver import Quiver
from PIL import Image, ImageSequence

from pinnlab.cli import main
from pinnlab.data import Measurements, read_columns
from pinnlab.data.vtk_writing import grid_cells
from pinnlab.engines import NTP
from pinnlab.equations import Constraint, Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Disc, Interval
from pinnlab.networks import MLP
from pinnlab.reporting.figures.space.animation import reels
from pinnlab.solution import Solution
from pinnlab.solution.output.vtk_fields import write_vtk
from pinnlab.training import Adam
from pinnlab.training.pinn import PINN


class Still(Equation):
    """Two outputs at the points of a region, over a time where it has one."""

    outputs = ("u", "v")

    def __init__(self, region):
        super().__init__()
        self.region, self.inputs = region, tuple(sorted(region.names))

    def constraints(self):
        return {"inside": Constraint(self.region, lambda u, v: (u - 1, v - 2), points=9)}


HOLE = Box(x=(-1, 1), y=(-1, 1)) - Disc((0, 0), 0.5)


def begun(equation):
    model = PINN(equation, MLP, NTP(), [Adam(1)]).double()
    return Solution(model, {}, {}, torch.float64)


@pytest.fixture(scope="module")
def found():
    """Networks as they begin, by the name of their region: what they solve does not matter here."""
    time = Interval(t=(0, 2))
    regions = {
        "plane": HOLE,
        "moving plane": time * HOLE,
        "rod": Box(t=(0, 2), x=(0, 1)),
        "cube": Box(x=(0, 1), y=(0, 1), z=(0, 2)),
        "moving cube": Box(t=(0, 2), x=(0, 1), y=(0, 1), z=(0, 2)),
        "time": Interval(t=(0, 1)),
    }
    torch.manual_seed(1)
    return {name: begun(Still(region)) for name, region in regions.items()}


def frames(path):
    with Image.open(path) as film:
        return [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]


@pytest.mark.parametrize("name", ["rod", "moving plane"])
def test_an_animation_has_its_frames_and_draws_nothing_outside(found, name, tmp_path):
    path = found[name].animate("u", path=tmp_path / "u.gif", frames=3, seconds=1)
    pictures = frames(path)
    assert len(pictures) == 3 and not np.array_equal(pictures[0], pictures[2])
    with Image.open(path) as film:
        assert film.info["duration"] == pytest.approx(333, abs=10)
    if name == "moving plane":
        # the hole in the middle of the map is white, the plane beside it is not
        drawn = (pictures[1] != 255).any(-1)
        rows, columns = np.flatnonzero(drawn.mean(1) > 0.4), np.flatnonzero(drawn.mean(0) > 0.4)
        hole = drawn[int(rows.mean()), columns.min() : columns.max()]
        assert 0.15 < 1 - hole.mean() < 0.75


@pytest.mark.parametrize("name", ["rod", "moving plane", "moving cube"])
def test_scales_are_those_of_all_times_and_values_those_of_the_solution(found, name):
    solution = found[name]

    def values(points):
        at = {key: column.numpy() for key, column in points.items()}
        return {key: solution.evaluate(**at)[key] for key in ("u", "v")}

    times, films = reels(solution.model.equation, {"u": "u", "v": "v"}, values, "t", 4)
    assert times.tolist() == [0, 2 / 3, 4 / 3, 2] and [film.name for film in films] == ["u", "v"]
    for film in films:
        assert film.limits == (np.nanmin(film.values), np.nanmax(film.values))
        at = dict(zip(film.axes, film.coordinates, strict=True))
        rest = {"z": 1.0} if name == "moving cube" else {}
        for t, shown in zip(times, film.values, strict=True):
            where = np.isfinite(shown)
            expected = solution.evaluate(t=t, **at, **rest)[film.name]
            np.testing.assert_allclose(shown[where], expected[where], rtol=1e-12)
            assert where.all() == (name != "moving plane")
    assert found[name].model.equation.inputs[0] == "t"


def test_what_cannot_be_animated_is_one_line(found, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name, *rest: None)
    for name, path, options, message in (
        ("plane", "a.gif", {}, "has no time: plot"),
        ("time", "a.gif", {}, "no input but the time"),
        ("rod", "a.avi", {}, r"ends in \.gif or \.mp4"),
        ("rod", "a.mp4", {}, "ffmpeg, which is not installed here; choose .gif"),
        ("rod", "a.gif", {"frames": 1}, "at least 2 frames"),
        ("rod", "a.gif", {"seconds": 0}, "some seconds"),
    ):
        with pytest.raises(UserError, match=message):
            found[name].animate(path=tmp_path / path, **options)
    assert not list(tmp_path.iterdir())


def test_arrows_have_the_direction_of_the_solution_and_stay_in_the_region(found):
    solution = found["plane"]
    figure = solution.plot("u", arrows=("u", "v_x"))
    assert [axes.get_title() for axes in figure.axes if axes.get_xlabel()] == ["u", "(u, v_x)"]
    (arrows,) = (each for axes in figure.axes for each in axes.collections if isinstance(each, Quiver))
    x, y = arrows.XY.T
    expected = solution.evaluate("v_x", x=x, y=y)
    shown = ~arrows.Umask.ravel()
    assert (shown == (np.hypot(x, y) > 0.5)).all() and not shown.all()
    np.testing.assert_allclose(arrows.U[shown], expected["u"][shown], rtol=1e-12)
    np.testing.assert_allclose(arrows.V[shown], expected["v_x"][shown], rtol=1e-12)


def test_streamlines_stay_in_the_region_and_follow_the_field(found):
    figure = found["plane"].plot(streamlines=("u", "v"))
    (lines,) = (each for each in figure.axes[0].collections if isinstance(each, LineCollection))
    parts = [line for line in lines.get_segments() if len(line) > 1]
    step = np.concatenate([np.diff(line, axis=0) for line in parts])
    middle = np.concatenate([(line[1:] + line[:-1]) / 2 for line in parts])
    middle, step = (each[np.hypot(*step.T) > 0] for each in (middle, step))
    assert len(middle) > 50 and (np.hypot(*np.concatenate(parts).T) > 0.45).all()
    field = found["plane"](x=middle[:, 0], y=middle[:, 1])
    cross = step[:, 0] * field["v"] - step[:, 1] * field["u"]
    assert np.median(np.abs(cross) / np.hypot(*step.T) / np.hypot(field["u"], field["v"])) < 0.1


@pytest.mark.parametrize(("name", "count"), [("cube", 3), ("moving plane", 3)])
def test_vector_fields_are_drawn_in_slices(found, name, count):
    components = ("u", "v", "u_x")[: 3 if name == "cube" else 2]
    titles = [axes.get_title() for axes in found[name].plot(arrows=components).axes if axes.get_xlabel()]
    assert len(titles) == count and all(title.startswith(f"({', '.join(components)}), ") for title in titles)


@pytest.mark.parametrize(
    ("name", "given"), [("rod", ("u", "v")), ("cube", ("u", "v")), ("plane", "uv"), ("plane", "u")]
)
def test_a_vector_field_has_a_component_for_each_axis(found, name, given):
    with pytest.raises(UserError, match=r"a vector field of Still has . component"):
        found[name].plot(arrows=given)


def grid(**axes):
    return dict(zip(axes, np.meshgrid(*axes.values(), indexing="ij"), strict=True))


def read(path):
    """The cells of a file, by the library of VTK."""
    xml = pytest.importorskip("vtkmodules.vtkIOXML")
    reader = xml.vtkXMLGenericDataObjectReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput()


@pytest.mark.parametrize("ending", [".vtu", ".vti"])
def test_a_grid_is_read_back_to_the_same_numbers(found, ending, tmp_path):
    solution, path = found["plane"], tmp_path / f"field{ending}"
    solution.write(path, "u_xy", vectors={"w": ("u", "v")}, **grid(x=np.linspace(-1, 1, 9), y=np.linspace(-1, 1, 5)))
    columns = read_columns(path, missing=True)
    x, y = columns["x"], columns["y"]
    assert list(columns) == ["x", "y", "z", "u", "v", "u_xy", "w.0", "w.1", "w.2"] and len(x) == 45
    inside = np.hypot(x, y) >= 0.5 - 1e-9
    assert (np.isfinite(columns["u"]) == inside).all()
    for name, expected in solution.evaluate("u_xy", x=x, y=y).items():
        np.testing.assert_allclose(columns[name][inside], expected[inside], rtol=1e-12)
    np.testing.assert_array_equal(columns["w.1"], columns["v"])
    data = read(path)
    ghosts = data.GetCellGhostArray()
    hidden = 0 if ghosts is None else sum(ghosts.GetValue(i) > 0 for i in range(ghosts.GetNumberOfTuples()))
    # of 8 × 4 cells those eight that have one of the points (−1/4, 0), (0, 0), (1/4, 0) as a corner are not shown
    assert data.GetNumberOfCells() - hidden == 32 - 8


def test_cells_fill_the_grid_the_right_way_round(found, tmp_path):
    quality = pytest.importorskip("vtkmodules.vtkFiltersVerdict")
    found["cube"].write(
        tmp_path / "a.vtu", **grid(x=np.linspace(0, 1, 3), y=np.linspace(0, 1, 4), z=np.linspace(0, 2, 2))
    )
    sizes = quality.vtkCellSizeFilter()
    sizes.SetInputData(read(tmp_path / "a.vtu"))
    sizes.Update()
    volumes = sizes.GetOutput().GetCellData().GetArray("Volume")
    assert [volumes.GetValue(i) for i in range(6)] == pytest.approx([1 / 3] * 6)
    assert grid_cells((1, 1)).tolist() == [[0]] and grid_cells((3, 1)).tolist() == [[0, 1], [1, 2]]


def test_without_points_a_plane_region_has_a_mesh_that_fits_it(found, tmp_path):
    quality = pytest.importorskip("vtkmodules.vtkFiltersVerdict")
    path = found["plane"].write(tmp_path / "a.vtu")
    sizes = quality.vtkCellSizeFilter()
    sizes.SetInputData(read(path))
    sizes.Update()
    area = sizes.GetOutput().GetCellData().GetArray("Area")
    assert sum(area.GetValue(i) for i in range(area.GetNumberOfTuples())) == pytest.approx(4 - np.pi / 4, rel=2e-4)
    assert np.isfinite(read_columns(path)["u"]).all()


def test_points_are_vertices_and_those_outside_are_not_shown(found, tmp_path):
    found["plane"].write(tmp_path / "a.vtu", x=[0.0, 0.9, -0.9], y=[0.0, 0.5, 0.1])
    data = read(tmp_path / "a.vtu")
    assert (data.GetNumberOfPoints(), data.GetNumberOfCells()) == (3, 2)
    measured = Measurements(str(tmp_path / "a.vtu"), ["x", "y", "u"], missing="drop")
    assert measured.columns["x"].tolist() == [0.9, -0.9]


@pytest.mark.parametrize("given", [True, False])
def test_a_series_has_a_file_for_each_time(found, given, tmp_path):
    solution, path = found["moving plane"], tmp_path / "heat.pvd"
    t, x, y = np.linspace(0, 2, 3), np.linspace(-1, 1, 5), np.linspace(-1, 1, 3)
    points = grid(t=t, x=x, y=y)
    if not given:
        points = {name: column.ravel() for name, column in points.items()}
    solution.write(path, "u_t", **points)
    sets = re.findall(r'timestep="([^"]+)" part="0" file="([^"]+)"', path.read_text())
    assert [float(time) for time, _ in sets] == [0, 1, 2]
    for time, file in sets:
        columns = read_columns(tmp_path / file, missing=True)
        inside = np.isfinite(columns["u"])
        expected = solution.evaluate("u_t", t=float(time), x=columns["x"], y=columns["y"])
        for name in ("u", "v", "u_t"):
            np.testing.assert_allclose(columns[name][inside], expected[name][inside], rtol=1e-12)
        assert inside.sum() == 14


def test_what_vtk_cannot_have_is_one_line(found, tmp_path):
    uneven = grid(x=np.array([-1.0, 0.9, 1.0]), y=np.array([0.8, 0.9]))
    many = grid(**dict.fromkeys("txyz", np.array([0.0, 1.0])))
    for name, path, options, message in (
        ("plane", "a.pvd", uneven, "no time: choose .vtu"),
        ("time", "a.pvd", {"t": 0.5}, "no space: choose .csv"),
        ("plane", "a.vti", uneven, "even steps along every axis, and x has none"),
        ("plane", "a.vti", {"x": [0.9, 0.8], "y": [0.0, 0.1]}, "single points: choose .vtu"),
        ("plane", "a.xyz", {}, "ends in .npz, .csv, .vtk, .vtu, .vti, .pvd"),
        ("plane", "a.csv", uneven | {"vectors": {"w": ("u", "v")}}, "other files have their components"),
        ("plane", "a.vtu", uneven | {"vectors": {"w": ("u", "q")}}, "component 'q', which is none of u, v"),
        ("plane", "a.vtu", uneven | {"vectors": {"w": "uv"}}, r"as w=\('u', 'v'\)"),
        ("moving cube", "a.vtu", many, "VTK has three dimensions, not 4"),
    ):
        with pytest.raises(UserError, match=message):
            found[name].write(tmp_path / path, **options)


def test_a_coordinate_of_one_value_is_left_out_where_there_are_four(tmp_path):
    columns = grid(t=np.array([0.5]), x=np.array([0.0, 1.0]), y=np.array([0.0, 1.0]), z=np.array([0.0, 1.0, 2.0]))
    u = columns["x"] + 10 * columns["z"]
    write_vtk(tmp_path / "a.vti", columns, {"u": u}, np.zeros(u.shape, bool), "t")
    found = read_columns(tmp_path / "a.vti")
    np.testing.assert_array_equal(found["u"], found["x"] + 10 * found["z"])


def test_commands_write_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fit = ["fit", "--model.equation", "HeatSquare", "--model.phases", "[{class_path: Adam, init_args: {steps: 1}}]"]
    assert main([*fit, "--run.name", "heat"]) == 0
    run, axes = "runs/heat", ["--grid", "t=0:0.1:2", "x=0:1:3", "y=0:1:3"]
    assert (
        main(["predict", run, *axes, "--vectors", "flux=u_x,u_y", "--derivatives", "u_x", "u_y", "--out", "a.pvd"]) == 0
    )
    assert list(read_columns(tmp_path / "a/a_1.vtu"))[-3:] == ["flux.0", "flux.1", "flux.2"]
    assert main(["predict", run, "--vectors", "flux", "--out", "a.vtu"]) == 2
    assert "'flux' is no vector: write NAME=u,v" in capsys.readouterr().err
    assert main(["figures", run, "--formats", "png", "--animate"]) == 0
    assert len(frames("runs/heat/figures/animation.gif")) == 50
