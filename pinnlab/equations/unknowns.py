"""Unknowns of an equation: numbers that are solved for together with the network."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError


class Unknown(nn.Module):
    """A scalar to be found, such as an exponent or a viscosity; a parameter like the network's.

    Bounds are bounds of the parameter itself: the optimisers take only steps within them (see `optimisers.bounds`),
    and `project` moves a parameter that another optimiser took outside to the nearest bound. The ends belong to the
    interval.

    If every residual is affine in the unknown (`linear`), training takes its least-squares value for the current
    network in closed form instead, within the bounds: see `Residuals.reduced`.

    Attributes:
        start: Where training begins.
        parameter: The value, a 0-d tensor of the default dtype.
        bounds: The interval, or None.
        linear: Whether every residual of the equation is affine in the value.
        truth: The true value, if it is known; for reports alone, never for training.

    Example:
        >>> viscosity = Unknown(bounds=(0.0, 0.5))
        >>> viscosity.value
        Parameter containing:
        tensor(0.2500, requires_grad=True)
    """

    def __init__(
        self,
        start: float | None = None,
        bounds: tuple[float, float] | None = None,
        truth: float | None = None,
        linear: bool = False,
    ) -> None:
        """Sets the starting value.

        Args:
            start: Where to begin; the middle of the bounds by default.
            bounds: The interval that holds the value.
            truth: The true value, if known.
            linear: Declares that every residual is affine in the value, so that it has a closed form.

        Raises:
            UserError: if the bounds are not finite and increasing, or the start is missing or outside them.
        """
        super().__init__()
        if bounds is not None:
            low, high = bounds
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise UserError(f"bounds must be finite and in increasing order, got ({low}, {high})")
            if start is None:
                start = (low + high) / 2
            if not low <= start <= high:
                raise UserError(f"the start {start} lies outside the bounds ({low}, {high})")
        if start is None or not math.isfinite(start):
            raise UserError("an unknown without bounds needs a finite start")
        self.start = float(start)
        self.parameter = nn.Parameter(torch.tensor(float(start)), requires_grad=not linear)
        self.linear = linear
        self.bounds = bounds
        self.truth = truth
        self.project()

    @property
    def value(self) -> Tensor:
        """The current value, a differentiable 0-d tensor."""
        return self.parameter

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the largest number of the parameter's dtype within the bounds; infinite without bounds."""
        if self.bounds is None:
            return -math.inf, math.inf
        return _inside(self.bounds[0], math.inf, self.parameter), _inside(self.bounds[1], -math.inf, self.parameter)

    def project(self) -> None:
        """Moves the parameter to the nearest value within the bounds."""
        low, high = self.limits
        # a value within the bounds is not written, so that graphs with this tensor stay valid
        if not low <= float(self.parameter.detach()) <= high:
            with torch.no_grad():
                self.parameter.clamp_(low, high)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Loads the parameter; one outside of the bounds stands for its reflection.

        Earlier versions of the package kept bounds by reflection, value = a + min(r, 2w − r) with r = (p − a) mod 2w
        and w = b − a, and stored the p.
        """
        key = prefix + "parameter"
        stored = state_dict.get(key)
        if self.bounds is not None and stored is not None and not self.bounds[0] <= float(stored) <= self.bounds[1]:
            low, width = self.bounds[0], self.bounds[1] - self.bounds[0]
            r = torch.remainder(stored - low, 2 * width)
            state_dict = {**state_dict, key: low + torch.minimum(r, 2 * width - r)}
        super()._load_from_state_dict(state_dict, prefix, *rest)
        self.project()

    def reset(self) -> None:
        """Goes back to the start."""
        with torch.no_grad():
            self.parameter.fill_(self.start)
        self.project()

    def extra_repr(self) -> str:
        """The value and the bounds."""
        return f"{float(self.parameter.detach()):.6g}, bounds={self.bounds}"


def _inside(bound: float, towards: float, like: Tensor) -> float:
    """The bound in the dtype of a tensor, rounded towards the inside."""
    rounded = torch.tensor(bound, dtype=like.dtype)
    outside = float(rounded) < bound if towards > 0 else float(rounded) > bound
    return float(torch.nextafter(rounded, torch.tensor(towards, dtype=like.dtype)) if outside else rounded)
