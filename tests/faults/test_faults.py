"""Faults tried on purpose: what happens is said in a line, nothing is lost and nothing hangs."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from pinnlab.training.callbacks.checkpoint import verify

LONG = ["--model.phases.0.steps", "100000"]

SPOILT = """
import torch
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval, PointSet

class Spoilt(Equation):
    '''u' = -u with u(0) = 1, u(1) = 1/e; the residual at x = 1, the second point, becomes NaN.'''
    inputs, outputs = ("x",), ("u",)
    def __init__(self):
        super().__init__()
        self.evaluations = 0
    def constraints(self):
        return {
            "interior": Constraint(Interval(x=(0, 1)), lambda x, u: u.d(x) + u, points=9),
            "ends": Constraint(PointSet(x=[0.0, 1.0]), self.spoil),
        }
    def spoil(self, x, u):
        self.evaluations += 1
        return (u - torch.exp(-x)) * (torch.sqrt(0.5 - x) if self.evaluations > 9 else 1.0)
"""


def running(lab, name):
    """Whether a run has taken some steps."""
    path = lab.path(name) / "metrics.csv"
    return path.exists() and path.read_text().count("\n") > 8


@pytest.mark.parametrize("victim", [pytest.param(0, marks=pytest.mark.long), 1])
def test_a_killed_rank_ends_the_others(lab, victim):
    """kill -9: the other process says so and ends; the run goes on from its checkpoint."""
    processes = lab.ranks("killed", 2, *LONG)
    lab.wait(lambda: running(lab, "killed"), processes[0])
    processes[victim].kill()
    other = processes[1 - victim]
    started = time.monotonic()
    other.join(60)
    assert other.exitcode == 1, lab.log("killed")
    print(f"ended after {time.monotonic() - started:.1f} s")
    assert "another process of this run has died" in lab.log("killed")
    assert "Traceback" not in lab.log("killed")
    assert lab.summary("killed")["status"] == ("failed" if victim else "running")
    verify(lab.path("killed") / "checkpoints" / "last.ckpt")
    assert lab.fit_ranks("killed", 2, "--ckpt_path", "last", "--model.phases.0.steps", "1") == [0, 0]
    assert lab.summary("killed")["status"] == "finished"


def test_a_signal_to_one_rank_stops_all(lab):
    """SIGTERM at rank 1 alone: both end after the same step, with a checkpoint, and the record names the signal."""
    processes = lab.ranks("stopped", 2, *LONG)
    lab.wait(lambda: running(lab, "stopped"), processes[0])
    os.kill(processes[1].pid, signal.SIGTERM)
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [128 + signal.SIGTERM] * 2, lab.log("stopped")
    assert (lab.summary("stopped")["status"], lab.summary("stopped")["signal"]) == ("interrupted", "SIGTERM")


def test_nan_on_one_rank_stops_all_and_names_the_term(lab):
    """The spoilt point is rank 1's: both ranks stop at the same step, naming the constraint."""
    (lab.folder / "mine_spoilt.py").write_text(SPOILT)
    options = ["--model.equation", "mine_spoilt.Spoilt", "--data.points", "{interior: 9}"]
    processes = lab.ranks("spoilt", 2, *options, PYTHONPATH=str(lab.folder))
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [1, 1], lab.log("spoilt")
    lines = [line for line in lab.log("spoilt").splitlines() if line.startswith("pinnlab:")]
    assert len(lines) == 2 and lines[0] == lines[1]
    assert "'ends' became NaN at step" in lines[0] and "phase 1 (Adam)" in lines[0]
    assert lab.summary("spoilt")["status"] == "diverged"
    verify(lab.path("spoilt") / "checkpoints" / "last.ckpt")


@contextmanager
def disk(path, size):
    """A file system of its own of so many bytes."""
    path.mkdir()
    if os.getuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.mark.long
