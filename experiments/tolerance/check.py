"""Checks that the truths are true.

Where the equation has a closed form, every residual is evaluated on it at quasi-random points of every constraint, and
must vanish but for rounding; the truth must agree with the closed form at all evaluation points.

    python -m experiments.tolerance.check [NAME …]
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import Tensor, nn

from experiments.tolerance import PROBLEMS, Problem
from pinnlab.collocation import Sobol
from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.residuals import Residuals


class Known(nn.Module):
    """The exact solution of an equation as a network of its inputs."""

    def __init__(self, equation: Equation) -> None:
        super().__init__()
        self.exact = equation.exact
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, points: Tensor) -> Tensor:
        """The outputs, `(N, outputs)`."""
        values = self.exact(*(points[:, i] for i in range(points.shape[1])))
        parts = values if isinstance(values, tuple) else (values,)
        return torch.stack(parts, -1)


def residuals_at_the_truth(equation: Equation, count: int = 400) -> dict[str, float]:
    """The largest residual of each constraint at the exact solution and the true unknowns."""
    for unknown in equation.unknowns().values():
        unknown.parameter.data.fill_(unknown.truth)
    residuals = Residuals(Known(equation), equation, NTP()).unweighted()
    points = {name: Sobol().sample(c.region, count, seed=0) for name, c in equation.constraints().items()}
    with torch.no_grad():
        blocks = residuals(points, residuals.weighting)
    return {name: float(block.abs().max()) for name, block in blocks.items()}


def report(problem: Problem) -> bool:
    """Prints one problem's check, and returns whether it passes."""
    equation = problem.equation()
    points = problem.points()
    line, passed = f"{problem.name:24s} {len(next(iter(points.values()))):6d} points", True
    if equation.solved:
        found = residuals_at_the_truth(equation)
        truth = problem.truth(points, None)
        own = {
            name: field.value.numpy()
            for name, field in equation.solution(
                {name: torch.as_tensor(column) for name, column in points.items()}
            ).items()
        }
        away = max(problem.errors(own, truth).values())
        passed = max(found.values()) < 1e-6 and away < 1e-12 and all(np.isfinite(v).all() for v in truth.values())
        line += f"  truth against exact {away:.1e}, residuals " + ", ".join(f"{k} {v:.1e}" for k, v in found.items())
    print(line if passed else f"FAILED {line}", flush=True)
    return passed


def main() -> None:
    """Checks the problems that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    results = [report(PROBLEMS[name]) for name in options.names or PROBLEMS]
    if not all(results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
