"""Stretched coordinates: inputs that are stretched where a function has layers, and shrunk elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError
from pinnlab.networks.mlp import MLP
from pinnlab.networks.transforms import Build

Layers = Sequence[tuple[float, float]]
"""The centre c and the width ε of each layer along an input."""

# The density away from all layers, beside 1/ε within one.
BACKGROUND = 0.5
# Δ: the widths of neighbouring Lorentzians differ by e^Δ, far from the least.
_STEP = 0.7
# Half the length of the input's range; a wider Lorentzian is part of the background.
_WIDEST = 1.0
# Bisections, which find a coordinate to rounding.
_BISECTIONS = 52


class Stretching(nn.Module):
    """A monotone map s of [−1, 1] onto itself whose slope is larger near layers.

    The slope is proportional to

        b + Σ_i 1 / √((x − c_i)² + ε_i²),

    so that a layer takes log(1/ε) of the coordinate, and functions with singularities at c_i ± iε_i, as fronts have,
    are smooth in s (Tee & Trefethen, "A rational spectral collocation method with adaptively transformed Chebyshev grid
    points", 2006). Each term is written as a sum of Lorentzians of widths w_k = ε cosh((k + ½)Δ):

        1 / √(d² + ε²) = (2/π) ∫₀^∞ w(τ) / (d² + w(τ)²) dτ,  w(τ) = ε cosh τ,

    whose integrals are arc tangents, and which repeat along a periodic input as Poisson kernels do.

    Example:
        More than half of all coordinates are within 0.1 of the layer:

        >>> import torch
        >>> stretching = Stretching([(0.0, 0.01)])
        >>> stretching(torch.tensor([-1.0, -0.1, 0.0, 0.1, 1.0]))
        tensor([-1.0000, -0.5603,  0.0000,  0.5603,  1.0000])
        >>> stretching.inverse(torch.tensor([0.5603]))
        tensor([0.1000])
    """

    def __init__(self, layers: Layers, periodic: bool = False) -> None:
        """Takes the layers.

        Args:
            layers: The centre c_i, in [−1, 1], and the width ε_i of each.
            periodic: Whether the slope has the period 2.

        Raises:
            UserError: if a width is not positive, or a centre lies elsewhere.
        """
        super().__init__()
        if not all(abs(centre) <= 1 and width > 0 for centre, width in layers):
            raise UserError(f"a layer has a centre in [-1, 1] and a positive width, got {list(layers)}")
        self.layers = tuple((float(centre), float(width)) for centre, width in layers)
        self.periodic = periodic
        centres, widths = [], []
        for centre, width in self.layers:
            k = 0
            while k == 0 or width * math.cosh((k + 0.5) * _STEP) < _WIDEST:
                centres.append(centre)
                widths.append(width * math.cosh((k + 0.5) * _STEP))
                k += 1
        # python's floats are float64, whatever the default dtype is
        self._kernels = tuple(zip(centres, widths, strict=True))
        ends = self._integral(torch.tensor([-1.0, 1.0], dtype=torch.float64)).tolist()
        self.waves = ends[1] - ends[0]
        """∫ of the slope before it is scaled: lengths of 1/slope that [−1, 1] has."""
        self._factor, self._middle = 2 / self.waves, (ends[0] + ends[1]) / 2

    def _integral(self, x: Tensor) -> Tensor:
        if not self._kernels:
            return x * BACKGROUND
        centres, widths = torch.tensor(self._kernels, dtype=x.dtype, device=x.device).unbind(1)
        d = x[..., None] - centres
        if self.periodic:
            r, angle = torch.exp(-math.pi * widths), d * math.pi
            parts = angle / 2 + torch.atan(torch.sin(angle) * r / (1 - torch.cos(angle) * r))
        else:
            parts = torch.atan(d * (1 / widths))
        return parts.sum(-1) * (2 * _STEP / math.pi) + x * BACKGROUND

    def forward(self, x: Tensor) -> Tensor:
        """The map at coordinates in [−1, 1], of any shape."""
        return (self._integral(x) - self._middle) * self._factor

    def inverse(self, s: Tensor) -> Tensor:
        """The coordinates x with s(x) = s, of any shape, by bisection."""
        low, high = -torch.ones_like(s), torch.ones_like(s)
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            below = self(middle) < s
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return torch.where(s <= -1, s, torch.where(s >= 1, s, (low + high) / 2))


def density(x: Tensor, layers: Layers, periodic: bool = False) -> Tensor:
    """The slope of a stretching before it is scaled, b + Σ_i 1 / √((x − c_i)² + ε_i²), at `(N,)`.

    Along a periodic input the distance is (2/π) sin(π(x − c)/2).
    """
    found = torch.full_like(x, BACKGROUND)
    for centre, width in layers:
        d = x - centre
        if periodic:
            d = (2 / math.pi) * torch.sin(d * (math.pi / 2))
        found = found + 1 / torch.sqrt(d**2 + width**2)
    return found


class Stretched(nn.Module):
    """N(s_1(x_1), s_2(x_2), …): a network of stretched coordinates, in which layers along an input are wide.

    Example:
        >>> import torch
        >>> network = Stretched(2, 1, layers=[[], [(0.0, 0.01)]])
        >>> x = torch.tensor([[0.3, 0.1]])
        >>> stretched = torch.stack((x[:, 0], network.stretchings[1](x[:, 1])), -1)
        >>> torch.equal(network(x), network.network(stretched))
        True
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        layers: Sequence[Layers],
        periodic: Sequence[bool] | None = None,
        network: Build = MLP,
    ) -> None:
        """Builds the inner network.

        Args:
            inputs: Columns of the input, `(N, inputs)`, which lie in [−1, 1].
            outputs: Columns of the output, `(N, outputs)`.
            layers: For each input its layers; an input without layers stays as it is.
            periodic: For each input, whether its period is 2; none by default.
            network: Builds the inner network.

        Raises:
            UserError: if there is not one list of layers for each input, or a layer is none.
        """
        super().__init__()
        periodic = [False] * inputs if periodic is None else list(periodic)
        if len(layers) != inputs or len(periodic) != inputs:
            raise UserError(f"Stretched needs layers, and whether it is periodic, for each of {inputs} inputs")
        every = zip(layers, periodic, strict=True)
        self.stretchings = nn.ModuleList(Stretching(some, repeats) for some, repeats in every)
        self.network = network(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        columns = [x[..., i] for i in range(len(self.stretchings))]
        stretched = [s(column) if s.layers else column for s, column in zip(self.stretchings, columns, strict=True)]
        return self.network(torch.stack(stretched, -1))
