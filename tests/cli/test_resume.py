"""A run that was stopped goes on to the same bits, from whole checkpoints of its own equation and network alone."""

import csv
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from pinnlab.training.callbacks.checkpoint import newest
from pinnlab.training.callbacks.random_state import random_state, set_random_state

PHASES = (
    "[{class_path: Adam, init_args: {steps: 6, schedule: cosine}}, "
    "{class_path: LBFGS, init_args: {steps: 4, inner: 3}}, {class_path: GaussNewton, init_args: {steps: 5}}]"
)
OPTIONS = ["--model.phases", PHASES, "--data.sampler", "Uniform", "--data.resample_every", "4"]

STOP = """
import random, torch
from lightning.pytorch import Callback
class Stop(Callback):
    def __init__(self, step: int):
        self.step = step
    def on_train_batch_start(self, trainer, module, *rest):
        # training depends on the random state of both generators
        with torch.no_grad():
            next(module.parameters()).mul_(1 + 1e-3 * torch.rand(()) + 1e-3 * random.random())
    def on_train_batch_end(self, trainer, module, *rest):
        trainer.should_stop = module.schedule.step == self.step or trainer.should_stop
"""


def record(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def same(one, other, where=""):
    """Whether two checkpoints hold the same bits, all but the time."""
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            if "seconds" not in str(key):
                same(one[key], other[key], f"{where}/{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for i, pair in enumerate(zip(one, other, strict=True)):
            same(*pair, f"{where}/{i}")
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    else:
        assert one == other, where


def last(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


def test_a_run_stopped_in_every_phase_ends_with_the_same_bits(runs):
    """Stopped at step 0, in and at the end of phases: parameters, optimisers, random state, record and all."""
    (runs.folder / "mine_stop.py").write_text(STOP)

    def fit(name, step, *arguments):
        stop = f"[{{class_path: mine_stop.Stop, init_args: {{step: {step}}}}}]"
        outcome = runs.fit(name, *OPTIONS, "--trainer.callbacks", stop, *arguments)
        assert (outcome.status, outcome.err) == (0, "")

    fit("whole", -1)
    whole, part = runs.folder / "runs" / "whole", runs.folder / "runs" / "part"
    fit("part", 2)
    for step in (6, 9, 12, -1):
        fit("part", step, "--ckpt_path", "last")
    assert [int(row["step"]) for row in record(whole)].count(6) == 2  # the end of Adam and the start of L-BFGS
    assert record(part) == record(whole)
    stored = [last(folder) for folder in (whole, part)]
    for checkpoint in stored:
        del checkpoint["global_step"]  # Lightning's own, of the last process alone
        checkpoint.pop("hyper_parameters", None)
    same(*stored)
    assert runs.summary("part")["unknowns"] == runs.summary("whole")["unknowns"]
    assert runs.summary("part")["seconds"] > 0


def test_random_state_goes_through_a_checkpoint(tmp_path):
    torch.rand(3), random.random(), np.random.rand(3)
    torch.save(random_state(), tmp_path / "state")
    drawn = torch.rand(3).tolist(), random.gauss(0, 1), np.random.randn(3).tolist()
    set_random_state(torch.load(tmp_path / "state", weights_only=True))
    assert (torch.rand(3).tolist(), random.gauss(0, 1), np.random.randn(3).tolist()) == drawn


def spoil_byte(path):
    """One wrong bit among the weights, which torch does not notice."""
    data = bytearray(path.read_bytes())
    start = data.find(np.float64(last_weight(path)).tobytes())
    assert start > 0
    data[start] ^= 1
    path.write_bytes(bytes(data))
    torch.load(path, weights_only=True)


def last_weight(path):
    return float(next(iter(torch.load(path, weights_only=True)["state_dict"].values())).flatten()[0])


DAMAGE = {
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:3000]),
    "empty": lambda path: path.write_bytes(b""),
    "one wrong bit": spoil_byte,
    "another file": lambda path: path.write_text("model: {}"),
}


def test_a_damaged_last_checkpoint_is_refused_and_the_one_before_used(runs):
    folder = runs.folder / "runs" / "r"
    assert runs.fit("r", "--run.checkpoint_steps", "1").status == 0
    before = record(folder), runs.summary("r")["unknowns"]
    # the run goes on to the same bits after each damage, so that the next one finds it whole
    for name, damage in DAMAGE.items():
        damage(folder / "checkpoints" / "last.ckpt")
        # by its name it is refused
        outcome = runs.fit("r", "--ckpt_path", str(folder / "checkpoints" / "last.ckpt"))
        assert outcome.status == 2 and outcome.err.count("\n") == 1 and "last.ckpt is damaged" in outcome.err, name
        assert record(folder) == before[0], name
        # as the last one it is said and passed over
        outcome = runs.fit("r", "--run.checkpoint_steps", "1", "--ckpt_path", "last")
        assert outcome.status == 0, name
        assert outcome.err.count("\n") == 1 and "last.ckpt is damaged" in outcome.err, name
        assert "one before" in outcome.err, name
        assert (record(folder), runs.summary("r")["unknowns"]) == before, name
        assert newest(folder / "checkpoints", pytest.fail) == folder / "checkpoints" / "last.ckpt", name


def test_only_damaged_checkpoints(runs):
    folder = runs.folder / "runs" / "r" / "checkpoints"
    assert runs.fit("r").status == 0
    for path in folder.glob("*.ckpt"):
        path.write_bytes(b"")
    outcome = runs.fit("r", "--ckpt_path", "last")
    assert outcome.status == 2 and "every checkpoint" in outcome.err.splitlines()[-1]


def test_a_run_without_a_checkpoint_begins(runs):
    """What a killed process left behind before its first checkpoint, or nothing: one command starts and continues."""
    outcome = runs.fit("r", "--ckpt_path", "last")
    assert outcome.status == 0 and "starts from the beginning" in outcome.err and outcome.err.count("\n") == 1
    half = runs.folder / "runs" / "half"
    (half / "checkpoints").mkdir(parents=True)
    (half / "config.yaml").write_text("")
    outcome = runs.fit("half", "--ckpt_path", "last")
    assert outcome.status == 0 and runs.summary("half")["unknowns"] == runs.summary("r")["unknowns"]
    outcome = runs.run("validate", "--config", runs.profile, "--run.name", "none", "--ckpt_path", "last")
    assert outcome.status == 2 and "no checkpoint" in outcome.err


EVIL = """
import os, torch
class Evil:
    def __reduce__(self):
        return os.mkdir, ("ran",)
torch.save({"state_dict": {}, "pinnlab": Evil()}, "evil.ckpt")
"""


def test_loading_runs_no_code(runs):
    exec(compile(EVIL, "evil", "exec"), {"__name__": "evil"})
    outcome = runs.fit("r", "--ckpt_path", "evil.ckpt")
    assert outcome.status == 2 and "evil.ckpt" in outcome.err and outcome.err.count("\n") == 1
    assert not (runs.folder / "ran").exists()


def test_a_checkpoint_of_another_run_says_what_differs(runs):
    assert runs.fit("r").status == 0
    folder = runs.folder / "runs" / "r"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for change, said in (
        (["--model.equation.profile", "2"], ["model.equation.init_args.profile = 1", "has 2"]),
        (["--model.network.activation", "sin"], ["model.network.init_args.activation = tanh", "has sin"]),
        (["--model.network.width", "9"], ["model.network.init_args.width = 8", "has 9"]),
        (["--model.phases", "[{class_path: Adam, init_args: {steps: 9}}]"], ["Adam, LBFGS", "has Adam"]),
    ):
        outcome = runs.fit("r", "--ckpt_path", "last", *change)
        assert outcome.status == 2 and outcome.err.count("\n") == 1 and "checkpoint" in outcome.err
        for fragment in said:
            assert fragment in outcome.err
        assert all(path.read_bytes() == data for path, data in before.items())
    # nor is another equation evaluated
    checkpoint = runs.folder / "runs" / "r" / "checkpoints" / "last.ckpt"
    arguments = ["--config", runs.profile, "--config", "short.yaml", "--ckpt_path", str(checkpoint)]
    outcome = runs.run("validate", *arguments, "--model.equation.profile", "2")
    assert outcome.status == 2 and "profile = 1" in outcome.err and outcome.err.count("\n") == 1
