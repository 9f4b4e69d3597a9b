"""Weights & Biases: offline by default, online when the environment says so, never in the way."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lightning.pytorch.loggers import WandbLogger

from pinnlab.reporting.folder import RunFolder, write_atomically


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
        self._try(lambda: super(Tracker, self).log_metrics(metrics, step))

    def finish(self) -> None:
        """End the W&B run, within its timeout."""
        self._try(self.experiment.finish)

    def _try(self, act: Callable[[], None]) -> None:
        import wandb

        if self._lost:
            return
        try:
            act()
        except (wandb.errors.Error, OSError) as error:
            self._lost = True
            self._say(f"W&B is lost ({type(error).__name__}): this run goes on without it; its record is whole")


def start(
    settings: Wandb, folder: RunFolder, config: Mapping[str, Any], say: Callable[[str], None] = print
) -> Tracker | None:
    """Begin a W&B run with its files in the run folder and the resolved configuration in its config.

    The run's id is kept in the folder, so that a resumed run goes on in the same W&B run.

    `WANDB_MODE` decides: `online`, `offline` (also where it is not set) or `disabled`. If the server cannot be
    reached, or the key is missing or refused, one line says so and the run is logged offline.

    Returns:
        The logger, or None if W&B is disabled.
    """
    mode = os.environ.get("WANDB_MODE", "offline").lower()
    if mode == "disabled":
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
        run = begin(mode)
    except (wandb.errors.Error, TimeoutError) as error:
        if mode == "offline":
            raise
        say(f"W&B cannot be used online ({' '.join(str(error).split())[:200]}): this run is logged offline")
        run = begin("offline")
    return Tracker(run, say)
