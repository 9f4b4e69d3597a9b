"""Unknowns of an equation: numbers that are solved for together with the network."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError


class Unknown(nn.Module):
    """A scalar to be found, such as an exponent or a viscosity; a parameter like the network's.

    With bounds (a, b) the free parameter p may take any value and is reflected into the interval,

        value = a + min(r, 2w − r),  r = (p − a) mod 2w,  w = b − a,

    the triangle wave that is the identity on [a, b]. Its slope is ±1 everywhere, so that the value cannot stick
    at a bound, where maps like tanh and sine have slope 0.

    If every residual is affine in the unknown (`linear`), training takes its least-squares value for the current
    network in closed form instead, within the bounds: see `Residuals.reduced`.

    Attributes:
        start: Where training begins.
        parameter: The free parameter p, a 0-d tensor of the default dtype.
        bounds: The interval, or None.
        linear: Whether every residual of the equation is affine in the value.
        truth: The true value where it is known; for reports alone, never for training.
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

    @property
    def value(self) -> Tensor:
        """The current value, a differentiable 0-d tensor."""
        if self.bounds is None:
            return self.parameter
        low, high = self.bounds
        p, width = self.parameter, high - low
        r = torch.remainder(p - low, 2 * width)
        wave = low + torch.where(r <= width, r, 2 * width - r)  # unlike |r − w|, of slope ±1 where it turns as well
        return torch.where((low <= p) & (p <= high), p, wave)  # exactly the identity inside

    def reset(self) -> None:
        """Goes back to the start."""
        with torch.no_grad():
            self.parameter.fill_(self.start)

    def extra_repr(self) -> str:
        """The value and the bounds."""
        return f"{float(self.parameter.detach()):.6g}, bounds={self.bounds}"
