"""A real process, stopped by a real signal, with W&B offline: the record is whole and W&B has the configuration."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch


def start(runs, name, *arguments, **environment):
    command = [sys.executable, "-m", "pinnlab", "fit", "--config", runs.profile, "--run.name", name, *arguments]
    inherited = {key: value for key, value in os.environ.items() if key != "WANDB_MODE"}
    # the folder of the test is the current one: the package is found where this process found it
    inherited["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        command,
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # as a terminal starts it: a test run in the background hands on that Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(condition, process, seconds=90.0):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_leaves_the_record(runs, number):
    folder = runs.folder / "runs" / "stopped"
    offline = number == signal.SIGINT
    process = start(
        runs,
        *["stopped", "--model.phases.0.steps", "1000000", "--data.points.interior", "31"],
        **({} if offline else {"WANDB_MODE": "disabled"}),
    )
    metrics = folder / "metrics.csv"
    wait_for(lambda: metrics.exists() and metrics.read_text().count("\n") > 3, process)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert "Traceback" not in err

    summary = runs.summary("stopped")
    assert (summary["status"], summary["signal"]) == ("interrupted", number.name)
    (phase,) = summary["phases"]
    assert phase["name"] == "Adam" and 0 < phase["steps"] < 1000000
    assert summary["metrics"]["max_error"] > 0
    assert (folder / "profile.png").exists() and (folder / "solution.npz").exists()
    with metrics.open(newline="") as file:
        assert int(list(csv.DictReader(file))[-1]["step"]) < phase["steps"]
    stored = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert stored["pinnlab"]["schedule"]["step"] == phase["steps"]
    assert float(stored["state_dict"]["residuals.equation.lam.parameter"]) == summary["unknowns"]["lam"]["value"]

    if offline:
        (record,) = folder.glob("wandb/offline-run-*")
        inspected = subprocess.run(
            [sys.executable, "-m", "wandb", "leet", "inspect", "--summary", "--json", str(record)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        tracked = json.loads(inspected.stdout)
        assert tracked["config"]["model"]["phases"][0]["init_args"]["steps"] == 1000000
        assert tracked["config"]["data"]["points"]["interior"] == 31
        assert tracked["summary"]["max_error"] == pytest.approx(summary["metrics"]["max_error"])


@pytest.mark.slow
def test_no_network_means_no_hang(runs):
    """W&B online with a key and a server that nobody answers at: one line, and the run goes on offline."""
    process = start(
        runs,
        *["online", "--config", str(runs.folder / "short.yaml"), "--wandb.init_timeout", "3"],
        WANDB_MODE="online",
        WANDB_API_KEY="0" * 40,
        WANDB_BASE_URL="http://127.0.0.1:9",
    )
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert "logged offline" in out and "Traceback" not in err
    assert runs.summary("online")["status"] == "finished"
    assert list((runs.folder / "runs" / "online").glob("wandb/offline-run-*"))
