"""Checks that the truths are true.

Where the equation has a closed form, every residual is evaluated on it at quasi-random points of every constraint, and
must vanish but for rounding; the truth must agree with the closed form at all evaluation points. A computed truth is
compared with one of another resolution or by another method, and must agree with it to its stated accuracy.

    python -m experiments.tolerance.check [--folder FOLDER] [--judgement] [NAME …]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from experiments.tolerance import PROBLEMS, Problem
from experiments.tolerance.judgement import JUDGEMENT
from experiments.tolerance.problem import Columns
from experiments.tolerance.references.agreement import AGREEMENTS
from pinnlab.collocation import Sobol
from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.residuals import Residuals

ROUNDING = 1e-11
"""The largest residual at an exact solution, over the largest value of the residual's terms or 1."""


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


def residuals_at_the_truth(equation: Equation, count: int = 400, shift: float = 0.0) -> dict[str, float]:
    """The largest residual of each constraint at the exact solution and the true unknowns.

    Args:
        equation: The equation.
        count: The number of points of each constraint.
        shift: By how much the inputs of the exact solution are moved, for a check that the check can fail.
    """
    for unknown in equation.unknowns().values():
        unknown.parameter.data.fill_(float(unknown.truth or 0))
    network: nn.Module = Known(equation)
    if shift:
        network = nn.Sequential(Shifted(shift), network)
    residuals = Residuals(network, equation, NTP()).unweighted()
    points = {name: Sobol().sample(c.region, count, seed=0) for name, c in equation.constraints().items()}
    with torch.no_grad():
        blocks = residuals(points, residuals.weighting)
    return {name: float(block.abs().max()) for name, block in blocks.items()}


class Shifted(nn.Module):
    """Moves all inputs."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, points: Tensor) -> Tensor:
        """The moved points."""
        return points + self.shift


def closed(problem: Problem, equation: Equation, points: Columns, truth: Columns) -> tuple[bool, str]:
    """Whether the residuals vanish at the closed form and the truth agrees with it, and both in words."""
    found = residuals_at_the_truth(equation)
    if problem.tol is None:
        del found["data"]  # what is left there is the noise
    moved = max(residuals_at_the_truth(problem.equation(), shift=1e-3).values())
    columns = {name: torch.as_tensor(column) for name, column in points.items()}
    own = {name: field.value.numpy() for name, field in equation.solution(columns).items()}
    away = max(problem.errors(own, truth).values())
    largest = max(found.values())
    words = ", ".join(f"{name} {value:.0e}" for name, value in found.items())
    passed = largest < ROUNDING * max(1, moved / 1e-3) and largest < 1e-6 * moved and away <= problem.accuracy
    return passed, f"truth against exact {away:.0e}; residuals: {words}; {moved:.0e} with inputs moved by 1e-3"


def report(problem: Problem, folder: Path | None) -> bool:
    """Prints one problem's check, and returns whether it passes."""
    began = time.perf_counter()
    equation, points = problem.equation(), problem.points()
    equation.check()
    truth = problem.truth(points, folder)
    seconds = time.perf_counter() - began
    finite = all(np.isfinite(v).all() for name, v in truth.items() if name not in problem.left_out)
    complete = set(truth) == set(equation.outputs) and set(points) == set(equation.inputs)
    if equation.solved:
        passed, words = closed(problem, equation, points, truth)
    else:
        gap, words = AGREEMENTS[problem.name](points, truth, folder)
        passed, words = gap <= problem.accuracy, f"agreement {gap:.0e} of {problem.accuracy:.0e}: {words}"
    passed = passed and finite and complete
    count = len(next(iter(points.values())))
    print(f"{'' if passed else 'FAILED '}{problem.name:26s} {count:6d} points {seconds:5.1f} s  {words}", flush=True)
    return passed


def main() -> None:
    """Checks the problems that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--folder", type=Path, help="where computed truths are kept")
    parser.add_argument("--judgement", action="store_true", help="the problems for judgement instead")
    options = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    problems = JUDGEMENT if options.judgement else PROBLEMS
    results = [report(problems[name], options.folder) for name in options.names or problems]
    if not all(results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
