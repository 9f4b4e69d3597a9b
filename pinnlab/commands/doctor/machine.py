"""Processors, accelerators, the threads of linear algebra, and folders."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pinnlab.commands.doctor.finding import Finding, State

_LEAST_FREE = 2**30
"""Bytes on a disk; below this a run with checkpoints may fill it."""

_TRACKING = {"W&B cache": ("WANDB_CACHE_DIR", "~/.cache/wandb"), "W&B data": ("WANDB_DATA_DIR", "~/.local/share/wandb")}
"""Folders of W&B itself, with the variable that moves each and where it is without."""


def devices() -> Iterator[Finding]:
    """Cores and memory, and the accelerators that torch sees."""
    import torch

    from pinnlab.strategy.memory import available

    part = "devices"
    cores = usable_cores()
    yield Finding(part, "processor", f"{cores} cores, {available() / 2**30:.1f} GiB for a solve")
    load = os.getloadavg()[0]
    if load > cores:
        advice = "a solve takes longer beside them; fewer threads, as --run.threads 1, often take less time"
        yield Finding(part, "load", f"{load:.1f} processes want the {cores} cores", State.WARN, advice)
    for number in range(torch.cuda.device_count()):
        of = torch.cuda.get_device_properties(number)
        yield Finding(part, f"GPU {number}", f"{of.name}, {of.total_memory / 2**30:.0f} GiB")
    if torch.cuda.device_count():
        return
    if shutil.which("nvidia-smi") is None:
        yield Finding(part, "GPU", "none: everything runs on the processor")
    elif torch.version.cuda is None:
        advice = "install a build of torch with CUDA: https://pytorch.org/get-started"
        yield Finding(part, "GPU", f"torch {torch.__version__} is built for processors alone", State.WARN, advice)
    else:
        advice = "nvidia-smi shows whether the driver works; CUDA_VISIBLE_DEVICES may hide the devices"
        yield Finding(part, "GPU", f"torch sees none (built for CUDA {torch.version.cuda})", State.WARN, advice)


def linear_algebra(cores: int | None = None) -> Iterator[Finding]:
    """The BLAS of torch, numpy and scipy, and whether each has more threads than there are cores.

    Args:
        cores: The cores that this process may use; by default those that it finds.
    """
    import scipy.linalg.blas  # noqa: F401
    import torch
    from threadpoolctl import threadpool_info

    part, cores = "linear algebra", cores or usable_cores()
    threads = {"torch": torch.get_num_threads()}
    texts = {"torch": "MKL" if torch.backends.mkl.is_available() else "BLAS"}
    for each in threadpool_info():
        if each["user_api"] == "blas":
            owner = next((name for name in ("numpy", "scipy") if f"{name}.libs" in each["filepath"]), "BLAS")
            texts[owner] = f"{each['internal_api']} {each['version'] or ''}".strip()
            threads[owner] = each["num_threads"]
    for name, text in texts.items():
        shown = f"{text}, {threads[name]} thread{'s' if threads[name] > 1 else ''}"
        if threads[name] <= cores:
            yield Finding(part, name, shown)
            continue
        advice = f"they wait for each other: export OMP_NUM_THREADS={cores}, or --run.threads {cores}"
        yield Finding(part, name, f"{shown} on {cores} cores", State.WARN, advice)
    if len(texts) == 1:
        advice = "export OMP_NUM_THREADS=1: LAPACK's tpqrt, which has to have one thread, can take minutes otherwise"
        yield Finding(part, "scipy", "threadpoolctl does not know its BLAS, nor can limit it", State.WARN, advice)


def folders(work: Path | None = None) -> Iterator[Finding]:
    """Whether runs, temporary files and W&B's own files can be written, and the room there.

    Args:
        work: The current folder, where `runs` is to be.
    """
    part = "folders"
    base = (work or Path.cwd()) / "runs"
    yield _folder(part, "runs", base, State.FAIL, "choose another one: --run.root FOLDER")
    yield _folder(
        part, "temporary", Path(tempfile.gettempdir()), State.FAIL, "choose another one: export TMPDIR=FOLDER"
    )
    for name, (variable, default) in _TRACKING.items():
        path = Path(os.environ.get(variable, default)).expanduser()
        advice = f"choose another one, or leave W&B out: export {variable}=FOLDER, export WANDB_MODE=disabled"
        yield _folder(part, name, path, State.WARN, advice)


def usable_cores() -> int:
    """The cores that this process may use: those of its affinity, or the fewer ones of its control group's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else min(cores, max(1, round(int(quota) / int(period))))


def _folder(part: str, name: str, path: Path, bad: State, advice: str) -> Finding:
    """Asks the file system itself, in the folder or the nearest one above that exists; nothing stays there."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return Finding(part, name, f"{path}: {error.strerror}", bad, advice)
    free = shutil.disk_usage(there).free
    shown = f"{path}, {free / 2**30:.1f} GiB free"
    return Finding(part, name, shown) if free > _LEAST_FREE else Finding(part, name, shown, State.WARN, advice)
