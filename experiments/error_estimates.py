"""Errors as a run estimates them without the truth, against the true ones.

Every problem of estimate_problems.py is solved with several seeds, to different ends. Printed are the true errors of
unknowns and outputs, the estimates and their ratio, and what the run itself says is wrong. An output's true error is
the largest at 8000 points of its domain.

    python experiments/error_estimates.py [--only NAME] [--seeds 0 1] [--out PREFIX]
    python experiments/error_estimates.py --profiles 1 2 3 4 --seeds 0 1 2 3 4 5 6 7 8 9

The second trains self-similar profiles as their configurations say, broken off after 1 to 10 steps of the second stage,
the number that of the seed, so that errors of all sizes come about.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from estimate_problems import DEVELOPMENT, JUDGEMENT, Problem

import pinnlab
from pinnlab.collocation import Sobol
from pinnlab.equations.constraints import domain

ROOT = Path(__file__).resolve().parents[1]
ROUNDING = 1e-13
"""Of an error relative to its quantity: what the comparison of smaller ones would say is about rounding alone."""


@dataclass(frozen=True)
class Pair:
    """An error and its estimate.

    Attributes:
        problem: What was solved, with the seed.
        name: The unknown or output.
        error: The true error.
        estimate: The estimate.
        findings: What the run said is wrong.
    """

    problem: str
    name: str
    error: float
    estimate: float
    findings: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """The estimate over the error."""
        return self.estimate / self.error if self.error else math.inf


def solved(name: str, problem: Problem, seed: int) -> list[Pair]:
    """Errors and estimates of one problem."""
    options = {"phases": problem.phases(seed), "points": problem.points, "seed": seed, **problem.options}
    solution = pinnlab.solve(problem.equation(seed), problem.network, **options)
    equation = solution.model.equation
    constraints = equation.constraints()
    points = Sobol().sample(constraints[domain(constraints)].region, 8000, 12345)
    places = {axis: points[axis].double().numpy() for axis in equation.inputs}
    found = solution.evaluate(**places)
    if problem.truth is None:
        with torch.no_grad():
            true = {key: value.value.numpy() for key, value in equation.solution(points).items()}
    else:
        true = dict(problem.truth(places))
    errors = {key: float(abs(found[key] - true[key]).max()) for key in equation.outputs}
    errors |= {key: abs(float(u.value.detach()) - u.truth) for key, u in equation.unknowns().items() if u.truth}
    findings = tuple(solution.model.findings)
    return [
        Pair(f"{name}, seed {seed}", key, error, solution.metrics[f"uncertainty_{key}"], findings)
        for key, error in errors.items()
        if error > ROUNDING
    ]


def profiles(numbers: list[int], seeds: list[int]) -> Iterator[Pair]:
    """λ and U of self-similar profiles, by runs of the command line."""
    with tempfile.TemporaryDirectory() as root:
        for number in numbers:
            for seed in seeds:
                config = ROOT / "configs" / "self_similar_burgers" / f"profile_{number}.yaml"
                command = [sys.executable, "-m", "pinnlab", "fit", "--config", str(config)]
                command += ["--seed_everything", str(seed), "--model.phases.1.steps", str(1 + seed % 10)]
                command += ["--run.root", root, "--run.name", f"{number}-{seed}"]
                environment = os.environ | {"WANDB_MODE": "disabled", "PYTHONPATH": str(ROOT)}
                subprocess.run(command, check=True, capture_output=True, env=environment)
                summary = json.loads((Path(root) / f"{number}-{seed}" / "summary.json").read_text())
                metrics, problem = summary["metrics"], f"profile {number}, seed {seed}"
                for name, key in (("lam", "error_lam"), ("U", "max_error")):
                    if (error := metrics[key]) > ROUNDING:
                        yield Pair(problem, name, error, metrics[f"uncertainty_{name}"], tuple(summary["findings"]))


def summary(pairs: list[Pair]) -> str:
    """What is asked of estimates, counted."""
    ratios = sorted(pair.ratio for pair in pairs)
    small = [pair for pair in pairs if pair.ratio < 1 / 3]
    within = {pair.problem for pair in pairs} - {pair.problem for pair in pairs if not 1 / 3 <= pair.ratio <= 3}
    warned = {pair.problem for pair in pairs if pair.findings} & within
    return (
        f"{len({pair.problem for pair in pairs})} runs, {len(pairs)} estimates, ratio {ratios[0]:.2g} to "
        f"{ratios[-1]:.2g}, median {statistics.median(ratios):.2g}\n"
        f"more than 3 times too small: {len(small)}, without a warning {sum(not pair.findings for pair in small)}\n"
        f"runs with all estimates within 3 times: {len(within)}, with a warning {len(warned)}\n"
        f"more than 30 times too large: {sum(ratio > 30 for ratio in ratios)} of {len(ratios)}"
    )


def main() -> None:
    """Trains, tabulates and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="problems whose names contain this")
    parser.add_argument("--profiles", type=int, nargs="*", default=[])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--out", type=Path, default=ROOT / "experiments" / "results" / "error_estimates")
    options = parser.parse_args()
    logging.getLogger("lightning").setLevel(logging.ERROR)
    logging.getLogger("pinnlab").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    # of the points where errors are measured
    torch.set_default_dtype(torch.float64)
    pairs: list[Pair] = []
    print("| problem | of | error | estimate | ratio | said |\n|---|---|---|---|---|---|")

    def show(found: list[Pair]) -> None:
        pairs.extend(found)
        for pair in found:
            said = "; ".join(finding.partition(":")[0] for finding in pair.findings)
            cells = f"{pair.error:.1e} | {pair.estimate:.1e} | {pair.ratio:.2g} | {said}"
            print(f"| {pair.problem} | {pair.name} | {cells} |", flush=True)

    if options.profiles:
        for pair in profiles(options.profiles, options.seeds):
            show([pair])
    else:
        for seed in options.seeds:
            for name, problem in {**DEVELOPMENT, **JUDGEMENT}.items():
                if options.only in name:
                    show(solved(name, problem, seed))
    print(summary(pairs))
    draw(pairs, options.out.with_suffix(".png"))


def draw(pairs: list[Pair], path: Path) -> None:
    """Estimates against errors, with the lines of a factor of three."""
    from matplotlib.figure import Figure

    from pinnlab.reporting.figures.style import styled

    with styled():
        figure = Figure(figsize=(5, 4.5), layout="constrained")
        axis = figure.subplots()
        drawn = [pair for pair in pairs if math.isfinite(pair.estimate)]
        ends = [min(pair.error for pair in drawn) / 3, max(pair.error for pair in drawn) * 3]
        for factor, style in ((1 / 3, ":"), (1, "-"), (3, ":")):
            axis.loglog(ends, [factor * end for end in ends], color="grey", linestyle=style, linewidth=0.8)
        for warned, marker, label in ((False, "o", "no warning"), (True, "x", "with a warning")):
            chosen = [pair for pair in drawn if bool(pair.findings) == warned]
            if chosen:
                places = [pair.error for pair in chosen], [pair.estimate for pair in chosen]
                axis.loglog(*places, marker, markersize=4, label=label)
        axis.set(xlabel="true error", ylabel="estimated without the truth")
        axis.legend()
        figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main()
