"""Solves to a tolerance that are killed or told to stop: they go on to the same bits."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pinnlab.cli import main

REPOSITORY = Path(__file__).parents[2]

MODULE = """
import os
from pathlib import Path

import torch
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval
from pinnlab.strategy import Accept, Refinement


class Pendulum(Equation):
    inputs, outputs = ("t",), ("angle",)

    def constraints(self):
        line = Interval(t=(0, 6))
        return {
            "ode": Constraint(line, lambda t, angle: angle.d(t, t) + torch.sin(angle)),
            "start": Constraint(line.face("t", 0), lambda t, angle: (angle - 2, angle.d(t))),
        }


class Disturbed(Refinement):
    def decisions(self, progress):
        steps = super().decisions(progress)
        answer = None
        while True:
            try:
                decision = steps.send(answer)
            except StopIteration as end:
                return end.value
            answer = yield decision
            if isinstance(decision, Accept) and Path("signal").exists():
                number = int(Path("signal").read_text())
                Path("signal").unlink()
                os.kill(os.getpid(), number)
"""
FIT = ["fit", "--model.equation", "pendulum_of_commands.Pendulum", "--tol", "1e-8"]
TRAINED = ["--model.phases.0.steps", "2"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The solution of a solve that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "pendulum_of_commands.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        assert main([*FIT, "--run.name", "whole"]) == 0
        return read(Path("runs/whole"))


@pytest.fixture
def here(tmp_path, monkeypatch, whole):
    """A folder with a module of the user's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pendulum_of_commands.py").write_text(MODULE)
    return tmp_path


def read(folder):
    with np.load(folder / "solution.npz") as arrays:
        ending = json.loads((folder / "summary.json").read_text())["tolerance"]
        return dict(arrays), {name: value for name, value in ending.items() if name != "seconds"}


def same(found, whole):
    for name, values in whole[0].items():
        np.testing.assert_array_equal(found[0][name], values)
    assert found[1] == whole[1]


def broken_off(folder, number, *arguments):
    """A process that gets a signal when the first window is accepted: its status and what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pinnlab", *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        # as a terminal starts it: a test run in the background hands on that Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    journal, end = folder / "decisions.jsonl", time.monotonic() + 90
    while not journal.exists() or '"Accept"' not in journal.read_text():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_a_killed_solve_goes_on_when_the_command_is_given_again(here, whole, capsys):
    folder = Path("runs/one")
    status, _, _ = broken_off(folder, signal.SIGKILL, *FIT, "--run.name", "one")
    assert status == -signal.SIGKILL and not (folder / "summary.json").exists()
    steps = (folder / "decisions.jsonl").read_text().count("\n")
    # what is there is shown, and cannot be taken for another solve
    assert main(["compare", "runs"]) == 0
    assert re.search(r"\none +0 +unfinished +\d ", capsys.readouterr().out.replace("\n ", "\n"))
    for arguments, message in (
        ([*FIT, "--tol", "1e-7", "--run.name", "one"], "was begun with tol 1e-08, not 1e-07"),
        ([*FIT[:3], "--run.name", "one", "--ckpt_path", "last"], "was begun with tol 1e-08, not 1e-06"),
        ([*FIT[:3], *TRAINED, "--run.name", "one", "--ckpt_path", "last"], "runs/one is of a solve to a tolerance"),
        (["predict", "runs/one"], "the solve in runs/one has not ended, and has no solution yet"),
    ):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and message in err
    # a time limit that is over at once: what was accepted is printed, and nothing is lost
    assert main([*FIT, "--time_limit", "1e-9", "--run.name", "one"]) == 0
    out, err = capsys.readouterr()
    assert "tol 1e-08 not reached: the time limit" in out.splitlines()[-1]
    assert re.fullmatch(
        r"pinnlab: ended by the time limit; continue with: .* --time_limit 1e-9 --run.name one .*\n", err
    )
    assert main([*FIT, "--run.name", "one"]) == 0
    assert capsys.readouterr().out.startswith(f"runs/one goes on after step {steps}\n")
    same(read(folder), whole)


def says_how_it_goes_on(folder, number, out, err):
    assert out.splitlines()[-2] == f"run folder: {folder}"
    assert "tol 1e-08 not reached: Ctrl-C" in out.splitlines()[-1]
    (line,) = err.splitlines()
    assert re.match(
        rf"pinnlab: interrupted by {number.name} after step \d+; continue with: python -m pinnlab fit ", line
    )
    return shlex.split(line.partition("continue with: python -m pinnlab ")[2])


def test_ctrl_c_says_how_it_goes_on(here, whole):
    folder = Path("some runs/one")
    status, out, err = broken_off(folder, signal.SIGINT, *FIT, "--run.root=some runs", "--run.name", "one")
    assert status == 128 + signal.SIGINT
    assert main(says_how_it_goes_on(folder, signal.SIGINT, out, err)) == 0
    same(read(folder), whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1], ids=lambda number: number.name)
def test_so_does_what_ends_a_job(number, here, whole, capsys):
    Path("signal").write_text(str(int(number)))
    before = signal.getsignal(number)
    assert main([*FIT, "--recipe", "pendulum_of_commands.Disturbed"]) == 128 + number
    assert signal.getsignal(number) == before
    (folder,) = Path("runs").iterdir()
    assert main(says_how_it_goes_on(folder, number, *capsys.readouterr())) == 0
    same(read(folder), whole)


@pytest.mark.parametrize(
    ("script", "tasks", "said"),
    [
        ("fit", 1, ""),
        ("fit", 2, "pinnlab: trainer.devices: a solve to a tolerance runs in one process"),
        ("fit_multinode", 1, "pinnlab: trainer.num_nodes: a solve to a tolerance runs in one process"),
    ],
)
def test_job_scripts_hand_the_tolerance_on(script, tasks, said, here, whole, capsys):
    """What the scripts would run, with srun and python as functions that print it."""
    Path("env.sh").write_text(
        'srun() { "$@"; }\n--kill-on-bad-exit=1() { shift 2; "$@"; }\npython() { printf "%s\\n" "$@"; }'
    )
    environment = os.environ | {
        "PINNLAB_ENV": "./env.sh", "SLURM_NTASKS_PER_NODE": str(tasks), "SLURM_JOB_NAME": "job", "SLURM_JOB_ID": "7",
        "SLURM_NNODES": "2",
    }  # fmt: skip
    command = ["bash", str(REPOSITORY / "slurm" / f"{script}.sbatch"), *FIT[1:]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    words = done.stdout.splitlines()
    assert words[:3] == ["-m", "pinnlab", "fit"]
    assert main(words[2:]) == (2 if said else 0)
    err = capsys.readouterr().err
    assert err.startswith(said) and err.count("\n") == bool(said)
    if not said:
        same(read(Path("runs/job-7")), whole)
