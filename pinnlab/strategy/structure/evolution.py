"""Which input of an equation is its time: conditions at its start alone say how the solution goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.equations.base import twin
from pinnlab.equations.constraints import Constraint, domain
from pinnlab.equations.inputs import Vector, axis_names
from pinnlab.equations.residual.arguments import resolve
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region
from pinnlab.geometry.region import Pilot
from pinnlab.residuals import Residuals

# No equation that we know has a higher derivative in time.
_HIGHEST = 4
_POINTS = 64
# Where derivatives in time are looked for, as a part of all time.
_PART = 0.41


@dataclass(frozen=True)
class Evolution:
    """How an equation goes on in time.

    Attributes:
        along: The input that is its time.
        start: Where it starts.
        end: Where it ends.
        orders: Output -> the highest derivative in time that the equation has of it: so many values, from the output
            itself on, start a further window.
        initial: The constraints at the start.
    """

    along: str
    start: float
    end: float
    orders: Mapping[str, int]
    initial: tuple[str, ...]


def evolution(equation: Equation) -> Evolution | None:
    """The time of an equation; None where it has none, so that it must be solved in one piece.

    An input is the time under three conditions. Constraints give conditions where it is least, and none where it is
    largest. These are as many as the equation has derivatives in this input. All regions can be cut along it. An
    equation with unknowns has none here, because its windows would find different values.
    """
    if equation.unknowns():
        return None
    scalar = [name for name in equation.inputs if not isinstance(name, Vector)]
    for name in sorted(scalar, key=lambda name: name not in ("t", "time")):
        found = _along(equation, name)
        if found is not None:
            return found
    return None


def _along(equation: Equation, name: str) -> Evolution | None:
    constraints = equation.constraints()
    region = constraints[domain(constraints)].region
    if region.dimension != equation.dimension or name not in region.names:
        return None
    low, high = (float(end) for end in region.extent[name])
    initial = tuple(key for key, found in constraints.items() if _lies(found.region, name, low, high) == "start")
    if not initial or any(_lies(found.region, name, low, high) == "end" for found in constraints.values()):
        return None
    if not all(_can_be_cut(found, name, low, (low + high) / 2) for found in constraints.values()):
        return None
    orders = _orders(equation, region, name)
    residuals = Residuals(Probe(equation, region), equation, NTP())
    given = sum(residuals.height(key) for key in initial)
    return Evolution(name, low, high, orders, initial) if given == sum(orders.values()) else None


def _lies(region: Region, name: str, low: float, high: float) -> str:
    """Whether a condition lies where an input is least, `start`, or partly where it is largest, `end`."""
    if name not in region.names or (region.dimension > 0 and _solid(region, name)):
        return ""
    points = region.place(_POINTS, Pilot())[name].double()
    slack = 1e-9 * (high - low)
    if bool((points <= low + slack).all()):
        return "start"
    return "end" if bool((points >= high - slack).any()) else ""


def _solid(region: Region, name: str) -> bool:
    """Whether the input runs freely in the region, so that no part of it lies at an end."""
    points = region.place(_POINTS, Pilot())[name]
    return len(points.unique()) > len(points) // 2


def _can_be_cut(constraint: Constraint, name: str, low: float, high: float) -> bool:
    """Whether the rows of a constraint need no points at other times, and its region can be cut into windows."""
    if not constraint.local:
        return False
    points = constraint.region.place(_POINTS, Pilot())
    try:
        for label, place in constraint.places.items():
            if name in place(**resolve(place, points, f"the place {label!r}")):
                return False
        constraint.region.within(name, low, high)
    except UserError:
        return False
    return True


class Probe(nn.Module):
    """A smooth function of the inputs, with (t − t₀)ᵏ (1 + 0.1 (x₁ + …)) added to one output.

    All inputs are scaled to a region, so that derivatives of all orders are of order 1 in the region's units.
    """

    def __init__(
        self, equation: Equation, region: Region, output: int = 0, power: int = -1, along: int = 0, centre: float = 0.0
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(len(equation.outputs), equation.dimension, generator=generator))
        low, high = (
            torch.cat([region.extent[name][end].reshape(-1) for name in equation.inputs]).to(self.weight)
            for end in (0, 1)
        )
        self.output, self.power, self.along = output, power, along
        self.factor, self.centre = 2 / (high - low), (low + high) / 2
        if power >= 0:
            self.centre[along] = centre

    def forward(self, x: Tensor) -> Tensor:
        """The outputs at points `(N, columns)`."""
        z = (x - self.centre) * self.factor
        base = torch.sin(nn.functional.linear(z, self.weight) + 0.3) + 1.5
        if self.power < 0:
            return base
        added = 1 + 0.1 * z.sum(-1)
        for _ in range(self.power):
            added = added * z[..., self.along]
        columns = [base[..., i] + added if i == self.output else base[..., i] for i in range(base.shape[-1])]
        return torch.stack(columns, -1)


def _orders(equation: Equation, region: Region, name: str) -> dict[str, int]:
    """Output -> the highest derivative in an input that the equation's residuals contain: 0 for none.

    At t = t₀ the function (t − t₀)ᵏ changes a residual only if the residual contains a derivative in t of order k or
    more. All that it changes otherwise is exactly 0 there, so that the smallest difference tells. t₀ is no place where
    a coefficient is likely to vanish, such as the middle.
    """
    constraints, along = equation.constraints(), axis_names(equation.inputs).index(name)
    low, high = (float(end) for end in region.extent[name])
    centre = float(torch.tensor(low + _PART * (high - low)))
    solid: dict[str, Points] = {}
    for key, constraint in constraints.items():
        if constraint.region.dimension == equation.dimension:
            points = constraint.region.place(_POINTS, Pilot())
            solid[key] = {**points, name: torch.full_like(points[name], centre)}

    def rows(output: int, power: int) -> Tensor:
        probe = Probe(equation, region, output, power, along, centre)
        residuals = Residuals(probe, twin(equation), NTP()).unweighted()
        with torch.enable_grad():
            return torch.cat([block.detach().flatten() for block in residuals(solid, residuals.weighting).values()])

    found = {}
    for number, output in enumerate(equation.outputs):
        # of a power higher than all derivatives nothing is left at t₀
        plain = rows(number, _HIGHEST + 1)
        changed = [
            k for k in range(1, _HIGHEST + 1)
            if not torch.allclose(rows(number, k), plain, rtol=1e-14, atol=0.0, equal_nan=True)
        ]  # fmt: skip
        found[output] = max(changed, default=0)
    return found
