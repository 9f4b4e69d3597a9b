"""The quadrature rules of one axis: Gauss-Legendre, trapezoid on the circle and on the line, Gauss-Hermite."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.operators import legendre
from pinnlab.operators.rule import AxisRule, increasing, more, only_axis, positive, whole


class GaussLegendre(AxisRule):
    """Composite Gauss-Legendre quadrature on an interval: n nodes in each panel, exact to degree 2n − 1 there.

    Some functions on [a, b] have an expansion in powers of (x − a)^β, as solutions of fractional equations have. For
    them `power=β` takes the panels in the variable s = ((x − a)/(b − a))^β, in which such functions are smooth. With
    β = 1/m for an integer m they include the functions that are smooth in x.

    Attributes:
        count: The number n of nodes in each panel.
        panels: The number of equal panels (in s) between two neighbouring ends.
        power: β.
        ends: The ends of the interval, and the points between them where a panel has to end.
        edges: The ends of all panels in s, from 0 to 1, `(P + 1,)`.
        s: The nodes in s, `(M,)`.

    Example:
        ∫₀³ |t − 1| dt, with a panel that ends at the kink:

        >>> rule = GaussLegendre(t=(0, 1, 3), nodes=2)
        >>> round((rule.weights * (rule.nodes["t"] - 1).abs()).sum().item(), 12)
        2.5
    """

    def __init__(self, *, nodes: int = 16, panels: int = 1, power: float = 1.0, **axis: Sequence[float]) -> None:
        """Takes the axis by name with its ends, and how many nodes and panels.

        Args:
            nodes: The number of nodes in each panel.
            panels: The number of equal panels between two neighbouring ends.
            power: The exponent β of the variable s.
            axis: Name and ends, `x=(0, 1)`; numbers between the ends split the interval.

        Raises:
            UserError: if there is not one axis, the ends do not increase, or a number is not positive.
        """
        name, ends = only_axis("GaussLegendre", axis)
        self.ends = increasing(f"GaussLegendre: the ends of {name}", ends)
        self.count = whole("GaussLegendre: nodes", nodes, 1)
        self.panels = whole("GaussLegendre: panels", panels, 1)
        self.power = positive("GaussLegendre: power", power)
        reference, weights = (torch.from_numpy(array) for array in legendre.gauss(self.count))
        lower, upper = self.ends[0], self.ends[-1]
        splits = ((torch.tensor(self.ends, dtype=torch.float64) - lower) / (upper - lower)) ** self.power
        steps = torch.arange(self.panels, dtype=torch.float64) / self.panels
        self.edges = torch.cat([(splits[:-1, None] + splits.diff()[:, None] * steps).flatten(), splits[-1:]])
        half = self.edges.diff()[:, None] / 2
        self.s = (self.edges[:-1, None] + half * (1 + reference)).flatten()
        super().__init__(name, self.position(self.s), (half * weights).flatten() * self.stretch(self.s), (lower, upper))

    def position(self, s: Tensor) -> Tensor:
        """X = a + (b − a) s^{1/β}."""
        return self.ends[0] + (self.ends[-1] - self.ends[0]) * s ** (1 / self.power)

    def stretch(self, s: Tensor) -> Tensor:
        """dx/ds = (b − a)/β · s^{1/β − 1}."""
        return (self.ends[-1] - self.ends[0]) / self.power * s ** (1 / self.power - 1)

    def finer(self) -> GaussLegendre:
        """The same panels with about half as many nodes again in each."""
        return GaussLegendre(nodes=more(self.count), panels=self.panels, power=self.power, **{self.name: self.ends})


class PeriodicTrapezoid(AxisRule):
    """The trapezoidal rule for functions with the period b − a: nodes a + (j + ½) h, h = (b − a)/n.

    It is exact for trigonometric polynomials of less than n waves, and converges exponentially for analytic functions.

    Attributes:
        count: The number n of nodes.

    Example:
        >>> rule = PeriodicTrapezoid(x=(0, 2 * math.pi), nodes=8)
        >>> round((rule.weights * rule.nodes["x"].sin() ** 2).sum().item() / math.pi, 12)
        1.0
    """

    def __init__(self, *, nodes: int = 32, **axis: tuple[float, float]) -> None:
        """Takes the axis by name with the ends of one period, and the number of nodes.

        Raises:
            UserError: if there is not one axis, it has not two ends that increase, or there are no nodes.
        """
        name, values = only_axis("PeriodicTrapezoid", axis)
        lower, upper = _two(f"PeriodicTrapezoid: the ends of {name}", values)
        self.count = whole("PeriodicTrapezoid: nodes", nodes, 1)
        spacing = (upper - lower) / self.count
        points = lower + spacing * (torch.arange(self.count, dtype=torch.float64) + 0.5)
        super().__init__(name, points, torch.full_like(points, spacing), (lower, upper))

    def finer(self) -> PeriodicTrapezoid:
        """About half as many nodes again."""
        return PeriodicTrapezoid(nodes=more(self.count), **{self.name: self.interval})


class SinhTrapezoid(AxisRule):
    """The trapezoidal rule on the whole line in the variable z with x = c + σ sinh z.

    The nodes z_j = −Z + (j + ½) h, h = 2Z/n, lie evenly in z, so that those in x are dense near the centre c and reach
    far out. For analytic functions the error falls exponentially in 1/h, down to the part of the integral
    beyond the ends. Functions that decay slowly need ends of 1e10 and more, which take few nodes.

    Attributes:
        count: The number n of nodes.
        ends: The values of x at z = −Z and z = Z; their mean is c.
        scale: σ.
        z: The nodes in z, `(n,)`.
        spacing: h.

    Example:
        ∫ dx/(1 + x²)² = π/2:

        >>> rule = SinhTrapezoid(x=(-1e6, 1e6), nodes=120)
        >>> round((rule.weights / (1 + rule.nodes["x"] ** 2) ** 2).sum().item() / math.pi, 12)
        0.5
    """

    def __init__(self, *, nodes: int = 128, scale: float = 1.0, **axis: tuple[float, float]) -> None:
        """Takes the axis by name with how far the nodes reach, the number of nodes and σ.

        Raises:
            UserError: if there is not one axis, it has not two ends that increase, or a number is not positive.
        """
        name, values = only_axis("SinhTrapezoid", axis)
        lower, upper = self.ends = _two(f"SinhTrapezoid: the ends of {name}", values)
        self.count = whole("SinhTrapezoid: nodes", nodes, 2)
        self.scale = positive("SinhTrapezoid: scale", scale)
        reach = math.asinh((upper - lower) / 2 / self.scale)
        self.spacing = 2 * reach / self.count
        self.z = self.spacing * (torch.arange(self.count, dtype=torch.float64) + (1 - self.count) / 2)
        points = (lower + upper) / 2 + self.scale * self.z.sinh()
        super().__init__(name, points, self.spacing * self.scale * self.z.cosh(), (-math.inf, math.inf))

    def finer(self) -> SinhTrapezoid:
        """About half as many nodes again between the same ends."""
        return SinhTrapezoid(nodes=more(self.count), scale=self.scale, **{self.name: self.ends})


class TanTrapezoid(AxisRule):
    """The trapezoidal rule on the whole line in the angle φ with x = c + σ tan(φ/2), whose ends −π and π are infinity.

    It is for functions that are smooth at infinity too, such as rational functions that decay like 1/x² or faster: they
    are smooth periodic functions of φ, and the error falls exponentially in n.

    Attributes:
        count: The number n of nodes.
        centre: c.
        scale: σ.
        angles: The nodes in φ, −π + (j + ½) 2π/n.

    Example:
        ∫ dx/(1 + x²) = π, with the centre 0 and the scale 1:

        >>> rule = TanTrapezoid(x=(0, 1), nodes=40)
        >>> round((rule.weights / (1 + rule.nodes["x"] ** 2)).sum().item() / math.pi, 12)
        1.0
    """

    def __init__(self, *, nodes: int = 32, **axis: tuple[float, float]) -> None:
        """Takes the axis by name with centre and scale, and the number of nodes.

        Raises:
            UserError: if there is not one axis with two numbers, or a number is not positive.
        """
        name, values = only_axis("TanTrapezoid", axis)
        self.centre, self.scale = _centre(f"TanTrapezoid: {name}", "scale", values)
        self.count = whole("TanTrapezoid: nodes", nodes, 2)
        step = 2 * math.pi / self.count
        self.angles = step * (torch.arange(self.count, dtype=torch.float64) + (1 - self.count) / 2)
        half = self.angles / 2
        weights = step * self.scale / 2 / half.cos() ** 2
        super().__init__(name, self.centre + self.scale * half.tan(), weights, (-math.inf, math.inf))

    def finer(self) -> TanTrapezoid:
        """About half as many nodes again."""
        return TanTrapezoid(nodes=more(self.count), **{self.name: (self.centre, self.scale)})


class GaussHermite(AxisRule):
    """Gauss-Hermite quadrature on the whole line for functions that decay like e^{−ξ²}, ξ = (x − c)/σ.

    It is exact for e^{−ξ²} times a polynomial of degree 2n − 1. The weights contain e^{ξ²}: ∫ f dx ≈ Σ_i w_i f(x_i).

    Attributes:
        count: The number n of nodes.
        centre: c.
        width: σ.

    Example:
        ∫ x² e^{−x²} dx = √π/2, with the centre 0 and the width 1:

        >>> rule = GaussHermite(x=(0, 1), nodes=10)
        >>> x = rule.nodes["x"]
        >>> round((rule.weights * x**2 * (-x * x).exp()).sum().item() / math.sqrt(math.pi), 12)
        0.5
    """

    def __init__(self, *, nodes: int = 32, **axis: tuple[float, float]) -> None:
        """Takes the axis by name with centre and width, and the number of nodes.

        Raises:
            UserError: if there is not one axis with two numbers, the width is not positive, or there are so many
                nodes that the outermost weights underflow.
        """
        from scipy.special import roots_hermite

        name, values = only_axis("GaussHermite", axis)
        self.centre, self.width = _centre(f"GaussHermite: {name}", "width", values)
        self.count = whole("GaussHermite: nodes", nodes, 1)
        found, weights = roots_hermite(self.count)
        if not weights.min() > np.finfo(float).tiny:
            raise UserError(f"GaussHermite: the weights of {nodes} nodes underflow; take fewer, or a SinhTrapezoid")
        points = torch.from_numpy(self.centre + self.width * found)
        scaled = torch.from_numpy(self.width * np.exp(np.log(weights) + found**2))
        super().__init__(name, points, scaled, (-math.inf, math.inf))

    def finer(self) -> GaussHermite:
        """About half as many nodes again."""
        return GaussHermite(nodes=more(self.count), **{self.name: (self.centre, self.width)})


def _centre(what: str, size: str, values: object) -> tuple[float, float]:
    pair = values if isinstance(values, tuple | list) and len(values) == 2 else (math.nan, math.nan)
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in pair):
        raise UserError(f"{what} must be the centre and the {size}, as in (0, 1), not {values!r}")
    return float(pair[0]), positive(f"{what}: the {size}", pair[1])


def _two(what: str, values: object) -> tuple[float, float]:
    found = increasing(what, values)
    if len(found) != 2:
        raise UserError(f"{what} must be two numbers, not {values!r}")
    return found[0], found[1]
