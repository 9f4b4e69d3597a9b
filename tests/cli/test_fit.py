"""A whole fit by the command line: its record, overlays, resume, evaluation, and ends that are not happy."""

import csv
import re

import numpy as np
import pytest
import torch
import yaml

import pinnlab
from pinnlab.collocation import Grid
from pinnlab.networks import MLP
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.training import LBFGS, Adam

SPOILT = """
import torch
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval, PointSet

class Spoilt(Equation):
    '''u' = -u with u(0) = 1, and a term that becomes NaN once the network has moved.'''
    inputs, outputs = ("x",), ("u",)
    def __init__(self):
        super().__init__()
        self.evaluations = 0
    def constraints(self):
        return {
            "interior": Constraint(Interval(x=(0, 1)), lambda x, u: u.d(x) + u, points=9),
            "spoilt": Constraint(PointSet(x=[0.0]), self.spoil),
        }
    def spoil(self, x, u):
        self.evaluations += 1
        return (u - 1) * (float("nan") if self.evaluations > 5 else 1.0)
"""


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def weights(path):
    return torch.load(path, weights_only=True)["state_dict"]


def test_leaves_a_whole_record(runs):
    outcome = runs.fit("one")
    assert (outcome.status, outcome.err) == (0, "")
    folder = runs.folder / "runs" / "one"
    assert "runs/one" in outcome.out
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", outcome.out), "control characters in a log"

    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["model"]["equation"]["init_args"]["profile"] == 1
    assert config["model"]["network"]["init_args"]["width"] == 8
    assert config["trainer"]["precision"] == "64-true"

    summary = runs.summary("one")
    assert (summary["equation"], summary["engine"], summary["seed"]) == ("SelfSimilarBurgers", "NTP", 0)
    assert summary["status"] == "finished"
    assert [(phase["name"], phase["steps"]) for phase in summary["phases"]] == [("Adam", 4), ("LBFGS", 2)]
    assert summary["seconds"] >= sum(phase["seconds"] for phase in summary["phases"]) > 0
    assert summary["versions"]["torch"] == torch.__version__
    unknown = summary["unknowns"]["lam"]
    assert unknown["truth"] == 0.5 and unknown["error"] == pytest.approx(abs(unknown["value"] - 0.5))
    for name in ("residual_interior", "residual_origin", "held_out_loss"):
        # with twice the digits: rounding is not what a short run has left
        assert summary["metrics"][f"{name}_precise"] == pytest.approx(summary["metrics"][name], rel=1e-9)
        assert summary["metrics"][f"{name}_precise"] != 0
    assert summary["metrics"]["max_error"] > 0 and summary["metrics"]["relative_l2"] > 0
    assert summary["metrics"]["error_lam"] == pytest.approx(unknown["error"])

    record = read(folder / "metrics.csv")
    # each of the six steps where it started, and the end of each phase
    assert [int(row["step"]) for row in record] == [0, 1, 2, 3, 4, 4, 5, 6]
    for row in record:
        shares = [float(row[name]) for name in ("loss/interior", "loss/origin", "loss/ends")]
        assert sum(shares) == pytest.approx(float(row["loss"]), rel=1e-12)
    assert float(record[-1]["loss"]) == summary["metrics"]["loss"] < float(record[0]["loss"])
    assert float(record[-1]["lam"]) == unknown["value"]

    arrays = np.load(folder / "solution.npz")
    assert arrays["U"].shape == arrays["exact/U"].shape == (5, 51)
    assert np.abs(arrays["U"][0] - arrays["exact/U"][0]).max() == pytest.approx(summary["metrics"]["max_error"])
    # the stored derivatives are those of the stored values
    slope = np.gradient(arrays["exact/U"][0], arrays["X"])
    assert np.abs(slope - arrays["exact/U"][1])[2:-2].max() < 1e-2
    assert (folder / "profile.png").read_bytes().startswith(b"\x89PNG")

    stored = weights(folder / "checkpoints" / "last.ckpt")
    assert float(stored["residuals.equation.lam.parameter"]) == pytest.approx(unknown["value"])
    assert {path.name for path in (folder / "checkpoints").iterdir()} == {
        "last.ckpt",
        "previous.ckpt",
        "phase_1_Adam.ckpt",
        "phase_2_LBFGS.ckpt",
    }

    # the run's own configuration repeats it, in a folder of its own
    again = runs.run("fit", "--config", str(folder / "config.yaml"), "--run.name", "again")
    assert again.status == 0
    assert runs.summary("again")["unknowns"] == summary["unknowns"]
    # and pinnlab.solve is the same training
    solution = pinnlab.solve(
        SelfSimilarBurgers(),
        lambda inputs, outputs: MLP(inputs, outputs, width=8, depth=2),
        phases=[Adam(4, lr=float(config["model"]["phases"][0]["init_args"]["lr"])), LBFGS(2, inner=3)],
        points={"interior": 21, "origin": 5},
        sampler=Grid(),
        accelerator="cpu",
    )
    assert solution.unknowns["lam"] == unknown["value"]
    assert list(solution.history["step"]) == [0, 4, 4, 5, 6] or len(solution.history["loss"]) > 2


