"""Energy levels of the harmonic oscillator."""

from __future__ import annotations

from torch import Tensor

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.unknowns import Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import Field


class SchrodingerLevel(Equation):
    """−½ ψ'' + ½ x² ψ = E ψ on [0, 8], ψ(8) = 0, with E unknown: level n of the quantum harmonic oscillator.

    Lengths are in units of √(ħ/mω), energies in units of ħω. Wave functions are even or odd: ψ(0) = 1 and ψ'(0) = 0 for
    even n, ψ(0) = 0 and ψ'(0) = 1 for odd n. So the half of the line is enough, ψ = 0 is no solution, and no integral
    is needed; ψ²/∫ψ² is the density. The truth is E = n + ½ and ψ a multiple of H_n(x) e^{−x²/2}, with Hermite's
    polynomials H_n. The other end stands for infinity: there ψ is e^{−32} times a polynomial. Any n of the same parity
    would do, so that bounds on E, of n − ½ and n + 3/2, say which level is meant (Schrödinger 1926).

    An odd level is found to 1e-4 from nothing, and to 1e-8 from a start, such as x e^{−x²/4}: without one a solve
    begins at ψ = 0, since ψ is 0 in all conditions, and there E has no effect.

    Example:
        >>> equation = SchrodingerLevel(2)
        >>> equation.E.truth, equation.E.bounds
        (2.5, (1.5, 3.5))
    """

    inputs = ("x",)
    outputs = ("psi",)

    def __init__(self, level: int = 0) -> None:
        """Sets the level n.

        Raises:
            UserError: if the level is none of 0, 1, 2, 3, 4.
        """
        super().__init__()
        if level not in range(5):
            raise UserError(f"the level must be 0, 1, 2, 3 or 4, got {level}")
        self.level = level
        self.E = Unknown(level + 0.1, (level - 0.5, level + 1.5), truth=level + 0.5)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the parity with the normalisation, and the end."""
        line = Interval(x=(0.0, 8.0))
        even = self.level % 2 == 0
        return {
            "interior": Constraint(line, self.residual),
            "middle": Constraint(line.face("x", 0.0), self.even if even else self.odd),
            "far": Constraint(line.face("x", 8.0), lambda x, psi: psi),
        }

    def residual(self, x: Field, psi: Field, E: Tensor) -> Field:
        """Schrödinger's equation −½ ψ'' + (½ x² − E) ψ."""
        return -psi.d(x, x) / 2 + (x * x / 2 - E) * psi

    def even(self, x: Field, psi: Field) -> tuple[Field, ...]:
        """ψ(0) = 1 and ψ'(0) = 0."""
        return psi - 1, psi.d(x)

    def odd(self, x: Field, psi: Field) -> tuple[Field, ...]:
        """ψ(0) = 0 and ψ'(0) = 1."""
        return psi, psi.d(x) - 1

    def exact(self, x: Field) -> Field:
        """The multiple of H_n(x) e^{−x²/2} by the terms of H_n, whose factors are those of a hypergeometric series."""
        n = self.level
        first = n % 2
        terms, factor = x**first, 1.0
        for power in range(first, n - 1, 2):
            factor *= 2 * (power - n) / ((power + 1) * (power + 2))
            terms = terms + factor * x ** (power + 2)
        return terms * (-x * x / 2).exp()
