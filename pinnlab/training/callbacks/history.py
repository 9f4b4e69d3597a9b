"""The rows of a run, kept in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from lightning.pytorch import Callback, LightningModule, Trainer

from pinnlab.training.steps import Row, StepReport


class History(Callback):
    """Collects the rows that training steps report.

    Attributes:
        rows: One dictionary per logged step, in order.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Keep the step's rows."""
        report: StepReport = outputs["report"]
        self.rows.extend(report.rows)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The rows by column; NaN where a row lacks one."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return {name: np.array([row.get(name, np.nan) for row in self.rows]) for name in names}
