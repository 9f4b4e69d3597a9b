"""A square with four holes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box, Disc
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian
from pinnlab.networks import MLP
from pinnlab.networks.transforms import Build
from pinnlab.references.harmonic import CENTRE, RADIUS, holes


class FourHoles(Equation):
    """Δu = 0 on [−½, ½]² without the discs of radius 0.1 at (±0.3, ±0.3), u = 1 outside, u = 0 on the discs.

    P2d-C of PINNacle (Hao et al. 2023, arXiv 2306.08827).

    Example:
        >>> import torch
        >>> FourHoles().solution({"x": torch.tensor([0.0]), "y": torch.tensor([0.0])})["u"].value
        tensor([0.2336])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the outer boundary and the discs."""
        square = Box(x=(-0.5, 0.5), y=(-0.5, 0.5))
        discs = Disc((0.3, 0.3), 0.1) | Disc((-0.3, 0.3), 0.1) | Disc((-0.3, -0.3), 0.1) | Disc((0.3, -0.3), 0.1)
        return {
            "interior": Constraint(square - discs, self.residual),
            "outer": Constraint(square.boundary, lambda x, y, u: u - 1),
            "discs": Constraint(discs.boundary, lambda x, y, u: u),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """Δu."""
        return laplacian(u, x, y)

    def reference(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """A multipole series, to 1e-13 on the boundary and so inside."""
        return holes(x, y)


class Multipoles(nn.Module):
    """N(x, y) + Σ over the discs of a log r + Σ_m (b_m cos mθ + c_m sin mθ) (R/r)^m, with factors to be found.

    A solution outside of a disc is such a sum around its centre (Jackson 1975, section 2.11), beside what comes from
    elsewhere. That is smooth on the whole square, discs included, so that a plain network N represents it well.

    Example:
        >>> Multipoles(2, 1, orders=3).factors.weight.shape
        torch.Size([1, 28])
    """

    def __init__(self, inputs: int, outputs: int, network: Build = MLP, orders: int = 8) -> None:
        """Builds the network N, and factors that are 0.

        Args:
            inputs: Columns of the input: x and y.
            outputs: Columns of the output.
            network: The network N.
            orders: The largest m.
        """
        super().__init__()
        self.orders = orders
        self.network = network(inputs, outputs)
        self.factors = nn.Linear(4 * (2 * orders + 1), outputs, bias=False)
        nn.init.zeros_(self.factors.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, 2)`."""
        values = []
        for sign_x, sign_y in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
            a, b = (x[..., 0] - sign_x * CENTRE) / RADIUS, (x[..., 1] - sign_y * CENTRE) / RADIUS
            square = a * a + b * b
            values.append(torch.log(square) / 2)
            # powers of 1/w = (a − ib)/(a² + b²), in real numbers
            real, imaginary = a / square, -b / square
            p, q = real, imaginary
            for _ in range(self.orders):
                values += [p, q]
                p, q = p * real - q * imaginary, p * imaginary + q * real
        return self.network(x) + self.factors(torch.stack(values, -1))
