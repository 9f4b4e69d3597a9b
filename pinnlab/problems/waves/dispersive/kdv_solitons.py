"""Two solitons of the equation of Korteweg and de Vries."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import Field


class KdVSolitons(Equation):
    """u_t + 6 u u_x + u_xxx = 0 on [−10, 10], −2 ≤ t ≤ 2: two solitons, the faster one overtakes at t = 0.

    A soliton of number k is a hump of height k²/2 and width 2/k that travels at the speed k². Two of them meet, and
    come out as they were, but for a shift. In closed form u = 2 (log G)_xx with

        G = (k₁ − k₂) cosh ½(η₁ + η₂) + (k₁ + k₂) cosh ½(η₁ − η₂), η_i = k_i x − k_i³ t

    (Hirota 1971). The start is given by it, and so are u at both ends and u_x at the right one, as many conditions as
    an equation of third order takes. With k₂ = 0 there is one soliton alone, u = ½k² sech² ½(kx − k³t).

    Example:
        >>> import torch
        >>> one = KdVSolitons(k=(1.0, 0.0))
        >>> one.solution({"t": torch.tensor([0.0, 1.0]), "x": torch.tensor([0.0, 1.0])})["u"].value
        tensor([0.5000, 0.5000])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def __init__(self, k: tuple[float, float] = (1.5, 1.0)) -> None:
        """Sets k₁ and k₂.

        Raises:
            UserError: unless k₁ > k₂ ≥ 0.
        """
        super().__init__()
        fast, slow = k
        if not fast > slow >= 0:
            raise UserError(f"the solitons' numbers must be k₁ > k₂ ≥ 0, got {fast} and {slow}")
        self.k = k

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, the ends, and the slope at the right end."""
        box = Box(t=(-2.0, 2.0), x=(-10.0, 10.0))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) + 6 * u * u.d(x) + u.d(x, x, x)),
            "start": Constraint(box.face("t", -2.0), lambda t, x, u: u - self.exact(t, x)),
            "ends": Constraint(box.faces("x"), lambda t, x, u: u - self.exact(t, x)),
            "slope": Constraint(box.face("x", 10.0), lambda t, x, u: u.d(x) - self.exact(t, x).d(x)),
        }

    def exact(self, t: Field, x: Field) -> Field:
        """The second derivative 2 (G G_xx − G_x²) / G² of 2 log G."""
        fast, slow = self.k
        total, gap = fast + slow, fast - slow
        first, second = fast * x - fast**3 * t, slow * x - slow**3 * t
        plus, minus = (first + second) / 2, (first - second) / 2
        g = gap * plus.cosh() + total * minus.cosh()
        slope = gap * total / 2 * (plus.sinh() + minus.sinh())
        bend = gap * total / 4 * (total * plus.cosh() + gap * minus.cosh())
        return 2 * (g * bend - slope**2) / g**2
