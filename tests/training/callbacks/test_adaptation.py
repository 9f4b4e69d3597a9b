"""Points drawn where the residual is large, while a run goes on."""

import csv

import numpy as np
import pytest
import torch

import pinnlab
from pinnlab.cli import main
from pinnlab.errors import UserError
from pinnlab.networks import MLP
from pinnlab.problems import ViscousBurgers
from pinnlab.training import Adam
from pinnlab.training.callbacks.adaptation import ResidualAdaptive

CONFIG = """
model:
  equation: {class_path: ViscousBurgers, init_args: {viscosity: 0.05}}
  network: {class_path: MLP, init_args: {depth: 2, width: 8}}
  engine: {class_path: NTP}
  phases:
    - {class_path: Adam, init_args: {steps: 12, lr: 0.01}}
data: {points: {interior: 40, initial: 10, walls: 10}, held_out: 50}
trainer:
  accelerator: cpu
  log_every_n_steps: 1
  callbacks:
    - class_path: ResidualAdaptive
      init_args: {constraint: interior, every: 5, candidates: 400, k: 2.0}
run: {checkpoint_steps: 1, checkpoint_seconds: 3600}
"""


class Seen(ResidualAdaptive):
    """Remembers the points of every step."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.points = []

    def on_train_batch_start(self, trainer, module, batch, *rest):
        self.points.append({name: dict(points) for name, points in batch.items()})


def solved(seen, steps=12, seed=0):
    points = {"interior": 200, "initial": 10, "walls": 10}
    return pinnlab.solve(
        ViscousBurgers(0.05),
        MLP,
        phases=[Adam(steps, lr=0.1)],
        points=points,
        seed=seed,
        callbacks=[seen],
        accelerator="cpu",
    )


def test_the_points_of_one_constraint_change_on_time_and_follow_the_residual():
    seen = Seen("interior", every=5, candidates=5000, k=2.0, c=0.0)
    solved(seen)
    drawn = [points["interior"]["x"] for points in seen.points]
    assert [i for i in range(1, 12) if not torch.equal(drawn[i], drawn[i - 1])] == [5, 10]
    assert all(torch.equal(points["initial"]["x"], seen.points[0]["initial"]["x"]) for points in seen.points)
    assert all(len(x) == 200 for x in drawn)
    # the residual of the network as it was when they were drawn: ten steps of the same run
    before = solved(ResidualAdaptive(every=5, candidates=5000, k=2.0, c=0.0), steps=10).model
    chosen, spread = (
        before.residual_values({"interior": points["interior"]})["interior"].abs()
        for points in (seen.points[10], seen.points[0])
    )
    expected = float((spread**3).mean() / (spread**2).mean())
    assert float(chosen.mean()) == pytest.approx(expected, rel=0.1)
    assert expected > 1.2 * float(spread.mean())


def test_the_same_run_draws_the_same_points_and_another_seed_others():
    runs = []
    for seed in (0, 0, 1):
        seen = Seen(every=5, candidates=500)
        solved(seen, seed=seed)
        runs.append(seen.points[10]["interior"]["x"])
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_a_resumed_run_has_the_points_of_the_uninterrupted_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    (tmp_path / "run.yaml").write_text(CONFIG)
    fit = ["fit", "--config", "run.yaml", "--run.name"]
    short = ["--model.phases.0.steps", "7"]
    for arguments in ([*fit, "whole"], [*fit, "cut", *short], [*fit, "cut", "--ckpt_path", "last"]):
        assert main(arguments) == 0, capsys.readouterr().err
    rows = []
    for name in ("whole", "cut"):
        with (tmp_path / "runs" / name / "metrics.csv").open(newline="") as file:
            rows.append({row["step"]: row["loss"] for row in csv.DictReader(file)})
    assert rows[0].items() <= rows[1].items()
    points = [np.load(tmp_path / "runs" / name / "points.npz") for name in ("whole", "cut")]
    assert all(np.array_equal(points[0][key], points[1][key]) for key in points[0])


def test_a_boundary_of_several_parts_is_adapted():
    walls = Seen(constraint="walls", every=3, candidates=60)
    solved(walls, steps=5)
    first, last = walls.points[0]["walls"], walls.points[-1]["walls"]
    assert first.keys() == last.keys() and len(first["t"]) == len(last["t"])
    assert not torch.equal(first["t"], last["t"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every and candidates must be positive"),
        ({"c": -1.0}, "not negative"),
        ({"constraint": "nowhere"}, "no constraint 'nowhere'"),
        ({"candidates": 100}, "200 points of interior need more than 100"),
    ],
)
def test_bad_options_are_refused_before_the_first_step(options, message):
    with pytest.raises(UserError, match=message):
        solved(ResidualAdaptive(**options))
