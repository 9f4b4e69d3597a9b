"""A staged run by the command line: its record, what reads it, and a resume in the middle of the second stage."""

import csv
import math

import numpy as np
import pytest
import torch

STAGED = """
model:
  equation: {class_path: SelfSimilarBurgers, init_args: {extent: [0.0, 2.0], origin: [0.0, 0.3]}}
  network:
    class_path: Taylor
    init_args:
      coefficients: [0.0, -1.0, 0.0]
      network:
        class_path: Even
        init_args:
          network:
            class_path: Staged
            init_args:
              stages:
                # with biases: the even part of odd units is zero
                - {class_path: MLP, init_args: {depth: 1, width: 6, initialisation: kaiming_uniform}}
                - class_path: Rescaled
                  init_args:
                    low: [-0.5]
                    high: [0.5]
                    network:
                      class_path: MLP
                      init_args: {depth: 1, width: 5, activation: sin, initialisation: kaiming_uniform}
  engine: {class_path: NTP}
  phases:
    - {class_path: GaussNewton, init_args: {steps: 4}}
    - {class_path: Adam, init_args: {steps: 3, lr: 1.0e-2, stage: 2}}
    - {class_path: GaussNewton, init_args: {steps: 4, stage: 2}}
data:
  sampler: {class_path: Grid}
  points: {interior: 21, origin: 5}
  held_out: 51
trainer: {log_every_n_steps: 1, accelerator: cpu}
"""
STOP = """
from lightning.pytorch import Callback
class Stop(Callback):
    def __init__(self, step: int):
        self.step = step
    def on_train_batch_end(self, trainer, module, *rest):
        trainer.should_stop = module.schedule.step == self.step or trainer.should_stop
"""
SCALES = "residuals.network.network.network._extra_state"


@pytest.fixture
def fit(runs):
    (runs.folder / "staged.yaml").write_text(STAGED)
    (runs.folder / "halt_staged.py").write_text(STOP)

    def start(name, *arguments):
        return runs.run("fit", "--config", "staged.yaml", "--run.name", name, *arguments)

    return start


def record(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def last(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


def test_what_reads_a_run_reads_a_staged_one(runs, fit):
    assert (fit("s").status, runs.summary("s")["status"]) == (0, "finished")
    folder = runs.folder / "runs" / "s"
    assert float(record(folder)[-1]["loss"]) < float(record(folder)[4]["loss"])
    assert last(folder)["state_dict"][SCALES][1] > 0
    solution = np.load(folder / "solution.npz")
    arguments = ["--config", str(folder / "config.yaml"), "--ckpt_path", str(folder / "checkpoints" / "last.ckpt")]
    for command in ("validate", "predict"):
        assert runs.run(command, *arguments).status == 0
    assert np.allclose(np.load(folder / "prediction.npz")["U"], solution["U"][0], rtol=0, atol=1e-14)
    assert runs.run("figures", str(folder)).status == 0
    assert runs.run("export", str(folder), "--derivatives", "U_X").status == 0
    points = torch.tensor(solution["X"])[:, None]
    exported = torch.export.load(folder / "solution.pt2").module()(points)
    for order, name in enumerate(("U", "U_X")):
        assert np.allclose(exported[name].numpy(), solution["U"][order], rtol=0, atol=1e-12)


@pytest.mark.long
def test_a_run_stopped_in_its_second_stage_ends_with_the_same_bits(runs, fit):
    assert fit("whole").status == 0
    whole, part = runs.folder / "runs" / "whole", runs.folder / "runs" / "part"
    for i, step in enumerate((4, 5, 9, -1)):
        stop = f"[{{class_path: halt_staged.Stop, init_args: {{step: {step}}}}}]"
        outcome = fit("part", "--trainer.callbacks", stop, *(["--ckpt_path", "last"] if i else []))
        assert (outcome.status, outcome.err) == (0, "")
        assert last(part)["state_dict"][SCALES].count_nonzero() == (1 if step == 4 else 2)
    assert record(part) == record(whole)
    stored = [last(folder) for folder in (whole, part)]
    assert stored[0]["state_dict"].keys() == stored[1]["state_dict"].keys()
    for name, value in stored[0]["state_dict"].items():
        assert torch.equal(value, stored[1]["state_dict"][name]), name
    begun = math.sqrt(float(record(whole)[5]["loss"]))
    assert float(stored[0]["state_dict"][SCALES][1]) == pytest.approx(begun, rel=1e-12)


def test_a_resume_with_other_stages_says_what_differs(runs, fit):
    assert fit("r").status == 0
    for change, said in (
        (["--model.phases.1.stage", "1", "--model.phases.2.stage", "1"], "stages 1, 2, 2, but in the configuration"),
        (["--model.phases.1.stage", "3"], "phase 2 (Adam) trains stage 3: the network has 2 in its Staged"),
        (["--model.phases.2.stage", "1"], "stages are trained in order"),
        (
            ["--model.network.network.network.stages", "[{class_path: MLP}, {class_path: MLP}]"],
            "written with model.network.init_args.network.init_args.network.init_args.stages",
        ),
    ):
        outcome = fit("r", "--ckpt_path", "last", *change)
        assert outcome.status == 2 and outcome.err.count("\n") == 1
        assert said in outcome.err
