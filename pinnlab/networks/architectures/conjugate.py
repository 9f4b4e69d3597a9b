"""Networks of a vorticity and its velocity on the line: the velocity's slope is the vorticity's Hilbert transform."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError


class Conjugate(nn.Module):
    """Ω and U with U' = HΩ for every value of the parameters, in the coordinate z of y = sinh z.

    The boundary values V + iU of a function that is analytic in the upper half-plane are conjugate, so that U' is the
    Hilbert transform of V' = Ω, and no quadrature is needed. Here that function is

        V + iU = −Σ_kj c_kj (1 − iy)^p w^j,  w = (1 + iy)/(1 − iy),

    with real c_kj, so that Ω and U are odd; k = 0, …, `powers`, j = 0, …, `terms` − 1. The terms of k = 0, with p = 0,
    are rational functions of y. In those of k ≥ 1, p = 1 − ka: they make Ω decay slowly, like y^{−ka}, with an exponent
    a that is trained like the c_kj. With φ = arctan y the terms of Ω and of U/√(1 + y²) are

        −(1 + y²)^{(p−1)/2} [(p − j) sin((2j + 1 − p)φ) − j sin((2j − 1 − p)φ)],  −(1 + y²)^{(p−1)/2} sin((2j − p)φ).

    The outputs are Ω, U/√(1 + y²), and if there is a third an even function Θ/√(1 + y²) with terms
    (1 + y²)^{(p−1)/2} cos((2j − p)φ) and coefficients of its own, for what the velocity carries along.

    Example:
        Ω and U are odd:

        >>> network = Conjugate(1, 2, terms=3, powers=1)
        >>> z = torch.tensor([[0.5], [-0.5]])
        >>> both = network(z)
        >>> torch.allclose(both[0], -both[1])
        True
    """

    waves: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        terms: int = 20,
        powers: int = 6,
        exponent: float = 0.5,
        centre: float = 0.0,
        noise: float = 0.01,
    ) -> None:
        """Draws the coefficients.

        Args:
            inputs: One, z with y = sinh z.
            outputs: Two, Ω and U/√(1 + y²), or three.
            terms: The number of j.
            powers: The largest k.
            exponent: Where the exponent a begins.
            centre: The value of HΩ(0) at the start, from the term k = 1, j = 0 alone: Ω begins near the function
                −HΩ(0) (1 + y²)^{−a/2} sin(aφ). With 0 it begins at the noise, near the solution Ω = 0 of many
                equations.
            noise: The size of the coefficients that are drawn; they decay with k and j.

        Raises:
            UserError: if there is not one input, there are not two or three outputs, or a number is not positive.
        """
        super().__init__()
        if inputs != 1 or outputs not in (2, 3):
            raise UserError(f"Conjugate has one input and two or three outputs, got {int(inputs)} and {int(outputs)}")
        if terms < 1 or powers < 0 or not exponent > 0:
            raise UserError(f"Conjugate needs positive numbers, got {terms} terms, {powers} powers, {exponent}")
        if centre and exponent == 1:
            raise UserError("Conjugate has no term of k = 1 with a value at 0 for the exponent 1; begin beside it")
        self.exponent = nn.Parameter(torch.tensor([float(exponent)]))
        self.register_buffer("waves", torch.arange(float(terms)), persistent=False)
        self.register_buffer("powers", torch.arange(float(powers + 1)), persistent=False)
        size = noise / (1 + self.waves) / (1 + self.get_buffer("powers"))[:, None]
        start = size * torch.randn(outputs - 1, powers + 1, terms)
        if powers and centre:
            start[0, 1, 0] += centre / (1 - exponent)
        self.coefficients = nn.Parameter(start.flatten(1))

    def forward(self, z: Tensor) -> Tensor:
        """Evaluates at `(N, 1)`."""
        k = self.get_buffer("powers")
        power = torch.where(k == 0, 0.0, 1 - self.exponent * k)
        p = power.repeat_interleave(len(self.waves))
        j = self.waves.repeat(len(power))
        # φ = 2 arctan tanh(z/2), and √(1 + y²) = cosh z
        angle = torch.atan(torch.tanh(z / 2)) * 2
        decay = torch.exp(torch.log(torch.cosh(z)) * (p - 1))
        vorticity = torch.sin(angle * (2 * j - 1 - p)) * j - torch.sin(angle * (2 * j + 1 - p)) * (p - j)
        parts = [
            nn.functional.linear(decay * vorticity, self.coefficients[:1]),
            nn.functional.linear(decay * torch.sin(angle * (2 * j - p)), -self.coefficients[:1]),
        ]
        if len(self.coefficients) == 2:
            parts.append(nn.functional.linear(decay * torch.cos(angle * (2 * j - p)), self.coefficients[1:]))
        return torch.cat(parts, -1)
