"""Figures from records alone: one and two inputs, killed runs, and what a picture shows."""

import json

import numpy as np
import pytest
from matplotlib.image import imread

from pinnlab.cli import main
from pinnlab.reporting import figures
from pinnlab.reporting.figures import panels
from pinnlab.reporting.folder import RunFolder

NAMES = ["cost", "history", "points", "residual", "solution"]

HEAT = """
import math
import torch
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Box


class Heat(Equation):
    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 0.1), x=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) - u.d(x, x), points=60),
            "initial": Constraint(box.face("t", 0), lambda x, u: u - torch.sin(math.pi * x), points=12),
            "walls": Constraint(box.faces("x"), lambda u: u, points=12),
        }

    def exact(self, t, x):
        return torch.exp(-math.pi**2 * t) * torch.sin(math.pi * x)
"""

CONFIG = """
model:
  equation: {class_path: heat_of_figures.Heat}
  network: {class_path: MLP, init_args: {width: 10, depth: 1}}
  engine: NTP
  phases:
    - {class_path: Adam, init_args: {steps: 4, lr: 0.01}}
    - {class_path: GaussNewton, init_args: {steps: 4}}
trainer: {log_every_n_steps: 1}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.setenv("WANDB_MODE", "disabled")
        (folder / "heat_of_figures.py").write_text(HEAT)
        (folder / "heat.yaml").write_text(CONFIG)
        assert main(["fit", "--config", "heat.yaml", "--run.name", "heat"]) == 0
        assert main(["figures", "runs/heat"]) == 0
        yield RunFolder(folder / "runs" / "heat")


def test_every_figure_of_two_inputs_as_png_and_pdf(run):
    target = run.path / "figures"
    assert sorted(path.name for path in target.glob("*.png")) == [f"{name}.png" for name in NAMES]
    for name in NAMES:
        assert imread(target / f"{name}.png").std() > 0.05  # something is painted
        assert (target / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    assert run.figure.exists()


def test_maps_cover_the_domain_and_their_error_is_found_minus_exact(run):
    record = figures.read(run)
    t, x = (record.solution[name] for name in record.inputs)
    assert (t.min(), t.max(), x.min(), x.max()) == (0, 0.1, 0, 1)
    exact = np.exp(-(np.pi**2) * t) * np.sin(np.pi * x)
    np.testing.assert_allclose(record.solution["exact/u"][0], exact, atol=1e-14)
    drawn = []
    for panel in panels.solution(record):
        axis = _Axes()
        panel(axis)
        drawn.append(axis.values)
    np.testing.assert_array_equal(drawn[2], np.abs(record.solution["u"][0] - record.solution["exact/u"][0]))


def test_points_are_those_of_training(run):
    record = figures.read(run)
    assert len(record.points["interior/t"]) == 60
    assert np.all(record.points["initial/t"] == 0)


def test_figures_need_neither_network_nor_checkpoint(run, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("metrics.csv", "summary.json", "solution.npz", "points.npz", "config.yaml"):
        (copy / name).write_bytes((run.path / name).read_bytes())
    assert main(["figures", str(copy), "--out", str(tmp_path / "again"), "--formats", "png"]) == 0
    for name in NAMES:
        again = (tmp_path / "again" / f"{name}.png").read_bytes()
        assert again == (run.path / "figures" / f"{name}.png").read_bytes()


def test_a_killed_run_still_has_history_and_cost(run, tmp_path):
    killed = tmp_path / "killed"
    killed.mkdir()
    (killed / "metrics.csv").write_text(run.metrics.read_text() + "7,GaussN")
    written = figures.draw_all(RunFolder(killed), killed / "figures", ["png"])
    assert [path.stem for path in written] == ["history", "cost"]


def test_one_input_shows_each_derivative(tmp_path):
    folder = RunFolder(tmp_path / "one")
    folder.path.mkdir()
    x = np.linspace(0, 1, 20)
    u = np.stack([x**2, 2 * x, 2 + 0 * x])
    np.savez(folder.solution, x=x, u=u, residual=x[None], **{"exact/u": u})
    np.savez(folder.points, **{"interior/x": x, "ends/x": np.array([0.0, 1.0])})
    record = figures.read(folder)
    assert (record.inputs, record.outputs) == (["x"], ["u"])
    assert len(panels.solution(record)) == 3 and len(panels.residual(record)) == 2
    assert [path.stem for path in figures.draw_all(folder, tmp_path, ["png"])] == ["solution", "residual", "points"]


def test_an_empty_record_is_one_line(tmp_path, capsys):
    (tmp_path / "summary.json").write_text(json.dumps({"unknowns": {}}))
    assert main(["figures", str(tmp_path)]) == 2
    assert "holds nothing to draw" in capsys.readouterr().err


def test_an_empty_record_among_others_is_a_line_and_no_end(tmp_path, capsys):
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "summary.json").write_text(json.dumps({"unknowns": {}}))
    x = np.linspace(0, 1, 20)
    np.savez(RunFolder(tmp_path / "full").solution, x=x, u=x[None])
    assert main(["figures", str(tmp_path), "--formats", "png"]) == 0
    out, err = capsys.readouterr()
    assert err == f"pinnlab: {tmp_path / 'empty'}: the record holds nothing to draw yet\n"
    assert str(tmp_path / "full" / "figures" / "solution.png") in out


class _Axes:
    """Takes what a map draws."""

    values = None

    def tripcolor(self, x, y, values, **options):
        self.values = values

    def __getattr__(self, name):
        return self if name == "figure" else lambda *args, **kwargs: None
