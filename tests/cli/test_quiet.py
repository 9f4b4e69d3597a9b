"""What fit prints: plain lines without colours where there is no terminal, and one line where it is to be quiet."""

import os
import pty
import re
import subprocess
import sys

import pytest

from pinnlab.cli import main

OSCILLATOR = ["fit", "--model.equation", "HarmonicOscillator", "--run.threads", "1"]
STEPS = ["--model.phases.0.steps", "3", "--model.phases.1.steps", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")


def fitted(capsys, *options):
    assert main([*OSCILLATOR, *options]) == 0
    return capsys.readouterr().out


def test_a_solve_says_what_it_does_line_by_line(capsys):
    *windows, folder, last = fitted(capsys, "--tol", "1e-6").splitlines()
    assert windows and all(re.match(r" +[\d.:]+( s)?  t from .*features: error ", line) for line in windows)
    assert folder.startswith("run folder: ") and "tol 1e-06 reached" in last


def test_a_training_says_what_it_does_line_by_line(capsys):
    lines = fitted(capsys, *STEPS).splitlines()
    assert lines[0].startswith("trying HarmonicOscillator out")
    assert [line[:16] for line in lines[1:3]] == ["phase 1 (Adam) e", "phase 2 (LBFGS) "]
    assert lines[3] == "estimating errors" and lines[4].startswith("run folder: ")
    assert lines[5].startswith("4 steps in ") and len(lines) == 6


@pytest.mark.parametrize("how", [["--tol", "1e-6"], STEPS], ids=["solved", "trained"])
def test_quiet_leaves_the_last_line_alone(how, capsys):
    shown = fitted(capsys, "--quiet", *how)
    assert shown.count("\n") == 1 and "u ± " in shown
    assert len(list(os.scandir("runs"))) == 1


def test_quiet_is_for_fit(capsys):
    assert main(["validate", "--quiet"]) == 2
    assert "--quiet is for fit" in capsys.readouterr().err


@pytest.mark.slow
def test_a_terminal_is_told_what_the_first_seconds_are_for():
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "pinnlab", *OSCILLATOR, "--tol", "1e-3"]
    with subprocess.Popen(command, stdout=inner, stderr=subprocess.STDOUT) as process:
        os.close(inner)
        text = b""
        while True:
            try:
                part = os.read(outer, 65536)
            except OSError:  # how a terminal ends on Linux
                break
            if not part:
                break
            text += part
    assert process.returncode == 0 and text.startswith(b"loading PyTorch and Lightning ...\b \b")
    assert b"run folder: " in text
