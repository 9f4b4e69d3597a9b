"""The wheel, installed elsewhere."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from pinnlab.cli import COMMANDS

REPOSITORY = Path(__file__).parents[1]
# the folders that end up in the wheel; pinnlab has links to the other two
SHIPPED = ("pinnlab/", "configs/", "slurm/")

pytestmark = pytest.mark.slow


def call(*command: str, cwd: Path = REPOSITORY, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy of what git tracks."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    tracked = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        if name.startswith(SHIPPED) or name in ("pyproject.toml", "README.md", "LICENSE"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, copy / name, follow_symlinks=False)
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    call("-m", "pip", "wheel", *offline, "--wheel-dir", str(folder / "dist"), ".", cwd=copy)
    (wheel,) = (folder / "dist").glob("pinnlab-*.whl")
    return wheel


def test_the_wheel_has_what_the_repository_has(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for folder in ("configs", "slurm"):
            files = [path for path in (REPOSITORY / folder).rglob("*") if path.is_file()]
            assert len(files) > 4
            for path in files:
                name = f"pinnlab/{path.relative_to(REPOSITORY)}"
                assert archive.read(name) == path.read_bytes()
    assert "pinnlab/py.typed" in names and not any(name.startswith(("tests", "experiments")) for name in names)


def test_the_wheel_works_where_the_checkout_is_not(wheel, tmp_path):
    elsewhere, work = tmp_path / "elsewhere", tmp_path / "work"
    work.mkdir()
    call("-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(elsewhere), str(wheel))
    environment = {"PYTHONPATH": str(elsewhere), "WANDB_MODE": "disabled"}
    where = call("-c", "import pinnlab; print(pinnlab.__file__)", cwd=work, **environment)
    assert where.strip().startswith(str(elsewhere))
    assert "SelfSimilarBurgers" in call("-m", "pinnlab", "equations", cwd=work, **environment)
    call("-m", "pinnlab", "new-equation", "Mine", cwd=work, **environment)
    short = ["--model.phases.0.steps", "2", "--model.phases.1.steps", "1"]
    named = ["--run.name", "one"]
    call("-m", "pinnlab", "fit", "--config", "mine.yaml", *short, *named, cwd=work, **environment)
    assert "1 runs" in call("-m", "pinnlab", "compare", "runs", cwd=work, **environment)


@pytest.fixture
def pinnlab(wheel, tmp_path, monkeypatch):
    """Runs the commands of a pinnlab that is installed into a new environment, from an empty folder.

    The environment sees the packages of this one beside its own, so that nothing is downloaded.
    """
    monkeypatch.delenv("PYTHONPATH", raising=False)
    environment, work = tmp_path / "environment", tmp_path / "work"
    work.mkdir()
    call("-m", "venv", "--without-pip", str(environment))
    program = environment / "bin" / "python"
    call("-m", "pip", "--python", str(program), "install", "--no-deps", "--no-index", "--quiet", str(wheel))
    (packages,) = (environment / "lib").glob("python*/site-packages")
    (packages / "packages_of_the_tests.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(*arguments: str) -> str:
        script = environment / "bin" / "pinnlab"
        done = subprocess.run(
            [str(script), *arguments],
            cwd=work, env=os.environ | {"WANDB_MODE": "disabled"}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.long
def test_every_command_of_the_wheel_runs_in_a_new_environment(pinnlab, tmp_path):
    work, tried = tmp_path / "work", set()

    def run(command: str, *arguments: str) -> str:
        tried.add(command)
        return pinnlab(command, *arguments)

    doctor = json.loads(run("doctor", "--json"))
    assert doctor["usable"]
    assert str(tmp_path / "environment") in next(f["value"] for f in doctor["findings"] if f["name"] == "pinnlab")
    # as the list of equations prints them
    by_tolerance, by_configuration = re.findall(r"python -m pinnlab fit (.+)", run("equations", "HarmonicOscillator"))
    for name, options in {"one": by_tolerance, "two": by_configuration}.items():
        assert "reached" in run("fit", *options.split(), "--run.name", name)
    steps = [f"--model.phases.{number}.steps=2" for number in range(2)]
    run("fit", "--config", "self_similar_burgers/paper.yaml", *steps, "--run.name", "hand")
    resumed = [f"--model.phases.{number}.steps=3" for number in range(2)]
    record = ["--config", "runs/hand/config.yaml", "--ckpt_path", "runs/hand/checkpoints/last.ckpt"]
    run("fit", "--config", "runs/hand/config.yaml", *resumed, "--ckpt_path", "last", "--run.name", "hand")
    run("validate", *record)
    run("test", *record)
    run("predict", "runs/one", "--out", "one.csv")
    run("export", "runs/one", "--derivatives", "u_t", "--out", "one.pt2")
    run("figures", "runs")
    run("compare", "runs", "--html", "page.html", "--csv", "runs.csv")
    assert "next: " in run("new-equation", "Mine", "--like", "KdV")
    for name in ("one.csv", "one.pt2", "page.html", "runs.csv", "mine.py", "runs/one/figures/solution.png"):
        assert (work / name).stat().st_size > 100
    assert tried == COMMANDS.keys()
