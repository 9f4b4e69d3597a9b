"""The line that a run ends with."""

from __future__ import annotations

from lightning.pytorch import Trainer

from pinnlab.reporting.plus_minus import plus_minus
from pinnlab.training.callbacks.progress import clock
from pinnlab.training.pinn import PINN


def ending(model: PINN, trainer: Trainer) -> str:
    """Steps, time, the unknowns and outputs with their estimated errors, and the true errors where these are known."""
    parts = [f"{model.schedule.step} steps in {clock(model.schedule.seconds)}"]
    for name, unknown in model.equation.unknowns().items():
        value = float(unknown.value.detach())
        error = "" if unknown.truth is None else f" (error {abs(value - unknown.truth):.2e})"
        estimate = trainer.callback_metrics.get(f"uncertainty_{name}")
        shown = f"{value:.15g}" if estimate is None else plus_minus(value, float(estimate))
        parts.append(f"{name} = {shown}{error}")
    estimates = {name: trainer.callback_metrics.get(f"uncertainty_{name}") for name in model.equation.outputs}
    parts += [f"{name} ± {float(estimate):.0e}" for name, estimate in estimates.items() if estimate is not None]
    parts += [
        f"{name.replace('_', ' ')} {float(trainer.callback_metrics[name]):.2e}"
        for name in ("max_error", "relative_l2")
        if name in trainer.callback_metrics
    ]
    return ", ".join(parts)
