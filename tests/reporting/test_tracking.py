"""Weights & Biases offline: what a run's file holds, what `compare` makes of it, and sweeps."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from pinnlab.cli import main
from pinnlab.reporting.comparison import remote
from pinnlab.reporting.comparison.runs import read
from pinnlab.reporting.record.tables import constraints, estimates

REPOSITORY = Path(__file__).parents[2]
PAPER = str(REPOSITORY / "configs" / "self_similar_burgers" / "paper.yaml")
SHORT = ["--model.phases.0.steps", "6", "--model.phases.1.steps", "1", "--trainer.log_every_n_steps", "2"]


@pytest.mark.slow
def test_an_offline_run_holds_curves_pictures_table_and_artifact(tmp_path):
    named = ["--run.root", str(tmp_path), "--run.name", "one"]
    done = subprocess.run(
        [sys.executable, "-m", "pinnlab", "fit", "--config", PAPER, *SHORT, *named,
         "--wandb.project", "trial", "--wandb.group", "engines", "--wandb.tags", "[a, b]"],
        env=os.environ | {"WANDB_MODE": "offline", "PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (record,) = (tmp_path / "one" / "wandb").glob("offline-run-*")
    inspect = [sys.executable, "-m", "wandb", "leet", "inspect", "--json"]
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "check": True}
    tracked = json.loads(subprocess.run([*inspect, "--summary", str(record)], **options).stdout)
    summary = tracked["summary"]
    assert (tracked["name"], tracked["project"], tracked["tags"]) == ("one", "trial", ["a", "b"])
    assert summary["gradient_norm"] > 0 and summary["points_per_second"] > 0 and summary["memory_mib"] > 50
    assert summary["figures/profile"]["_type"] == "image-file" and summary["solution"]["nrows"] == 1000
    assert summary["loss"]["min"] > 0 and summary["truth/lam"] == 0.5
    # what the server would hand to compare is what the run folder says
    history = [{"trainer/global_step": 0, "loss": 1.0, "lam": 0.4}]
    online = remote._run("one", tracked["config"], "finished", summary, history)
    local = read(tmp_path / "one")
    assert dict(online.settings) == dict(local.settings)
    for name in ("max_error", "relative_l2", "error_lam", "lam", "steps"):
        assert online.metrics[name] == pytest.approx(local.metrics[name])
    assert online.curve("error_lam").tolist() == [pytest.approx(0.1)]


def inspected(record, *options):
    """What W&B's own program reads from the file of an offline run."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", *options, str(record)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.slow
def test_a_solve_to_a_tolerance_is_logged_where_asked_with_its_journal(tmp_path):
    command = [sys.executable, "-m", "pinnlab", "fit", "--model.equation", "HarmonicOscillator", "--tol", "1e-6"]
    command += ["--run.root", str(tmp_path), "--run.threads", "1", "--run.name"]
    environment = {name: value for name, value in os.environ.items() if name != "WANDB_MODE"}
    environment["PYTHONPATH"] = str(REPOSITORY)
    for name, options in {"plain": [], "one": ["--wandb.tags", "[solves]"]}.items():
        done = subprocess.run([*command, name, *options], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert not (tmp_path / "plain" / "wandb").exists()
    (record,) = (tmp_path / "one" / "wandb").glob("offline-run-*")
    tracked = json.loads(inspected(record, "--summary"))
    local, summary = read(tmp_path / "one"), tracked["summary"]
    assert tracked["config"]["tol"] == 1e-6 and tracked["tags"] == ["solves"]
    assert summary["tolerance/tol"] == 1e-6 and summary["tolerance/reached"] == 1.0
    assert summary["figures/profile"]["_type"] == "image-file" and summary["tables/estimates"]["nrows"] == 2
    # each attempt is a row, the last of them accepted
    rows = [line.split(",") for line in (tmp_path / "one" / "metrics.csv").read_text().splitlines()]
    assert summary["solve/error"] == float(rows[-1][rows[0].index("solve/error")])
    assert summary["solve/accepted"] == 1.0
    online = remote._run("one", tracked["config"], "finished", summary, [])
    assert dict(online.settings) == dict(local.settings)
    for name in ("max_error", "uncertainty_u", "steps"):
        assert online.metrics[name] == pytest.approx(local.metrics[name])


def test_tables_have_each_constraint_and_each_estimate():
    metrics = {"residual_law": 1e-3, "residual_law_precise": 1e-3, "uncertainty_u": 0.1, "uncertainty_lam": 0.2}
    unknowns = {"lam": {"value": 0.5, "truth": 0.4, "error": 0.1}}
    summary = {"metrics": metrics | {"max_error": 0.3}, "unknowns": unknowns}
    assert constraints(summary, {"law/x": np.zeros(7)})[1] == [["law", 7, 1e-3]]
    assert estimates(summary)[1] == [["u", None, 0.1, 0.3, None], ["lam", 0.5, 0.2, 0.1, None]]
    # of two outputs together
    summary["metrics"]["uncertainty_v"] = 0.5
    assert estimates(summary | {"tolerance": {"tol": 1e-6, "error": None}})[1] == [
        ["u", None, 0.1, None, None],
        ["lam", 0.5, 0.2, 0.1, None],
        ["v", None, 0.5, None, None],
        ["all, relative", None, None, None, 1e-6],
    ]


def test_every_run_of_the_sweeps_is_a_command_that_parses(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(REPOSITORY)
    sweeps = sorted((REPOSITORY / "configs" / "sweeps").glob("*.yaml"))
    assert sweeps
    for path in sweeps:
        sweep = yaml.safe_load(path.read_text())
        assert sweep["metric"] == {"name": "max_error", "goal": "minimize"}
        grids = [[(name, value) for value in entry["values"]] for name, entry in sweep["parameters"].items()]
        choices = list(itertools.product(*grids))
        for choice in (choices[0], choices[-1]):
            # as an agent fills the command in
            filled = {"${env}": ["env"], "${program}": [sweep["program"]]}
            filled["${args}"] = [f"--{name}={value}" for name, value in choice]
            words = [word for entry in sweep["command"] for word in filled.get(entry, [entry])]
            assert words[:5] == ["env", "WANDB_MODE=online", "python", "-m", "pinnlab"]
            with pytest.raises(SystemExit) as end:
                main([*words[5:], "--print_config"])
            assert end.value.code == 0
            printed = yaml.safe_load(capsys.readouterr().out)
            assert printed["seed_everything"] == dict(choice)["seed_everything"]
            engine, tol = dict(choice).get("model.engine"), dict(choice).get("tol")
            assert engine is None or printed["model"]["engine"]["class_path"].endswith(engine)
            assert tol is None or (printed["tol"] == tol and printed["wandb"]["group"] == "tolerances")
            assert (engine is None) != (tol is None)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_sweep_files_are_what_wandb_takes():
    """`wandb sweep` itself needs an account; its own reader of the file does not."""
    if shutil.which("wandb") is None and not (Path(sys.executable).parent / "wandb").exists():
        pytest.skip("the wandb program is not installed")
    from wandb.sdk.launch.sweeps.utils import load_sweep_config

    for path in (REPOSITORY / "configs" / "sweeps").glob("*.yaml"):
        assert load_sweep_config(str(path))["method"] == "grid"
