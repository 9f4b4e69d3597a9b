"""Readers that go away and signals: no traceback, and what to do next."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

SMALL = """
model:
  equation: Poisson
  network: {class_path: MLP, init_args: {depth: 1, width: 4}}
  phases: [{class_path: Adam, init_args: {steps: 60}}]
data: {points: {interior: 9, boundary: 8}, held_out: 9}
trainer: {accelerator: cpu}
"""


def environment():
    return os.environ | {"WANDB_MODE": "disabled", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def piped(folder, *arguments):
    """What a command says and its status when its reader has gone before it writes."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "pinnlab", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(), stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    return done.returncode, done.stderr


COMMANDS = [["--help"], ["fit", "--help"], ["--version"], ["equations"], ["compare", "--help"]]
COMMANDS += [["fit", "--model.equation", "Poisson", "--print_config"]]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_reader_that_goes_away_is_no_error(tmp_path, arguments):
    status, err = piped(tmp_path, *arguments)
    # argparse itself takes no notice where its output is not buffered
    assert err == "" and status in (0, 128 + signal.SIGPIPE)


@pytest.mark.slow
def test_a_run_goes_on_without_its_reader(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL)
    _, err = piped(tmp_path, "fit", "--config", "small.yaml", "--run.name", "one")
    # beside what the run found wrong with sixty steps
    assert [line for line in err.splitlines() if "as large as" not in line] == []
    summary = json.loads((tmp_path / "runs" / "one" / "summary.json").read_text())
    assert summary["status"] == "finished" and summary["phases"][0]["steps"] == 60


@pytest.mark.slow
def test_an_interrupted_run_says_how_it_goes_on(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL)
    arguments = ["fit", "--config", "small.yaml", "--model.phases.0.steps=1000000", "--run.root", "some runs"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pinnlab", *arguments], cwd=tmp_path, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    end = time.monotonic() + 90
    while not any(path.read_text().count("\n") > 3 for path in tmp_path.glob("some runs/*/metrics.csv")):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    (line,) = (line for line in err.splitlines() if "interrupted" in line)
    assert line.startswith("pinnlab: interrupted by SIGINT after step ")
    words = shlex.split(line.partition("continue with: ")[2])
    assert words[:3] == ["python", "-m", "pinnlab"] and words[-2:] == ["--ckpt_path", "last"]
    step = int(line.partition("after step ")[2].partition(";")[0])
    more = [word.replace("1000000", str(step + 5)) for word in words[1:]]
    done = subprocess.run([sys.executable, *more], cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (summary,) = tmp_path.glob("some runs/*/summary.json")
    assert json.loads(summary.read_text())["phases"][0]["steps"] == step + 5
