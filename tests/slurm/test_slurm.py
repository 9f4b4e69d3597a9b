"""The shipped scripts on a real SLURM, submitted as they are."""

import csv
import json
import re

import pytest
import torch

CONFIG = ["--config", "configs/self_similar_burgers/profile_1.yaml", "--config", "fast.yaml"]
LONG = ["--model.phases.0.steps", "1200", "--run.checkpoint_seconds", "2"]


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def record(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def random_states(folder):
    """A checkpoint holds one for every rank."""
    return len(torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["random"])


def test_the_scripts_are_valid(cluster):
    for script in ("fit", "fit_multinode", "array"):
        cluster.command("sbatch", "--test-only", f"slurm/{script}.sbatch")


def test_ranks_on_one_node_and_on_two(cluster):
    """1 node × 2 tasks, 2 nodes × 1 task and 1 × 1 end with the same numbers, each in a run folder of its own."""
    jobs = [
        cluster.submit("slurm/fit.sbatch", *CONFIG),
        cluster.submit("--ntasks-per-node=2", "slurm/fit.sbatch", *CONFIG),
        cluster.submit("slurm/fit_multinode.sbatch", *CONFIG),
    ]
    for job in jobs:
        cluster.completed(job)
    assert {path.name for path in (cluster.folder / "runs").iterdir()} == {f"pinnlab-{job}" for job in jobs}
    folders = [cluster.folder / "runs" / f"pinnlab-{job}" for job in jobs]
    assert [random_states(folder) for folder in folders] == [1, 2, 2]
    assert [summary(folder)["status"] for folder in folders] == ["finished"] * 3
    values = [summary(folder)["unknowns"]["lam"]["value"] for folder in folders]
    assert values == pytest.approx([values[0]] * 3, abs=1e-8)
    assert "Traceback" not in cluster.logs()


def test_a_solve_to_a_tolerance(cluster):
    """It takes one task; more of them are refused."""
    solve = ["--model.equation", "Poisson", "--tol", "1e-6"]
    job = cluster.submit("slurm/fit.sbatch", *solve)
    cluster.completed(job)
    assert summary(cluster.folder / "runs" / f"pinnlab-{job}")["tolerance"]["reached"] is True
    job = cluster.submit("--ntasks-per-node=2", "slurm/fit.sbatch", *solve)
    cluster.wait(lambda: cluster.state(job) == {"FAILED"})
    assert not (cluster.folder / "runs" / f"pinnlab-{job}").exists()
    assert "runs in one process" in cluster.logs() and "Traceback" not in cluster.logs()


def test_an_array(cluster):
    """A sweep: every combination once, a root folder each; a task too many does nothing."""
    job = cluster.submit(
        "--array=0-2", "slurm/array.sbatch", "--config", "fast.yaml", PROFILES="1 2", ENGINES="NTP", SEEDS="3"
    )
    cluster.completed(job)
    root = cluster.folder / "runs" / f"array-{job}"
    assert {path.name for path in root.iterdir()} == {"profile-1-NTP-3", "profile-2-NTP-3"}
    for profile in (1, 2):
        found = summary(root / f"profile-{profile}-NTP-3" / "run")
        assert (found["status"], found["engine"], found["seed"]) == ("finished", "NTP", 3)
        assert found["unknowns"]["lam"]["truth"] == 1 / (2 * profile)
    assert "nothing to do for task 2" in cluster.logs()


def test_a_signal_checkpoints_requeues_and_resumes(cluster):
    """What a time limit does: the run goes on in its folder and W&B run, and ends with the same bits."""
    whole = cluster.submit("slurm/fit.sbatch", *CONFIG, *LONG)
    job = cluster.submit("slurm/fit.sbatch", *CONFIG, *LONG)
    folder = cluster.folder / "runs" / f"pinnlab-{job}"
    metrics = folder / "metrics.csv"
    cluster.wait(lambda: metrics.exists() and metrics.read_text().count("\n") > 20)
    cluster.command("scancel", "--signal=USR1", job)
    cluster.wait(lambda: "Restarts=1" in cluster.command("scontrol", "show", "job", "-o", job))
    stopped = summary(folder)
    assert (stopped["status"], stopped["signal"]) == ("interrupted", "SIGUSR1")
    steps = stopped["phases"][0]["steps"]
    assert 0 < steps < 1200
    identity = (folder / "wandb_id.txt").read_text().strip()
    cluster.wait(lambda: cluster.state(job) == {"PENDING"})
    # SLURM would wait for two minutes. Its times are whole seconds, and a start in the second of the kill is refused
    # on the node ("already killed, do not launch"): the job would end FAILED
    cluster.command("scontrol", "update", f"JobId={job}", "StartTime=now+2")
    cluster.completed(job)
    cluster.completed(whole)
    assert summary(folder)["status"] == "finished"
    parts = [path.name for path in (folder / "wandb").glob("offline-run-*")]
    assert len(parts) == 2 and {part.rpartition("-")[2] for part in parts} == {identity}
    one = cluster.folder / "runs" / f"pinnlab-{whole}"
    assert record(folder) == record(one)
    assert summary(folder)["unknowns"] == summary(one)["unknowns"]
    log = (cluster.folder / f"pinnlab-{job}.log").read_text()
    assert len(re.findall("run folder: ", log)) == 2, log
    assert "Traceback" not in log
