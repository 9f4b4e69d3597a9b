"""Weights & Biases: offline by default, online when the environment says so, never in the way."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from lightning.pytorch.loggers import Logger, WandbLogger

from pinnlab.errors import UserError
from pinnlab.reporting.files import write_atomically
from pinnlab.reporting.folder import RunFolder
from pinnlab.reporting.record.tables import constraints, estimates

LOWER_IS_BETTER = ("loss", "loss/*")
"""Curves of which W&B's summary keeps the least value; errors are measured once, at the end."""

MODES = {"online": "online", "offline": "offline", "disabled": "disabled", "dryrun": "offline", "run": "online"}
"""The values of `WANDB_MODE` and their meanings; the last two are former names of the first two."""

_TABLE = 1000


@dataclass(frozen=True)
class Wandb:
    """How a run appears in Weights & Biases.

    Attributes:
        project: The project.
        entity: User or team; the key's own by default.
        group: Group of runs.
        job_type: Kind of run.
        tags: Tags.
        init_timeout: Seconds to wait for the server before the run is logged offline.
        finish_timeout: Seconds to wait for it at the end; what it has not got by then stays in the run folder.
    """

    project: str = "pinnlab"
    entity: str | None = None
    group: str | None = None
    job_type: str | None = None
    tags: list[str] = field(default_factory=list)
    init_timeout: float = 20.0
    finish_timeout: float = 60.0

    def __post_init__(self) -> None:
        """Check the timeouts.

        Raises:
            UserError: if one is not positive.
        """
        for name, value in (("init_timeout", self.init_timeout), ("finish_timeout", self.finish_timeout)):
            if not value > 0:
                raise UserError(f"wandb.{name} must be a positive number of seconds, not {value}")


class Tracker(WandbLogger):
    """Lightning's logger, which a W&B that is lost in the middle of a run does not stop.

    W&B itself waits in the background for a server that is away. If its own process dies, one line says so and
    the run goes on; the record in the run folder is whole in any case.
    """

    def __init__(self, run: Any, say: Callable[[str], None]) -> None:
        """Takes a W&B run.

        Args:
            run: The run.
            say: Told if it is lost.
        """
        super().__init__(experiment=run)
        self._say = say
        self._lost = False

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log, if there is a W&B to log to."""
        self.guard(lambda: super(Tracker, self).log_metrics(metrics, step))

    def finish(self) -> None:
        """End the W&B run, within its timeout."""
        self.guard(self.experiment.finish)

    def guard(self, act: Callable[[], None]) -> None:
        """Do something with W&B, unless it is lost or is lost in doing so."""
        import wandb
        from wandb.sdk.mailbox import MailboxClosedError

        if self._lost:
            return
        try:
            act()
        except (wandb.errors.Error, MailboxClosedError, OSError) as error:
            self._lost = True
            self._say(f"W&B is lost ({type(error).__name__}): this run goes on without it; its record is whole")


def mode() -> str:
    """The mode that the variable `WANDB_MODE` asks for: `online`, `offline` (the default) or `disabled`.

    Raises:
        UserError: if it asks for something else.
    """
    asked = os.environ.get("WANDB_MODE", "").lower() or "offline"
    if asked not in MODES:
        raise UserError(f"WANDB_MODE is {asked!r}: set it to online, offline or disabled")
    return MODES[asked]


def start(
    settings: Wandb, folder: RunFolder, config: Mapping[str, Any], say: Callable[[str], None] = print
) -> Tracker | None:
    """Begin a W&B run with its files in the run folder and the resolved configuration in its config.

    The run's id is kept in the folder, so that a resumed run goes on in the same W&B run.

    The variable `WANDB_MODE` decides, see `mode`. If the server cannot be reached, or the key is missing or refused,
    one line says so and the run is logged offline.

    Returns:
        The logger, or None if W&B is disabled.
    """
    asked = mode()
    if asked == "disabled":
        return None
    import wandb

    if not folder.tracking.exists():
        write_atomically(folder.tracking, secrets.token_hex(4) + "\n")
    identity = folder.tracking.read_text().strip()

    def begin(mode: str) -> Any:
        return wandb.init(
            mode=mode,  # type: ignore[arg-type]
            id=identity,
            # offline there is nothing to ask; `wandb sync` brings the parts together by their id
            resume="allow" if mode == "online" else None,
            dir=folder.path,
            name=folder.path.name,
            project=settings.project,
            entity=settings.entity,
            group=settings.group,
            job_type=settings.job_type,
            tags=settings.tags,
            config=dict(config),
            settings=wandb.Settings(
                init_timeout=settings.init_timeout,
                finish_timeout=settings.finish_timeout,
                console="off",
                silent=True,
            ),
        )

    try:
        run = begin(asked)
    except (wandb.errors.Error, TimeoutError) as error:
        if asked == "offline":
            raise
        say(f"W&B cannot be used online ({' '.join(str(error).split())[:200]}): this run is logged offline")
        wandb.teardown()  # its service holds the failed attempt's id
        run = begin("offline")
    for pattern in LOWER_IS_BETTER:
        run.define_metric(pattern, summary="min")
    return Tracker(run, say)


def share(logger: Logger, folder: RunFolder, solution: Mapping[str, np.ndarray]) -> None:
    """Give a W&B run the end of its record: picture, tables of solution, constraints and estimates, and all files.

    Args:
        logger: Any logger; nothing happens unless it is W&B's.
        folder: The run's record, complete.
        solution: The arrays of the solution, inputs `(N,)`, outputs `(order + 1, N)`.
    """
    if isinstance(logger, Tracker):
        logger.guard(lambda: _share(logger.experiment, folder, solution))
    elif isinstance(logger, WandbLogger):
        _share(logger.experiment, folder, solution)


def _share(run: Any, folder: RunFolder, solution: Mapping[str, np.ndarray]) -> None:
    import wandb

    if folder.figure.exists():
        run.log({"figures/profile": wandb.Image(str(folder.figure))})
    count = len(next(iter(solution.values())))
    # a table is for looking; the artifact has every point
    chosen = np.unique(np.linspace(0, count - 1, min(count, _TABLE)).astype(int))
    values = {name: array if array.ndim == 1 else array[0] for name, array in solution.items() if name[:5] != "mesh/"}
    columns = {name: array[chosen] for name, array in values.items()}
    rows = [list(map(float, row)) for row in zip(*columns.values(), strict=True)]
    run.log({"solution": wandb.Table(columns=list(columns), data=rows)})
    summary = folder.read_summary()
    tables = {"constraints": constraints(summary, folder.read_arrays(folder.points)), "estimates": estimates(summary)}
    for name, (heads, lines) in tables.items():
        if lines:
            run.log({f"tables/{name}": wandb.Table(columns=[*heads], data=lines)})
    artifact = wandb.Artifact(f"run-{run.id}", type="run", metadata=summary)
    for path in (folder.config, folder.metrics, folder.summary, folder.solution, folder.points, folder.figure):
        if path.exists():
            artifact.add_file(str(path))
    last = folder.checkpoints / "last.ckpt"
    if last.exists():
        artifact.add_file(str(last), name="checkpoints/last.ckpt")
    run.log_artifact(artifact)
