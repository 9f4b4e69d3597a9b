"""Runs on a server that speaks W&B's interface: what arrives there is what the run folder has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pinnlab.reporting.comparison import remote
from pinnlab.reporting.comparison.runs import read
from tests.reporting.wandb_server import serving

REPOSITORY = Path(__file__).parents[2]
TRAINED = ["--model.phases.0.steps", "6", "--model.phases.1.steps", "1", "--trainer.log_every_n_steps", "2"]


@pytest.mark.long
@pytest.mark.parametrize("how", [["--tol", "1e-6"], TRAINED], ids=["solved", "trained"])
def test_config_history_summary_and_figures_arrive(how, tmp_path):
    command = [sys.executable, "-m", "pinnlab", "fit", "--model.equation", "HarmonicOscillator", *how]
    command += ["--run.root", str(tmp_path), "--run.name", "one", "--run.threads", "1"]
    command += ["--wandb.project", "trial", "--wandb.group", "engines", "--wandb.tags", "[a, b]"]
    with serving() as received:
        mine = {
            "WANDB_MODE": "online", "WANDB_BASE_URL": received.url, "WANDB_API_KEY": "a" * 40,
            "NETRC": str(tmp_path / "netrc"), "HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY),
        }  # fmt: skip
        done = subprocess.run(command, env=os.environ | mine, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    assert not received.unknown and "W&B is lost" not in done.stderr and "offline" not in done.stderr
    folder, local = tmp_path / "one", read(tmp_path / "one")
    # config
    first, *_, last = received.runs
    assert (first["project"], first["displayName"], first["groupName"]) == ("trial", "one", "engines")
    assert sorted(first["tags"]) == ["a", "b"]
    given = {name: entry["value"] for name, entry in json.loads(last["config"]).items() if name != "_wandb"}
    # history and summary, read as from the server
    history, (summary,) = received.lines["wandb-history.jsonl"], received.lines["wandb-summary.json"]
    online = remote._run("one", given, "finished", summary, history)
    assert dict(online.settings) == dict(local.settings)
    np.testing.assert_allclose(online.curves["loss"], local.curves["loss"])
    for name in ("max_error", "uncertainty_u", "steps"):
        assert online.metrics[name] == pytest.approx(local.metrics[name])
    if "--tol" in how:
        np.testing.assert_allclose(online.curves["solve/error"], local.curves["solve/error"])
        np.testing.assert_allclose(online.curves["solve/accepted"], local.curves["solve/accepted"])
    # figure and tables
    (picture,) = [content for name, content in received.files.items() if name.startswith("media/images/figures/")]
    assert picture == (folder / "profile.png").read_bytes()
    tables = [json.loads(content) for name, content in received.files.items() if name.endswith(".table.json")]
    estimates = next(table for table in tables if "estimated error" in table["columns"])
    assert estimates["data"][0][:3] == ["u", None, local.metrics["uncertainty_u"]]
    assert len(received.artifacts) == len(tables) + 1
