"""The wheel, installed elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


def call(*command: str, cwd: Path = REPOSITORY, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_works_where_the_checkout_is_not(tmp_path):
    copy = tmp_path / "source"
    copy.mkdir()
    tracked = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        if name.startswith("pinnlab/") or name in ("pyproject.toml", "README.md", "LICENSE"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((REPOSITORY / name).read_bytes())
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    call("-m", "pip", "wheel", *offline, "--wheel-dir", str(tmp_path / "dist"), ".", cwd=copy)
    (wheel,) = (tmp_path / "dist").glob("pinnlab-*.whl")
    elsewhere, work = tmp_path / "elsewhere", tmp_path / "work"
    work.mkdir()
    call("-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(elsewhere), str(wheel))
    environment = {"PYTHONPATH": str(elsewhere), "WANDB_MODE": "disabled"}
    where = call("-c", "import pinnlab; print(pinnlab.__file__)", cwd=work, **environment)
    assert where.strip().startswith(str(elsewhere))
    assert (elsewhere / "pinnlab" / "py.typed").exists()
    assert "SelfSimilarBurgers" in call("-m", "pinnlab", "equations", cwd=work, **environment)
    call("-m", "pinnlab", "new-equation", "Mine", cwd=work, **environment)
    short = ["--model.phases.0.steps", "2", "--model.phases.1.steps", "1"]
    named = ["--run.name", "one"]
    call("-m", "pinnlab", "fit", "--config", "mine.yaml", *short, *named, cwd=work, **environment)
    assert "1 runs" in call("-m", "pinnlab", "compare", "runs", cwd=work, **environment)
