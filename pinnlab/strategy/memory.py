"""The memory that a solve with given features takes, counted before it is made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pinnlab.collocation import Sobol
from pinnlab.geometry import size
from pinnlab.residuals import Residuals
from pinnlab.strategy.features import Features
from pinnlab.strategy.trials.points import numbers
from pinnlab.training.phases.base import allowance

# Bytes of a number, and how often the jets of the features and the Jacobian are held at once: the jets as they are
# computed, with what their derivatives need; the Jacobian with its copy for the factors and the factors.
_BYTES, _JETS, _JACOBIANS = 8, 3, 3
# The part of the available memory that a solve takes by default: other programs take some, too.
_PART = 0.8
# So many rows for each coefficient determine a solution. With fewer two solves may agree on what is none.
_DETERMINED = 1.5
# No solve has more features.
_MOST = 10**6


@dataclass(frozen=True)
class Demand:
    """What memory the solves of an equation take, by their features.

    With F features, P = outputs · (F + 1) coefficients, M rows, and for each constraint N nodes, S Taylor coefficients
    and R rows at a node, it is in numbers of eight bytes

        Σ N (S · outputs + R) P + 3 Σ N S F + 3 M P + P²:

    the stored jets of the features with their products, the jets as they are computed, and the Jacobian with its
    factors. Measured, the greatest use is 0.8 to 1.1 times that, without what the process has anyway.

    Attributes:
        residuals: The equation with a network of any features.
        groups: Constraint -> the points of each unit that a sampler is asked for, and those that it has without any: 1
            and 0 where rows belong to single points, 0 and all of them for given points.
        nodes: The same for the nodes where the network is evaluated, which are more for an integral.
    """

    residuals: Residuals
    groups: dict[str, tuple[int, int]]
    nodes: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, residuals: Residuals) -> Demand:
        """The demand of an equation."""
        residuals = residuals.prepared()
        groups, nodes = {}, {}
        for name, constraint in residuals.constraints.items():
            groups[name] = nodes[name] = 1, 0
            if constraint.region.dimension == 0 or not constraint.local:
                some = [Sobol().sample(constraint.region, units, 0) for units in (1, 2)]
                groups[name] = _line(*map(size, some))
                nodes[name] = _line(*(size(constraint.flat(points)) for points in some))
        return cls(residuals, groups, nodes)

    def columns(self, features: Features) -> int:
        """The number P of what is sought, with the unknowns."""
        equation = self.residuals.equation
        return len(equation.outputs) * (features.count + 1) + len(equation.unknowns())

    def rows(self, features: Features) -> int:
        """The number M of rows."""
        residuals, units = self.residuals, numbers(self.residuals, features)
        groups = ((residuals.height(name), *self.groups[name], units[name]) for name in residuals.constraints)
        return sum(height * (each * count + first) for height, each, first, count in groups)

    def bytes(self, features: Features) -> float:
        """The greatest use of memory, in bytes."""
        residuals, outputs = self.residuals, len(self.residuals.equation.outputs)
        units, columns = numbers(residuals, features), self.columns(features)
        stored = jets = 0
        for name, constraint in residuals.constraints.items():
            each, first = self.nodes[name]
            nodes = (each * units[name] + first) * (1 + len(constraint.places))
            terms, height = len(residuals.terms[name].indices), residuals.height(name)
            stored += nodes * (terms * outputs + (height if constraint.local else 0)) * columns
            jets += nodes * terms * features.count
        rows = self.rows(features)
        return float(_BYTES * (stored + _JETS * jets + _JACOBIANS * rows * columns + columns**2))

    def most(self, features: Features, limit: float) -> float:
        """The largest number of features that a limit in bytes allows; infinite without a limit."""
        if math.isinf(limit):
            return math.inf
        low, high = 0, _MOST
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.bytes(replace(features, count=middle)) <= limit else (low, middle - 1)
        return low

    def lacking(self, proposed: Sequence[Features], limit: float) -> str:
        """Why features cannot be tried within a limit in bytes, or at all; empty if they can."""
        largest = max(proposed, key=lambda features: features.count)
        if (rows := self.rows(largest)) < _DETERMINED * self.columns(largest):
            return (
                f"the {rows} rows of all constraints do not determine {largest.count} features: state more conditions"
            )
        needed = self.bytes(largest)
        if needed <= limit:
            return ""
        return f"memory: {largest.count} features need {_readable(needed)}, and {_readable(limit)} are allowed"


def _line(one: int, two: int) -> tuple[int, int]:
    """What each unit has, and what there is without any, where one and two units have these sizes."""
    return two - one, 2 * one - two


def available(root: Path = Path("/")) -> float:
    """The bytes that a solve may take by default: four fifths of what the machine, or this process's group, has left.

    Half of the machine's memory, where the system does not tell.

    Args:
        root: Where the files of the system are.
    """
    known = [*_of_machine(root), *_of_groups(root)]
    return _PART * min(known) if known else allowance(None)


def _of_machine(root: Path) -> list[float]:
    """What the machine has left, if it is a Linux."""
    return [1024 * value for value in _table(root / "proc/meminfo", "MemAvailable:")]


def _of_groups(root: Path) -> list[float]:
    """What the control groups of this process have left: those of containers and of jobs on a cluster."""
    found = []
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        base = root / "sys/fs/cgroup" / controllers
        names = ("max", "current") if not controllers else ("limit_in_bytes", "usage_in_bytes")
        own = base / path.lstrip("/")
        for folder in (own, *own.parents):
            if not folder.is_relative_to(base):
                break
            limit, use = (_text(folder / f"memory.{name}").strip() for name in names)
            if limit.isdecimal() and use.isdecimal():
                # files that were read can be dropped
                cached = sum(_table(folder / "memory.stat", "inactive_file"))
                found.append(max(0.0, float(limit) - float(use) + cached))
    return found


def _table(path: Path, name: str) -> list[float]:
    """The number beside a name in a file of lines, if it is there."""
    rows = (line.split() for line in _text(path).splitlines())
    return [float(row[1]) for row in rows if len(row) > 1 and row[0] == name and row[1].isdecimal()]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _readable(number: float) -> str:
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.0f} MiB"
