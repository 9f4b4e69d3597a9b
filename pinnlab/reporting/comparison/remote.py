"""Runs read from Weights & Biases."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pinnlab.errors import UserError
from pinnlab.reporting.comparison.runs import Run, flatten

_ADDRESS = re.compile(r"(?P<entity>[\w.-]+)/(?P<project>[\w.-]+)(/(?P<group>[\w.-]+))?$")
_STEP = "trainer/global_step"
_NAMES = {_STEP: "step"}
_STATES = {"finished": "finished", "failed": "failed", "crashed": "unfinished", "killed": "interrupted"}


def is_address(text: str) -> bool:
    """Whether a text may be `entity/project` or `entity/project/group`."""
    return _ADDRESS.match(text) is not None


def fetch(address: str, timeout: int = 20) -> list[Run]:
    """The runs of a project, or of one group of it, with at most 500 points of each curve.

    Args:
        address: `entity/project` or `entity/project/group`.
        timeout: Seconds to wait for the server.

    Raises:
        UserError: if there is no key, no such project, or no answer.
    """
    match = _ADDRESS.match(address)
    if match is None:
        raise UserError(f"{address} is neither a run folder nor entity/project or entity/project/group")
    if not os.environ.get("WANDB_API_KEY"):
        raise UserError(f"{address} is no run folder, and reading it from W&B needs a key: set WANDB_API_KEY")
    import wandb

    filters = {"group": match["group"]} if match["group"] else {}
    try:
        api = wandb.Api(timeout=timeout)
        runs = list(api.runs(f"{match['entity']}/{match['project']}", filters=filters))
        return [_run(run.name, run.config, run.state, run.summary, run.history(500, pandas=False)) for run in runs]
    except (wandb.errors.Error, ValueError, OSError) as error:
        raise UserError(f"{address} cannot be read from W&B: {' '.join(str(error).split())[:200]}") from None


def _run(
    name: str,
    config: Mapping[str, Any],
    state: str,
    summary: Mapping[str, Any],
    history: Iterable[Mapping[str, Any]],
) -> Run:
    rows = [row for row in history if row.get("loss") is not None]
    names = dict.fromkeys(key for row in rows for key in row if not key.startswith(("_", "figures/")))
    curves = {_NAMES.get(key, key): np.array([_number(row.get(key)) for row in rows]) for key in names}
    numbers = {key: _number(summary[key]) for key in dict(summary) if not key.startswith("_")}
    finite = {key: value for key, value in numbers.items() if math.isfinite(value)}
    truths = {key.removeprefix("truth/"): value for key, value in finite.items() if key.startswith("truth/")}
    metrics = {key.removeprefix("final/"): value for key, value in finite.items() if not key.startswith("truth/")}
    metrics["steps"] = metrics.pop(_STEP, math.nan)
    return Run(name, flatten(config), _STATES.get(state, "unfinished"), metrics, truths, curves)


def _number(value: Any) -> float:
    """A number as it is, NaN for all else; W&B writes the least and last values of a metric as a mapping."""
    if isinstance(value, Mapping):
        value = value.get("last", value.get("min"))
    return float(value) if isinstance(value, int | float) else math.nan
