"""An equation in a window of its time, started by a solution in the window before."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from pinnlab.equations import Constraint, Equation
from pinnlab.equations.constraints import domain
from pinnlab.geometry import Points, Region, Source
from pinnlab.geometry.columns import Ends
from pinnlab.strategy.structure.evolution import Evolution

Before = Callable[[Points], Mapping[str, Tensor]]
"""Values of the solution before a window at points of its start: the columns of `handed`."""

START = "window_start"
"""The constraint that takes the place of the initial ones."""


def handed(output: str, order: int) -> str:
    """The name of the column with ∂ᵏu/∂tᵏ of an output at the start of a window."""
    return f"before_{order}_{output}"


class Around(Region):
    """A region that changes what the points of another one are, and not where that lies.

    Args:
        base: The other region.
    """

    def __init__(self, base: Region) -> None:
        self.base, self.names = base, base.names

    @property
    def dimension(self) -> int:
        """That of the base."""
        return self.base.dimension

    @property
    def measure(self) -> float:
        """That of the base."""
        return self.base.measure

    @property
    def extent(self) -> Ends:
        """That of the base."""
        return self.base.extent

    def contains(self, points: Points) -> Tensor:
        """Which points lie in the base."""
        return self.base.contains(points)


class Observed(Around):
    """A region whose points have further columns, computed from the points.

    Args:
        base: The region.
        columns: Points -> the further columns.
    """

    def __init__(self, base: Region, columns: Before) -> None:
        super().__init__(base)
        self.columns = columns

    def place(self, n: int, source: Source) -> Points:
        """Points of the base with their columns."""
        points = self.base.place(n, source)
        return {**points, **self.columns(points)}


class Window(Equation):
    """An equation between two times.

    In the first window the equation's own initial conditions hold. In a later one its outputs, and their derivatives in
    time below the highest, are those of the solution before it.
    """

    def __init__(
        self, whole: Equation, evolution: Evolution, low: float, high: float, before: Before | None = None
    ) -> None:
        """Takes the equation and the times.

        Args:
            whole: The equation.
            evolution: Its time.
            low: Where the window begins.
            high: Where it ends.
            before: The solution before it; None for the first window.
        """
        super().__init__()
        self.inputs, self.outputs = whole.inputs, whole.outputs  # type: ignore[misc]
        # an equation of its own, whose parameters are not those of the window
        self._about = (whole, evolution, low, high, before)

    @property
    def name(self) -> str:
        """That of the equation."""
        return self._about[0].name

    def constraints(self) -> dict[str, Constraint]:
        """The equation's constraints within the window, and its start."""
        whole, evolution, low, high, before = self._about
        found: dict[str, Constraint] = {}
        every = whole.constraints()
        for name, constraint in every.items():
            if name in evolution.initial:
                if before is None:
                    found[name] = constraint
                continue
            region = constraint.region.within(evolution.along, low, high)
            if region is not None:
                found[name] = Constraint(
                    region, constraint.residual, constraint.points, constraint.sobolev, constraint.weight,
                    constraint.places,
                )  # fmt: skip
        if before is not None:
            inside = found[domain(every)].region
            base = inside.face(evolution.along, low)
            found[START] = Constraint(Observed(base, before), _continued(evolution))
        return found


def _continued(evolution: Evolution) -> Callable[..., Any]:
    """The residuals ∂ᵏu/∂tᵏ − (the same before) for all that starts a window."""
    conditions = [(output, k) for output, order in evolution.orders.items() for k in range(order)]

    def residual(**fields: Any) -> tuple[Any, ...]:
        t = fields[evolution.along]
        return tuple(
            (fields[output].d(*(t,) * k) if k else fields[output]) - fields[handed(output, k)]
            for output, k in conditions
        )

    names = dict.fromkeys([evolution.along, *(o for o, _ in conditions), *(handed(o, k) for o, k in conditions)])
    parameters = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
    residual.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return residual
