"""Networks of fixed random features whose last layer alone is trained."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError
from pinnlab.networks.mlp import activation as _activation


class RandomFeatures(nn.Module):
    """W σ(A x + b) + c with A and b drawn once (Rahimi & Recht 2008).

    A_ij ~ N(0, s_j²/inputs) for a scale s_j of each input, and b_i ~ N(0, s²) with the largest scale s or another one.

    If the residual is linear, so is the problem of training this network on it, as in an extreme learning machine
    (Huang, Zhu & Siew 2006). Gauss-Newton then needs a step or two, where a network with trained features needs
    hundreds. As a later stage of `Staged` it takes a solution that is nearly right to rounding errors.

    A and b are buffers: they are in the module's state and not among its parameters.

    Example:
        >>> network = RandomFeatures(2, 1, features=200, scale=4.0)
        >>> sum(parameter.numel() for parameter in network.parameters())
        201
    """

    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        features: int = 300,
        scale: float | Sequence[float] = 1.0,
        activation: str = "tanh",
        periods: Sequence[float | None] | None = None,
        bias: float | None = None,
    ) -> None:
        """Draws the features.

        Args:
            inputs: Columns of the input, `(N, inputs)`.
            outputs: Columns of the output, `(N, outputs)`.
            features: The number of features.
            scale: The s of all inputs, or of each; the features bend over lengths of about 1/s.
            activation: One of `ACTIVATIONS`.
            periods: For each input its period p, or None: A_ij is rounded to a multiple of 2π/p, so that features of a
                periodic activation such as `sin` have this period.
            bias: The standard deviation of b; that of the largest scale by default.

        Raises:
            UserError: if a number is not positive, there is not one scale for each input, or the activation is unknown.
        """
        super().__init__()
        scales = [scale] * inputs if isinstance(scale, int | float) else list(scale)
        if features < 1 or not all(s > 0 for s in scales):
            raise UserError(f"RandomFeatures needs a positive number and scale, got {features} and {scale}")
        if len(scales) != inputs:
            raise UserError(f"RandomFeatures needs one scale, or one for each of {inputs} inputs, not {len(scales)}")
        if periods is not None and len(periods) != inputs:
            raise UserError(f"RandomFeatures needs a period, or None, for each of {inputs} inputs, not {len(periods)}")
        weight = torch.tensor(scales) * inputs**-0.5 * torch.randn(features, inputs)
        for column, period in enumerate(periods or ()):
            if period is not None:
                unit = 2 * math.pi / period
                weight[:, column] = torch.round(weight[:, column] / unit) * unit
        self.register_buffer("weight", weight)
        self.register_buffer("bias", (max(scales) if bias is None else bias) * torch.randn(features))
        self.activation = _activation(activation)
        self.last = nn.Linear(features, outputs)

    def hidden(self, x: Tensor) -> Tensor:
        """The features at `(N, inputs)`."""
        return self.activation(nn.functional.linear(x, self.weight, self.bias))

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        return self.last(self.hidden(x))
