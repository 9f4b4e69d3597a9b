"""A network between the conditions that are built into it: G(x) + D(x) N(x)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pinnlab.equations.base import Equation, twin
from pinnlab.equations.constraints import Residual
from pinnlab.geometry.levels import Level
from pinnlab.residuals.hard.trial import Condition


@dataclass(frozen=True)
class Ends:
    """Values, and first derivatives beside them, that an output has where one input has certain values.

    Attributes:
        axis: The input.
        nodes: Its values.
        given: What is given at each node: the value, and perhaps the derivative along the input.
    """

    axis: str
    nodes: tuple[float, ...]
    given: tuple[tuple[Condition, ...], ...]

    @property
    def scale(self) -> tuple[float, float]:
        """Centre and half width: the nodes lie at ±1 of the scaled input s."""
        low, high = min(self.nodes), max(self.nodes)
        return (low + high) / 2, (high - low) / 2 or 1.0

    def scaled(self, x: Any) -> Any:
        """The scaled input s."""
        centre, half = self.scale
        return (x - centre) / half

    def cardinal(self) -> list[list[float]]:
        """The polynomials in s that take one given value or derivative to 1 and all others to 0, by coefficients.

        They are the columns of the inverse of Hermite's (confluent Vandermonde) matrix.
        """
        centre, half = self.scale
        count = sum(map(len, self.given))
        rows = []
        for node, given in zip(self.nodes, self.given, strict=True):
            s = (node - centre) / half
            rows.append([s**k for k in range(count)])
            if len(given) > 1:
                rows.append([k * s ** (k - 1) / half if k else 0.0 for k in range(count)])
        columns: list[list[float]] = np.linalg.inv(np.array(rows)).T.tolist()
        return columns

    def vanishing(self, x: Any) -> Any:
        """Π (s − s_i)^m over the nodes, m the number of what is given there."""
        s, (centre, half) = self.scaled(x), self.scale
        factors = [
            s - (node - centre) / half for node, given in zip(self.nodes, self.given, strict=True) for _ in given
        ]
        return reduce(lambda a, b: a * b, factors)


@dataclass(frozen=True)
class Plan:
    """What is built in for one output.

    Attributes:
        ends: Conditions on faces where an input is constant, derivatives first.
        sides: Other parts of the boundary: a function that vanishes there, and the value.
    """

    ends: tuple[Ends, ...]
    sides: tuple[tuple[Level, Condition], ...]


class Known(nn.Module):
    """u = G + D N: an output with its conditions, whatever the network N is.

    D vanishes where a value is given, of second order where a derivative is given as well. G has the given values. On
    faces of inputs it is their Boolean sum (Gordon 1971, transfinite interpolation): beginning with G = 0,

        G ← G + Σ_i w_i(x_k) (g_i − G) at x_k = a_i

    for one input x_k after the other, with Hermite's polynomials w_i. On other parts of a boundary, with functions φ_i
    that vanish there, it begins with Σ_i g_i Π_{j≠i} φ_j / Σ_i Π_{j≠i} φ_j (Rvachev).
    """

    def __init__(self, network: nn.Module, equation: Equation, plans: Mapping[str, Plan]) -> None:
        """Takes the network, and what is built in by output."""
        super().__init__()
        self.network = network
        self.plans = dict(plans)
        # an equation of its own, as it is now; no module of this one, whose parameters are the network's
        self._about = (twin(equation),)
        self._residuals = self._asked()

    def _asked(self) -> dict[str, Residual]:
        """The residuals that are asked for what is given, built outside of transforms of torch."""
        return {name: constraint.residual for name, constraint in self._about[0].constraints().items()}

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles, which have residuals of their own equation."""
        return {name: value for name, value in vars(self).items() if name != "_residuals"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """For copies and pickles."""
        super().__setstate__(state)
        self._residuals = self._asked()

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        found, equation = self.network(x), self._about[0]
        columns: dict[str, Any] = {name: x[..., i] for i, name in enumerate(equation.inputs)}
        outputs = []
        for number, name in enumerate(equation.outputs):
            value, plan = found[..., number], self.plans.get(name)
            if plan is not None:
                value = _Evaluation(self._residuals, equation.outputs, plan).known(columns, len(plan.ends)) + (
                    value * _vanishing(plan, columns)
                )
            outputs.append(value)
        return torch.stack(outputs, -1)


def _vanishing(plan: Plan, columns: Mapping[str, Any]) -> Any:
    factors = [ends.vanishing(columns[ends.axis]) for ends in plan.ends]
    factors += [level(columns) for level, _ in plan.sides]
    return reduce(lambda a, b: a * b, factors)


@dataclass(frozen=True)
class _Evaluation:
    """The known part of one output, with the residuals of one evaluation."""

    residuals: Mapping[str, Residual]
    outputs: Sequence[str]
    plan: Plan

    def known(self, columns: Mapping[str, Any], count: int) -> Any:
        """G with the first `count` inputs taken into account."""
        if count == 0:
            return self._sides(columns)
        ends = self.plan.ends[count - 1]
        result, s = self.known(columns, count - 1), ends.scaled(columns[ends.axis])
        weights = iter(ends.cardinal())
        for node, given in zip(ends.nodes, ends.given, strict=True):
            there = {**columns, ends.axis: columns[ends.axis] * 0 + node}
            for condition in given:
                value = self._given(condition, there)
                if condition.along is None:
                    value = value - self.known(there, count - 1)
                result = result + _polynomial(next(weights), s) * value
        return result

    def _sides(self, columns: Mapping[str, Any]) -> Any:
        sides = self.plan.sides
        if not sides:
            return next(iter(columns.values())) * 0
        values = [self._given(condition, columns) for _, condition in sides]
        if len(sides) == 1:
            return values[0]
        levels = [level(columns) for level, _ in sides]
        others = [reduce(lambda a, b: a * b, levels[:i] + levels[i + 1 :]) for i in range(len(levels))]
        return sum(value * other for value, other in zip(values, others, strict=True)) / sum(others)

    def _given(self, condition: Condition, columns: Mapping[str, Any]) -> Any:
        return condition.given(self.residuals[condition.constraint], columns, self.outputs)


def _polynomial(coefficients: Sequence[float], s: Any) -> Any:
    """Horner's scheme."""
    result: Any = s * 0 + coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        result = result * s + coefficient
    return result
