"""Smooth self-similar blow-up profiles of the inviscid Burgers equation."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.unknowns import Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval, PointSet
from pinnlab.jets import Field, Jet, implicit


class SelfSimilarBurgers(Equation):
    """−λU + ((1 + λ)X + U) U' = 0 on [−2, 2], U(∓2) = ±1: profile U and exponent λ together.

    The substitution u = (1 − t)^λ U(x / (1 − t)^{1+λ}) turns u_t + u u_x = 0 into this equation. Its solutions
    X = −U − C sign(U) |U|^{1+1/λ} are smooth for λ = 1/(2k) alone; profile k is singled out by an interval for λ
    between its neighbours and by derivatives of the residual of order 2k + 1 at the origin, where every
    non-smooth solution blows up (Chickering 2024, arXiv 2412.09752; Wang et al. 2023).

    Example:
        >>> equation = SelfSimilarBurgers(profile=2)
        >>> equation.lam.truth, equation.solution({"X": torch.tensor([-2.0, 2.0])})["U"].value
        (0.25, tensor([ 1., -1.]))
    """

    inputs = ("X",)
    outputs = ("U",)

    def __init__(
        self,
        profile: int = 1,
        bounds: tuple[float, float] | None = None,
        start: float | None = None,
        extent: tuple[float, float] = (-2.0, 2.0),
        origin: tuple[float, float] = (-0.075, 0.075),
    ) -> None:
        """Chooses a profile.

        Args:
            profile: k = 1, 2, …: the true exponent is 1/(2k).
            bounds: The interval for λ; the paper's (1/(2k+1), 1/(2k−1)) by default.
            start: Where λ begins; the middle of the interval by default.
            extent: Where X runs; (0, 2) suffices for a network that is odd.
            origin: The neighbourhood of 0 where smoothness is asked for.

        Raises:
            UserError: if the profile is not positive, or the bounds are out of order.
        """
        super().__init__()
        if profile < 1:
            raise UserError(f"profile must be 1, 2, 3, …, got {profile}")
        self.profile = profile
        self.extent = extent
        self.origin = origin
        interval = bounds or (1 / (2 * profile + 1), 1 / (2 * profile - 1))
        self.lam = Unknown(start, interval, truth=1 / (2 * profile), linear=True)

    def constraints(self) -> dict[str, Constraint]:
        """The residual and its slope everywhere, its Taylor coefficients to order 2k + 1 near 0, and the ends.

        The paper takes the derivative of order 2k + 1 alone; divided by (2k + 1)! it has the size of the others.
        With U = −X + a X^{2k+1} + … its value at 0 is (2kλ − 1) a, and nothing else determines λ.
        """
        smooth = [1 / math.factorial(j) ** 2 for j in range(2 * self.profile + 2)]
        return {
            "interior": Constraint(Interval(X=self.extent), self.residual, points=80, sobolev=(1.0, 0.01)),
            "origin": Constraint(Interval(X=self.origin), self.residual, points=15, sobolev=smooth),
            "ends": Constraint(PointSet(X=list(self.extent)), self.ends),
        }

    def residual(self, X: Field, U: Field, lam: Tensor) -> Field:
        """−λU + ((1 + λ)X + U) U'."""
        return ((1 + lam) * X + U) * U.d(X) - lam * U

    def ends(self, X: Field, U: Field) -> Field:
        """U(∓2) = ±1."""
        return U + X / 2

    def exact(self, X: Jet) -> Field:
        """U from X = −U − sign(U) |U|^{1+1/λ} at the true λ, where 1 + 1/λ is the odd number p = 2k + 1.

        From above Newton's method decreases to the root of w + w^p = |X|, for the function is convex there.
        """
        p, size = 2 * self.profile + 1, X.value.abs()
        start = -X.value.sign() * torch.minimum(size, size ** (1 / p))
        return implicit(lambda X, U: X + U + U**p, X, start)
