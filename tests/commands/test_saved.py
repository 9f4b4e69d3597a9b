"""What a run left, used again: loading, predicting in every format, exporting from the command line."""

import numpy as np
import pytest

import pinnlab
from pinnlab.cli import main

HEAT = """
import math
import torch
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Box


class Heat(Equation):
    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 1), x=(0, 2))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) - u.d(x, x), points=40),
            "initial": Constraint(box.face("t", 0), lambda t, x, u: u - torch.sin(math.pi * x), points=10),
            "walls": Constraint(box.faces("x"), lambda t, x, u: u, points=10),
        }

    def exact(self, t, x):
        return torch.exp(-math.pi**2 * t) * torch.sin(math.pi * x)
"""

CONFIG = """
model:
  equation: {class_path: heat_of_saved.Heat}
  network: {class_path: MLP, init_args: {width: 8, depth: 1}}
  engine: NTP
  phases:
    - {class_path: Adam, init_args: {steps: 3}}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.setenv("WANDB_MODE", "disabled")
        (folder / "heat_of_saved.py").write_text(HEAT)
        (folder / "heat.yaml").write_text(CONFIG)
        assert main(["fit", "--config", "heat.yaml", "--run.name", "one"]) == 0
        yield folder / "runs" / "one"


def test_load_gives_the_solution_that_was_recorded(run):
    solution = pinnlab.load(run)
    recorded = np.load(run / "solution.npz")
    found = solution(t=recorded["t"], x=recorded["x"])
    np.testing.assert_allclose(found, recorded["u"][0], atol=1e-13)
    assert solution.history["step"][0] == 0
    assert solution.metrics["max_error"] > 0


def test_grid_to_npz_holds_derivatives_in_the_shape_of_the_grid(run, tmp_path):
    out = tmp_path / "p.npz"
    assert (
        main(["predict", str(run), "--grid", "x=0:2:9", "t=0,0.5", "--derivatives", "u_x", "u_tx", "--out", str(out)])
        == 0
    )
    arrays = np.load(out)
    assert list(arrays) == ["t", "x", "u", "u_x", "u_tx"]
    assert arrays["u_tx"].shape == (2, 9)
    solution = pinnlab.load(run)
    np.testing.assert_allclose(arrays["u_tx"], solution.d("t", "x", t=arrays["t"], x=arrays["x"]), atol=1e-13)


def test_points_from_csv_to_csv_keep_their_order_and_all_digits(run, tmp_path):
    points, out = tmp_path / "points.csv", tmp_path / "values.csv"
    points.write_text("name,x,t\na,0.25,0.1\nb,1.5,0.3\n")
    assert main(["predict", str(run), "--points", str(points), "--out", str(out)]) == 0
    table = np.genfromtxt(out, delimiter=",", names=True)
    assert table.dtype.names == ("t", "x", "u")
    np.testing.assert_array_equal(table["x"], [0.25, 1.5])
    np.testing.assert_allclose(table["u"][1], pinnlab.load(run)(t=0.3, x=1.5), atol=1e-14)


def test_vtk_grid_lists_points_and_values_with_the_first_axis_fastest(run, tmp_path):
    out = tmp_path / "p.vtk"
    assert main(["predict", str(run), "--grid", "t=0:1:3", "x=0:2:5", "--out", str(out)]) == 0
    lines = out.read_text().splitlines()
    assert lines[3:6] == ["DATASET STRUCTURED_GRID", "DIMENSIONS 3 5 1", "POINTS 15 double"]
    points = np.loadtxt(lines[6:21])
    np.testing.assert_allclose(points[:4, 0], [0, 0.5, 1, 0])
    values = np.loadtxt(lines[lines.index("LOOKUP_TABLE default") + 1 :])
    np.testing.assert_allclose(values, pinnlab.load(run)(t=points[:, 0], x=points[:, 1]), atol=1e-14)


def test_a_grid_axis_that_is_not_given_is_the_whole_range(run):
    assert main(["predict", str(run), "--grid", "t=1"]) == 0
    arrays = np.load(run / "prediction.npz")
    assert (arrays["x"].min(), arrays["x"].max()) == (0, 2)


def test_export_writes_a_program(run, tmp_path, capsys):
    assert main(["export", str(run), "--derivatives", "u_xx", "--out", str(tmp_path / "s.pt2")]) == 0
    assert "u, u_xx at points (N, 2) of t, x" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--derivatives", "u_y"], "'u_y' is no derivative of Heat"),
        (["--grid", "y=0:1:3"], "Heat has no input 'y'"),
        (["--grid", "x=0:1"], "'x=0:1' is no axis"),
        (["--out", "a.txt"], "choose a file name that ends in"),
        (["--points", "nowhere.csv"], "nowhere.csv: No such file"),
    ],
)
def test_bad_input_is_one_line(run, capsys, arguments, message):
    capsys.readouterr()
    assert main(["predict", str(run), *arguments]) == 2
    captured = capsys.readouterr().err
    assert message in captured and captured.count("\n") == 1


def test_what_is_no_run_is_one_line(tmp_path, capsys):
    assert main(["export", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