def test_overlays_and_overrides(runs):
    (runs.folder / "other.yaml").write_text(
        "model: {equation: {init_args: {profile: 2}}, engine: {class_path: Autograd}}\n"
        "data: {seed: 7, held_out: '${data.seed}'}"
    )
    arguments = ["--config", "other.yaml", "--data.seed", "9", "--model.phases.1.steps", "1", "--seed_everything", "3"]
    assert runs.fit("o", *arguments).status == 0
    summary = runs.summary("o")
    assert (summary["engine"], summary["seed"]) == ("Autograd", 3)
    assert summary["unknowns"]["lam"]["truth"] == 0.25
    assert [phase["steps"] for phase in summary["phases"]] == [4, 1]
    config = yaml.safe_load((runs.folder / "runs" / "o" / "config.yaml").read_text())
    assert config["data"]["held_out"] == 9, "the interpolation must see the value from the command line"
    assert config["model"]["phases"][0]["init_args"]["steps"] == 4


def test_an_existing_run_is_not_touched(runs):
    assert runs.fit("kept").status == 0
    folder = runs.folder / "runs" / "kept"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    outcome = runs.fit("kept", "--seed_everything", "1")
    assert outcome.status == 2 and "run.name" in outcome.err and outcome.err.count("\n") == 1
    # a resume with another network or another list of phases is refused as gently
    for change in (["--model.network.width", "9"], ["--model.phases", "[{class_path: Adam, init_args: {steps: 9}}]"]):
        outcome = runs.fit("kept", "--ckpt_path", "last", *change)
        assert outcome.status == 2 and "checkpoint" in outcome.err and outcome.err.count("\n") == 1
        for path in ("summary.json", "metrics.csv", "solution.npz", "checkpoints/last.ckpt"):
            assert (folder / path).read_bytes() == before[folder / path]


def test_evaluation_of_a_checkpoint(runs):
    assert runs.fit("e").status == 0
    folder = runs.folder / "runs" / "e"
    arguments = ["--config", str(folder / "config.yaml"), "--ckpt_path", str(folder / "checkpoints" / "last.ckpt")]
    before = (folder / "summary.json").read_bytes()
    for command in ("validate", "test"):
        outcome = runs.run(command, *arguments)
        assert outcome.status == 0
        shown = dict(re.findall(r"(max_error|relative_l2)\D+([\d.e-]+)", outcome.out))
        assert float(shown["max_error"]) == pytest.approx(runs.summary("e")["metrics"]["max_error"], rel=1e-4)
    assert runs.run("predict", *arguments).status == 0
    prediction, solution = np.load(folder / "prediction.npz"), np.load(folder / "solution.npz")
    assert np.array_equal(prediction["X"], solution["X"])
    assert np.allclose(prediction["U"], solution["U"][0], rtol=0, atol=1e-14)
    assert (folder / "summary.json").read_bytes() == before


def test_a_diverged_run_says_where_and_keeps_its_checkpoint(runs):
    (runs.folder / "mine_spoilt.py").write_text(SPOILT)
    outcome = runs.run(
        *["fit", "--config", "short.yaml", "--model.equation", "mine_spoilt.Spoilt", "--model.engine", "NTP"],
        *["--data.points", "{}", "--run.name", "spoilt", "--run.checkpoint_steps", "1"],
    )
    assert outcome.status == 1 and outcome.err.count("\n") == 1
    for fragment in ("'spoilt'", "NaN", "phase 1 (Adam)"):
        assert fragment in outcome.err
    step = int(re.search(r"step (\d+)", outcome.err)[1])
    summary = runs.summary("spoilt")
    assert summary["status"] == "diverged" and summary["phases"][0]["steps"] == step
    checkpoint = torch.load(runs.folder / "runs" / "spoilt" / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["pinnlab"]["schedule"]["step"] == step
    assert all(value.isfinite().all() for value in checkpoint["state_dict"].values())
    assert (runs.folder / "runs" / "spoilt" / "profile.png").exists()


def test_an_equation_from_a_file_outside_the_package(runs):
    (runs.folder / "mine_decay.py").write_text(
        SPOILT.replace('float("nan") if self.evaluations > 5 else 1.0', "1.0").replace("Spoilt", "Decay")
    )
    outcome = runs.run(
        *["fit", "--config", "short.yaml", "--model.equation", "mine_decay.Decay", "--model.engine", "NTP"],
        *["--data.points", "{}", "--run.name", "decay"],
    )
    assert outcome.status == 0
    summary = runs.summary("decay")
    assert summary["equation"] == "Decay" and summary["unknowns"] == {}
    assert "max_error" not in summary["metrics"] and summary["metrics"]["residual_interior"] > 0
