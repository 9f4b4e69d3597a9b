"""Run folders as fits leave them, written without any training."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

CONFIG = """\
seed_everything: {seed}
trainer:
  precision: 64-true
  log_every_n_steps: 10
model:
  equation:
    class_path: pinnlab.problems.SelfSimilarBurgers
    init_args:
      profile: 1
      bounds: null
  network:
    class_path: pinnlab.networks.MLP
    init_args:
      width: {width}
      depth: 3
  engine:
    class_path: pinnlab.engines.{engine}
    init_args: {{}}
  phases:
  - class_path: pinnlab.training.Adam
    init_args:
      steps: 1000
      betas:
      - 0.9
      - 0.999
data:
  points:
    interior: 301
run:
  root: {root}
  name: {name}
wandb:
  project: pinnlab
"""


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a run whose error of λ halves every `half_life` seconds, `rate` seconds a step."""

    def write(
        name: str,
        seed: int = 0,
        engine: str = "NTP",
        width: int = 24,
        rate: float = 0.01,
        half_life: float = 1.0,
        rows: int = 101,
        killed: bool = False,
    ) -> Path:
        path = tmp_path / "runs" / name
        path.mkdir(parents=True)
        path.joinpath("config.yaml").write_text(
            CONFIG.format(seed=seed, width=width, engine=engine, root=tmp_path / "runs", name=name)
        )
        steps = np.arange(rows) * 10
        seconds = (steps + 1) * rate
        error = 0.1 * 0.5 ** (seconds / half_life)
        lines = ["step,phase,seconds,loss,loss/interior,lam,lr"]
        lines += [
            f"{step},Adam,{s!r},{e * e!r},{e * e!r},{0.5 + e!r},0.001"
            for step, s, e in zip(steps.tolist(), seconds.tolist(), error.tolist(), strict=True)
        ]
        record = "\n".join(lines) + "\n"
        path.joinpath("metrics.csv").write_text(record + "9999,Adam,1e" if killed else record)
        if not killed:
            last = float(error[-1])
            summary = {
                "equation": "SelfSimilarBurgers",
                "engine": engine,
                "seed": seed,
                "phases": [{"name": "Adam", "steps": int(steps[-1]), "seconds": float(seconds[-1])}],
                "seconds": float(seconds[-1]),
                "unknowns": {"lam": {"value": 0.5 + last, "truth": 0.5, "error": last}},
                "metrics": {"loss": last**2, "error_lam": last, "max_error": 2 * last},
                "status": "finished",
            }
            path.joinpath("summary.json").write_text(json.dumps(summary))
        return path

    return write
