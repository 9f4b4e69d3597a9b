"""Runs of the command line in this process, in a folder of their own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pinnlab.cli import main

CONFIGS = Path(__file__).parents[2] / "configs"
PROFILE = str(CONFIGS / "self_similar_burgers" / "paper.yaml")

SHORT = """
model:
  network: {class_path: MLP, init_args: {depth: 2, width: 8}}
  phases:
    - {class_path: Adam, init_args: {steps: 4}}
    - {class_path: LBFGS, init_args: {steps: 2, inner: 3}}
data:
  points: {interior: 21, origin: 5}
  held_out: 51
trainer: {log_every_n_steps: 1, accelerator: cpu}
"""


@dataclass(frozen=True)
class Outcome:
    """What a command left on the terminal."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Runs:
    """Runs commands with few points and steps."""

    folder: Path
    run: Callable[..., Outcome]
    profile: str = PROFILE

    def fit(self, name: str, *arguments: str) -> Outcome:
        short = str(self.folder / "short.yaml")
        return self.run("fit", "--config", self.profile, "--config", short, "--run.name", name, *arguments)

    def summary(self, name: str) -> dict[str, Any]:
        def refuse(constant: str) -> None:
            raise ValueError(f"{constant} is not JSON")

        return json.loads((self.folder / "runs" / name / "summary.json").read_text(), parse_constant=refuse)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runs:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    (tmp_path / "short.yaml").write_text(SHORT)

    def run(*arguments: str) -> Outcome:
        status = main(arguments)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return Runs(tmp_path, run)
