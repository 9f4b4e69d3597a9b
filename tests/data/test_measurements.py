"""Measurements from files: what they give in the units of the equation, and what is refused in one line."""

import json
import logging
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import curve_fit

import pinnlab
from pinnlab.cli import main
from pinnlab.collocation.datamodule import Collocation
from pinnlab.data import Measurements
from pinnlab.equations import Constraint, Equation, Unknown, Whole
from pinnlab.errors import UserError
from pinnlab.geometry import Disc, Interval, Union
from pinnlab.networks import MLP
from pinnlab.solution.tolerance.solve_folder import SolveFolder
from pinnlab.strategy import Refinement
from pinnlab.training import GaussNewton

ROD = """
from pinnlab.data import Measurements
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Interval


class Rod(Equation):
    inputs, outputs = ("x",), ("u",)

    def __init__(self, measured: Measurements):
        super().__init__()
        self.measured = measured
        self.k = Unknown(1.0, bounds=(0.1, 100))

    def constraints(self):
        line = Interval(x=(0, 1))
        return {
            "heat": Constraint(line, lambda u, x, k: k * u.d(x, x) / 100 + 1, points=50),
            "ends": Constraint(line.boundary, lambda u: u),
            "data": Constraint(self.measured, lambda u, m: 293.15 + u - m, weight=1e-4),
        }
"""
scope: dict = {}
exec(ROD, scope)
Rod = scope["Rod"]


