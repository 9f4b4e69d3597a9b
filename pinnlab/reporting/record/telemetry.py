"""Telemetry of a training beside its loss: gradient norm, points per second, memory."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping

import torch

from pinnlab.geometry import size
from pinnlab.training.pinn import PINN
from pinnlab.training.steps import Batch, Row


class Telemetry:
    """Measures what loggers show beside the rows of a record."""

    def __init__(self) -> None:
        self._before: tuple[int, float] | None = None

    def measure(self, module: PINN, batch: Batch, row: Row, gradient_factor: float | None) -> dict[str, float]:
        """The numbers for a row.

        Args:
            module: What is trained.
            batch: This rank's points.
            row: The row.
            gradient_factor: What the phase multiplies the gradient of the loss by; None if it computes none.

        Returns:
            `gradient_norm`, ‖∇ loss‖ over all parameters, where the phase computes gradients; `points_per_second`,
            this rank's collocation points times steps since the row before; `memory_mib`, the greatest use so far, of
            the accelerator if the run has one.
        """
        found = {"memory_mib": _memory(module.device) / 2**20}
        step, seconds = int(row["step"]), float(row["seconds"])
        if self._before is not None and step > self._before[0] and seconds > self._before[1]:
            points = sum(size(columns) for columns in batch.values())
            found["points_per_second"] = points * (step - self._before[0]) / (seconds - self._before[1])
        self._before = step, seconds
        gradients = [p.grad for p in module.residuals.parameters() if p.grad is not None]
        if gradients and gradient_factor is not None:
            norm = float(torch.stack([g.square().sum() for g in gradients]).sum().sqrt())
            found["gradient_norm"] = norm / gradient_factor
        return found


def numbers(row: Row) -> Mapping[str, float]:
    """The numbers of a row, which are logged as curves."""
    return {name: value for name, value in row.items() if not isinstance(value, str) and name != "step"}


def _memory(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    # kilobytes on Linux, bytes on macOS
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)
