"""Every shipped configuration is a whole experiment: it parses as it is, and trains."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from pinnlab.cli import main
from tests.configured import spelt_out

CONFIGS = Path(__file__).parents[2] / "configs"
WHOLE = sorted(path for path in CONFIGS.glob("*/*.yaml") if path.parent.name != "sweeps")
SOLVES = [path for path in WHOLE if "tol" in yaml.safe_load(path.read_text())]
EXPERIMENTS = [path for path in WHOLE if path not in SOLVES]


def with_base(path):
    content = yaml.safe_load(path.read_text())
    return with_base(path.parent / content["base"]) if "base" in content else content


@pytest.fixture
def configs(tmp_path):
    """The configurations with fewer points and features where there are thousands, which take minutes otherwise."""
    shutil.copytree(CONFIGS, tmp_path / "configs")
    for path in (tmp_path / "configs").rglob("*.yaml"):
        path.write_text(re.sub(r"(interior|features): \d{4,}", r"\1: 200", path.read_text()))
    return tmp_path / "configs"


# one of each equation in brief: the other profiles differ in numbers alone, and those built on a base are it and more
IN_BRIEF = [
    "self_similar_burgers/profile_1", "viscous_burgers/broyden", "poisson/hard", "blasius/gauss_newton",
    "blowup/burgers_update", "blowup/cordoba_cordoba_fontelos", "blowup/generalised_clm",
    "elliptic/four_holes_by_hand", "parabolic/multiscale_heat_by_hand",
]  # fmt: skip


def effort(path):
    own = f"{path.parent.name}/{path.stem}"
    return pytest.param(path, id=own, marks=() if own in IN_BRIEF else pytest.mark.long)


@pytest.mark.parametrize("path", [effort(path) for path in EXPERIMENTS])
def test_trains_two_steps_of_each_phase(path, configs, tmp_path, monkeypatch, capsys):
    path = configs / path.relative_to(CONFIGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    phases = with_base(path)["model"]["phases"]
    short = [argument for index in range(len(phases)) for argument in (f"--model.phases.{index}.steps", "2")]
    status = main(["fit", "--config", str(path), *short, "--run.name", "short", "--trainer.accelerator", "cpu"])
    assert status == 0, capsys.readouterr().err
    with (tmp_path / "runs" / "short" / "metrics.csv").open(newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0]


# their references take some seconds
SLOW = ["allen_cahn", "cavity"]


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, id=f"{p.parent.name}/{p.stem}", marks=pytest.mark.long if p.stem in SLOW else ()) for p in SOLVES],
)
def test_the_equation_of_a_solve_to_a_tolerance_trains_two_steps_by_hand(path, tmp_path, monkeypatch, capsys):
    content = yaml.safe_load(path.read_text())
    assert set(content) <= {"seed_everything", "model", "tol", "time_limit", "recipe"}
    assert set(content["model"]) == {"equation"}
    content = {"seed_everything": 0, "model": spelt_out(content)["model"]}
    content["model"]["phases"] = [{"class_path": "GaussNewton", "init_args": {"steps": 2}}]
    (tmp_path / "by_hand.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    status = main(["fit", "--config", "by_hand.yaml", "--run.name", "short", "--trainer.accelerator", "cpu"])
    assert status == 0, capsys.readouterr().err
    with (tmp_path / "runs" / "short" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 2 and float(rows[-1]["loss"]) < float(rows[0]["loss"])


@pytest.mark.parametrize("name", ["ode/lorenz", "elliptic/poisson"])
def test_a_configuration_of_a_solve_reaches_its_tolerance(name, tmp_path, monkeypatch):
    content = spelt_out(yaml.safe_load((CONFIGS / f"{name}.yaml").read_text()))
    (tmp_path / "solve.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.chdir(tmp_path)
    assert main(["fit", "--config", "solve.yaml", "--run.name", "solve"]) == 0
    summary = json.loads((tmp_path / "runs" / "solve" / "summary.json").read_text())
    assert summary["tolerance"]["reached"] and summary["metrics"]["relative_l2"] < summary["tolerance"]["tol"]


def test_there_are_configurations_and_one_of_each_equation_trains_in_brief():
    assert {path.parent.name for path in EXPERIMENTS} == {name.split("/")[0] for name in IN_BRIEF}
    assert {f"profile_{k}.yaml" for k in range(1, 5)} <= {path.name for path in EXPERIMENTS}