@pytest.mark.parametrize("every", [1, 10**6], ids=["at a checkpoint", "at a row"])
def test_a_full_disk(lab, every):
    """One line says so; with room again the run goes on to the same bits."""
    options = ["--run.checkpoint_steps", str(every), "--model.phases.0.steps", "300"]
    assert lab.fit("whole", *options) == 0
    small = lab.folder / "small"
    options += ["--run.root", str(small)]
    with disk(small, 2**20):
        process = lab.start("full", *options)
        lab.wait(lambda: (small / "full" / "checkpoints" / "last.ckpt").exists(), process)
        with suppress_full(), (small / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        process.join(60)
        assert process.exitcode == 2, lab.log("full")
        (line,) = [line for line in lab.log("full").splitlines() if line.startswith("pinnlab:")]
        assert "cannot write" in line and "No space left" in line and "continue with --ckpt_path last" in line
        assert "Traceback" not in lab.log("full")
        assert not list((small / "full" / "checkpoints").glob("*.tmp"))
        (small / "filler").unlink()
        assert lab.fit("full", *options, "--ckpt_path", "last") == 0, lab.log("full")
        found = json.loads((small / "full" / "summary.json").read_text())
        assert found["unknowns"] == lab.summary("whole")["unknowns"]


@contextmanager
def suppress_full():
    try:
        yield
    except OSError as error:
        assert error.errno == 28


@contextmanager
def read_only(path):
    """The same folder, mounted over itself for reading alone."""
    subprocess.run(["mount", "--bind", str(path), str(path)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(path)], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_read_only_folder(lab):
    """From the start nothing begins; in the middle the run ends with its last checkpoint, and goes on from it."""
    assert lab.fit("whole") == 0
    small = lab.folder / "small"
    run = ["--run.root", str(small)]
    with disk(small, 2**24):
        with read_only(small):
            assert lab.fit("refused", *run) == 2
            assert "cannot write a run folder" in lab.log("refused") and "Read-only" in lab.log("refused")
        process = lab.start("kept", *run)
        lab.wait(lambda: (small / "kept" / "checkpoints" / "last.ckpt").exists(), process)
        with read_only(small):
            process.join(60)
            assert process.exitcode == 2, lab.log("kept")
            (line,) = [line for line in lab.log("kept").splitlines() if line.startswith("pinnlab:")]
            assert "cannot write the checkpoint" in line and "Read-only file system" in line
            assert lab.fit("kept", *run, "--ckpt_path", "last") == 2
            assert "cannot write the run folder" in lab.log("kept")
        assert lab.fit("kept", *run, "--ckpt_path", "last") == 0
        found = json.loads((small / "kept" / "summary.json").read_text())
        assert found["unknowns"] == lab.summary("whole")["unknowns"]


def test_sigterm_during_import(lab):
    """A process that is ended before it trains leaves nothing behind, and says nothing."""
    command = [sys.executable, "-m", "pinnlab", "fit", "--config", "fast.yaml", "--run.name", "early"]
    environment = os.environ | {"WANDB_MODE": "disabled", "PYTHONPATH": os.getcwd()}
    process = subprocess.Popen(
        command, cwd=lab.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(0.7)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (-signal.SIGTERM, "", "")
    assert not (lab.folder / "runs").exists()
    assert lab.fit("early", "--ckpt_path", "last") == 0


@pytest.mark.long
def test_two_runs_in_one_folder(lab):
    """The second one is turned away and the first one does not notice."""
    assert lab.fit("alone", "--model.phases.0.steps", "500") == 0
    first = lab.start("shared", "--model.phases.0.steps", "500")
    lab.wait(lambda: running(lab, "shared"), first)
    assert lab.fit("shared", "--model.phases.0.steps", "500", "--ckpt_path", "last") == 2
    assert "another process is writing the run folder" in lab.log("shared")
    assert lab.fit("shared", "--model.phases.0.steps", "500") == 2
    assert "choose another run.name" in lab.log("shared")
    assert first.is_alive(), "the first one ended too early to be disturbed"
    first.join(60)
    assert first.exitcode == 0
    assert lab.record("shared") == lab.record("alone")