@pytest.fixture
def rod(tmp_path, monkeypatch):
    """Temperatures of a rod in SI, and the same in mm and °C: exact ones to ± 0.01 K and others to ± 1 K."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    x, sigma = draw.uniform(0, 1, 60), np.where(draw.random(60) < 0.5, 0.01, 1.0)
    T = 293.15 + 10 * x * (1 - x) + sigma * draw.normal(size=60)
    np.savetxt("si.csv", np.c_[x, T, sigma], delimiter=",", header="x,m,sigma", comments="", fmt="%.17g")
    lab = np.c_[sigma, x * 1000, T - 273.15]
    np.savetxt("lab.csv", lab, delimiter=";", header="made by hand\nsigma;place;T", fmt="%.17g")
    return x, T, sigma


LAB = {
    "columns": {"x": "place", "m": "T", "sigma": "sigma"},
    "units": {"x": "mm", "m": "degC", "sigma": "degC"},
}


def test_conductivity_of_a_file_in_mm_and_celsius_is_that_of_si_with_the_error_bar_of_weighted_least_squares(rod):
    x, T, sigma = rod

    def solved(measured):
        found = pinnlab.solve(Rod(measured), partial(MLP, width=8, depth=2), phases=[GaussNewton(15)])
        return found.unknowns["k"], found.metrics["uncertainty_k"]

    def truth(x, k):
        return 293.15 + 50 / k * x * (1 - x)

    one, two = solved(Measurements("si.csv", noise="sigma")), solved(Measurements("lab.csv", **LAB, noise="sigma"))
    assert one == pytest.approx(two, rel=1e-8)
    for found, weights in ((one, sigma), (solved(Measurements("si.csv")), None)):
        (k,), ((variance,),) = curve_fit(truth, x, T, p0=[1.0], sigma=weights)
        # the equation's rows have a weight, and are not exact
        assert found[0] == pytest.approx(k, abs=0.2 * variance**0.5)
        assert found[1] == pytest.approx(variance**0.5, rel=0.1)


def test_columns_are_chosen_and_renamed_in_any_order(rod):
    x, T, sigma = rod
    lab = Measurements("lab.csv", **LAB, noise="sigma")
    for name, values in {"x": x, "m": T, "sigma": sigma}.items():
        np.testing.assert_allclose(lab.columns[name], values, rtol=1e-14)
    assert set(Measurements("si.csv", ["m", "x"]).columns) == {"x", "m"}
    other = Measurements("si.csv", ["m", "x"], units={"m": "K -> degF", "x": "m -> mm"})
    np.testing.assert_allclose(other.columns["m"], (T - 273.15) * 1.8 + 32, rtol=1e-12)
    np.testing.assert_allclose(other.columns["x"], x * 1000, rtol=1e-14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": {"x": "mm", "m": "degC"}}, "'sigma' has no unit"),
        ({"units": {"x": "mm", "m": "degC", "s": "1"}}, "units has 's', and the columns are x, m, sigma"),
        ({"units": {"x": "mm", "m": "celcius", "sigma": "K"}}, "m: the unit 'celcius' cannot be used"),
        ({"units": {"x": "mm -> K", "m": "K", "sigma": "K"}}, "x: the unit 'mm -> K' cannot be used: .*convert"),
        ({"units": {"x": "", "m": "K", "sigma": "K"}}, "x: '' is no unit"),
        ({"units": {"x": "mm ->", "m": "K", "sigma": "K"}}, "x: 'mm ->' is no unit"),
        ({"columns": ["x", "T"]}, "no column 'T': it has x, m, sigma"),
        ({"columns": []}, "columns are names"),
        ({"columns": "x"}, "columns are names"),
        ({"noise": "s"}, "no column 's' for the noise"),
        ({"columns": {"x": "x", "s": "m"}, "noise": "s", "units": {"x": "m", "s": "m"}}, None),
        ({"missing": "ignore"}, "missing is 'refuse' or 'drop'"),
    ],
)
def test_wrong_options_are_one_line(rod, options, message):
    if message is None:
        assert Measurements("si.csv", **options).noise == "s"
        return
    with pytest.raises(UserError, match=rf"si\.csv.*{message}") as caught:
        Measurements("si.csv", **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("x,m\n0,1\n1,NA\n", {}, r"line 3, m: the value is missing; missing='drop' leaves such rows out"),
        ("x,m\n0,\n1,nan\n", {"missing": "drop"}, "a value is missing in every row"),
        ("x,m\n0,1\n1,inf\n", {"missing": "drop"}, "line 3, m: inf is not finite"),
        ("x,m\n0,1\n1,o.5\n", {"missing": "drop"}, r"line 3, m: 'o\.5' is no number"),
        ("# a comment\n0,1\n1,2\n", {}, "the first line must name the columns.*it has '0,1'"),
        ("x,m,s\n0,1,1\n1,2,0\n", {"noise": "s"}, "s is a standard deviation and must be positive, and in row 2"),
    ],
)
def test_bad_files_are_one_line(tmp_path, monkeypatch, text, options, message):
    monkeypatch.chdir(tmp_path)
    Path("bad.csv").write_text(text)
    with pytest.raises(UserError, match=rf"bad\.csv.*({message})") as caught:
        Measurements("bad.csv", **options)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_said_with_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=rf"none\.csv: No such file.*{tmp_path}"):
        Measurements("none.csv")


def test_rows_without_a_value_are_left_out_and_said(tmp_path, caplog):
    file = tmp_path / "gaps.csv"
    file.write_text("# logger 3\nx, m\n0,1\n1,\n# pause\n2, N/A\n3,4\n")
    with caplog.at_level(logging.WARNING, "pinnlab"):
        found = Measurements(str(file), missing="drop")
    assert found.columns["x"].tolist() == [0, 3] and found.dropped == 2
    assert "missing in 2 of 4 rows" in caplog.text


def test_components_of_a_vector_are_one_column(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(6.0).reshape(3, 2), m=np.ones(3))
    found = Measurements(str(tmp_path / "a.npz"))
    assert found.columns["x"].tolist() == [[0, 1], [2, 3], [4, 5]] and found.names == ("x", "m")


def test_vtk_files_have_coordinates_and_data(tmp_path):
    vtk = pytest.importorskip("vtkmodules.vtkIOXML")
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
    from vtkmodules.vtkIOLegacy import vtkPolyDataWriter

    place, u, v = np.random.default_rng(0).normal(size=(3, 5, 3))
    points, data = vtkPoints(), vtkPolyData()
    points.SetData(numpy_to_vtk(place, deep=True))
    data.SetPoints(points)
    for name, values in {"u": u[:, 0].copy(), "v": v}.items():
        array = numpy_to_vtk(values, deep=True)
        array.SetName(name)
        data.GetPointData().AddArray(array)
    for name, writer in {"a.vtp": vtk.vtkXMLPolyDataWriter(), "a.vtk": vtkPolyDataWriter()}.items():
        writer.SetFileName(str(tmp_path / name))
        writer.SetInputData(data)
        writer.Write()
        found = Measurements(str(tmp_path / name), {"x": "x", "y": "y", "m": "u", "w": "v.1"}).columns
        # legacy files have nine digits
        for column, values in {"x": place[:, 0], "y": place[:, 1], "m": u[:, 0], "w": v[:, 1]}.items():
            np.testing.assert_allclose(found[column], values, rtol=1e-15 if name == "a.vtp" else 1e-4)
    image = vtkImageData()
    image.SetDimensions(3, 2, 1)
    image.SetSpacing(0.5, 1.0, 1.0)
    writer = vtk.vtkXMLImageDataWriter()
    writer.SetFileName(str(tmp_path / "a.vti"))
    writer.SetInputData(image)
    writer.Write()
    assert Measurements(str(tmp_path / "a.vti"), ["x", "y"]).columns["x"].tolist() == [0, 0.5, 1, 0, 0.5, 1]
    for name in ("broken.vtu", "broken.vtk"):
        (tmp_path / name).write_text("<VTKFile type='Unstr")
        with pytest.raises(UserError, match=rf"{name} is damaged"):
            Measurements(str(tmp_path / name))


@pytest.fixture
def noisy(tmp_path):
    (tmp_path / "a.csv").write_text("x,m,s\n0,1,0.5\n1,2,2\n3,4,1\n")
    return Measurements(str(tmp_path / "a.csv"), noise="s")


def test_noise_stays_with_parts_and_unions_and_is_refused_where_it_would_be_lost(noisy):
    assert noisy.within("x", 0, 2).noise == "s" and noisy.within("x", 0, 2).measure == 2
    assert Union(noisy, noisy).noise == "s" and (noisy - Interval(x=(0, 1))).noise == "s"
    with pytest.raises(UserError, match="columns of one name"):
        Union(noisy, Measurements(str(noisy.path)))
    with pytest.raises(UserError, match="product"):
        noisy * Disc(names=("y", "z"))
    with pytest.raises(UserError, match="no single measurement"):
        Whole(noisy, lambda u: u)


class Line(Equation):
    inputs, outputs = ("x",), ("u",)

    def __init__(self, measured):
        super().__init__()
        self.measured, self.a = measured, Unknown(1.0)

    def constraints(self):
        return {
            "line": Constraint(Interval(x=(0, 1)), lambda x, u, a: u.d(x) - a, points=32),
            "start": Constraint(Interval(x=(0, 1)).face("x", 0), lambda u: u),
            "data": Constraint(self.measured, lambda u, m: u - m),
        }


def test_rows_are_divided_by_the_noise(noisy):
    from pinnlab.engines import NTP
    from pinnlab.residuals import Residuals

    network = torch.nn.Linear(1, 1).double()
    points = {"data": {name: column for name, column in noisy.columns.items()}}
    rows = Residuals(network, Line(noisy), NTP())(points)["data"]
    plain = Residuals(network, Line(Measurements(str(noisy.path))), NTP())(points)["data"]
    torch.testing.assert_close(rows, plain / torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64))


def test_a_file_of_many_rows_is_used_in_minibatches(tmp_path, caplog):
    draw = np.random.default_rng(1)
    x = draw.random(100_000)
    np.savez(tmp_path / "many.npz", x=x, m=2 * x + 0.1 * draw.normal(size=len(x)))
    measured = Measurements(str(tmp_path / "many.npz"))
    data = Collocation(points={"data": 1000}, resample_every=1, seed=0)
    data.bind(Line(measured).constraints())
    assert data.totals["data"] == 1000
    seen = torch.cat([data.batch(step)["data"]["x"] for step in range(100)]).sort().values
    torch.testing.assert_close(seen, torch.from_numpy(x).to(seen).sort().values, rtol=0, atol=0)
    assert torch.equal(data.batch(7)["data"]["x"], data.batch(7)["data"]["x"])
    found = pinnlab.solve(
        Line(measured), phases=[GaussNewton(5)], points={"data": 1000}, resample_every=1,
        network=lambda inputs, outputs: torch.nn.Linear(inputs, outputs),
    )  # fmt: skip
    assert found.unknowns["a"] == pytest.approx(2.0, abs=0.05)
    assert found.metrics["uncertainty_a"] < 0.1 and "judgement" not in caplog.text


def test_more_points_than_there_are_have_no_effect(noisy):
    data = Collocation(points={"data": 4})
    with pytest.raises(UserError, match=r"points\.data: 4 has no effect: its points are given, 3 of them"):
        data.bind(Line(noisy).constraints())


def test_a_configuration_names_the_file_and_the_record_tells_that_it_changed(rod, caplog, capsys, monkeypatch):
    monkeypatch.syspath_prepend(Path.cwd())
    Path("rod_of_data.py").write_text(ROD)
    Path("rod.yaml").write_text(
        "model:\n  equation:\n    class_path: rod_of_data.Rod\n    init_args:\n      measured:\n        path: lab.csv\n"
        "        columns: {x: place, m: T, sigma: sigma}\n        units: {x: mm, m: degC, sigma: degC}\n"
        "        noise: sigma\n  phases: [{class_path: GaussNewton, init_args: {steps: 2}}]\nrun: {name: one}\n"
    )
    assert main(["fit", "--config", "rod.yaml"]) == 0
    (path,) = json.loads(Path("runs/one/summary.json").read_text())["data"]
    assert path == "lab.csv"
    caplog.clear()
    loaded = pinnlab.load("runs/one")
    assert not caplog.records and loaded.model.equation.measured.noise == "sigma"
    Path("lab.csv").write_text(Path("lab.csv").read_text() + "1;500;22\n")
    pinnlab.load("runs/one")
    assert "the data in lab.csv changed after the run runs/one was trained" in caplog.text
    Path("lab.csv").write_text("sigma;place;T\n1;zwei;3\n")
    capsys.readouterr()
    assert main(["fit", "--config", "rod.yaml", "--run.name", "two"]) == 2
    error = capsys.readouterr().err
    assert "lab.csv, line 2, place: 'zwei' is no number" in error and error.count("\n") == 1


def test_a_solve_does_not_go_on_with_other_data(rod):
    def begun():
        return SolveFolder(Path("run"), Rod(Measurements("si.csv", noise="sigma")), Refinement(), 1e-3, 0)

    begun()
    begun()
    Path("si.csv").write_text(Path("si.csv").read_text() + "0.5,295,1\n")
    with pytest.raises(UserError, match=r"begun with other data in si\.csv"):
        begun()
