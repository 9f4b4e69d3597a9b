"""Weights & Biases and SLURM, as the environment tells; no network is asked."""

from __future__ import annotations

import netrc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pinnlab
from pinnlab.commands.doctor.finding import Finding, State
from pinnlab.errors import UserError

_HOST = "https://api.wandb.ai"
_UNSEEN = ("bash", "interactive")
"""Names of jobs in which Lightning takes SLURM for a terminal and starts one process."""


def tracking() -> Iterator[Finding]:
    """Where runs are logged, and whether there is a key for that; the key itself is not shown."""
    from pinnlab.reporting.record.tracking import mode

    part = "W&B"
    try:
        asked = mode()
    except UserError as error:
        yield Finding(part, "mode", str(error), State.FAIL, "export WANDB_MODE=offline, or unset WANDB_MODE")
        return
    if asked == "disabled":
        yield Finding(part, "mode", "disabled: run folders alone have the record")
        return
    if asked == "offline":
        advice = "export WANDB_MODE=online to see runs as they go; wandb sync brings what is there already"
        yield Finding(part, "mode", "offline: its files stay in the run folders", State.NOTE, advice)
        return
    yield Finding(part, "mode", "online")
    host = os.environ.get("WANDB_BASE_URL", _HOST)
    if os.environ.get("WANDB_API_KEY"):
        yield Finding(part, "key", f"of WANDB_API_KEY, for {host} (not tried)")
    elif _logged_in(urlsplit(host).hostname or host):
        yield Finding(part, "key", f"of an earlier login, for {host} (not tried)")
    else:
        advice = "wandb login, or export WANDB_API_KEY=…; without it runs are logged offline"
        yield Finding(part, "key", f"none for {host}", State.WARN, advice)


def _logged_in(host: str) -> bool:
    """Whether a login has left a line for the host, as `wandb login` does."""
    given = os.environ.get("NETRC")
    files = [Path(given)] if given else [Path.home() / ".netrc", Path.home() / "_netrc"]
    try:
        return any(host in netrc.netrc(path).hosts for path in files if path.is_file())
    except (netrc.NetrcParseError, OSError):
        return False


def cluster() -> Iterator[Finding]:
    """Whether this is a job of SLURM, or a host where jobs are given to it."""
    part = "SLURM"
    job, name = os.environ.get("SLURM_JOB_ID"), os.environ.get("SLURM_JOB_NAME", "")
    if job is None:
        there = shutil.which("srun") is not None
        scripts = Path(pinnlab.__file__).parent / "slurm"
        shown = f"no job, and srun is there: scripts that give a fit to it are in {scripts}" if there else "none here"
        yield Finding(part, "job", shown)
        return
    tasks = os.environ.get("SLURM_NTASKS", "1")
    shown = f"{job} ({name}), {tasks} process{'es' if tasks != '1' else ''}"
    if name in _UNSEEN and tasks != "1":
        advice = "give the job another name: sbatch --job-name=fit"
        yield Finding(part, "job", f"{shown}: a fit takes it for a terminal and one process", State.WARN, advice)
    else:
        yield Finding(part, "job", shown)
    if shutil.which("srun") is None:
        yield Finding(part, "srun", "not found", State.WARN, "load SLURM's module in slurm/env.sh")
