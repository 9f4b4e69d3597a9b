"""Errors as a run estimates them without the truth, against the true ones.

Self-similar profiles are trained as their configurations say, with several seeds, and broken off after 1 to 10 steps of
the second stage, the number that of the seed, so that errors of all sizes come about. Printed are the errors of λ and U
with their estimates, and how many estimates are within a factor of ten; the figure has all of them.

    python experiments/error_estimates.py [--profiles 1 2 3 4] [--seeds 0 1 2 3 4 5 6 7 8 9] [--out PREFIX]
    python experiments/error_estimates.py --others    # other equations, with and without fronts
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import nn

import pinnlab
from pinnlab.equations import Equation, Poisson, ViscousBurgers
from pinnlab.equations.burgers import BurgersAnsatz
from pinnlab.networks import MLP, RandomFeatures, Staged
from pinnlab.training import Adam, GaussNewton
from pinnlab.training.phases import Phase

ROOT = Path(__file__).resolve().parents[1]
ROUNDING = 1e-14
"""Of both an error and an estimate: what the comparison of smaller ones would say is about rounding alone."""


def errors(profile: int, seed: int, root: str) -> dict[str, tuple[float, float]]:
    """The true and the estimated error of λ and of U, by name, of a run of the command line."""
    config, name = ROOT / "configs" / "self_similar_burgers" / f"profile_{profile}.yaml", f"{profile}-{seed}"
    command = [sys.executable, "-m", "pinnlab", "fit", "--config", str(config), "--seed_everything", str(seed)]
    command += ["--model.phases.1.steps", str(1 + seed % 10), "--run.root", root, "--run.name", name]
    environment = os.environ | {"WANDB_MODE": "disabled", "PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    metrics = json.loads((Path(root) / name / "summary.json").read_text())["metrics"]
    return {
        "λ": (metrics["error_lam"], metrics["uncertainty_lam"]),
        "U": (metrics["max_error"], metrics["uncertainty_U"]),
    }


def others(seed: int) -> Iterator[tuple[str, float, float]]:
    """What is solved and how, the true and the estimated error of u."""
    small, usual = partial(MLP, width=12, depth=2, initialisation="kaiming_uniform"), MLP
    steep = [GaussNewton(60, factorisation="cholesky")]
    features = partial(Staged, stages=[small, partial(RandomFeatures, features=300)], reuse=True)
    corrected = [*steep, GaussNewton(3, stage=2, damping=1e-24)]
    few, many = {"interior": 600, "boundary": 160}, {"interior": 2000, "initial": 1, "walls": 2}
    cases: dict[str, tuple[Equation, Callable[..., nn.Module], list[Phase], dict[str, int] | None]] = {
        "Poisson, Adam 500": (Poisson(), usual, [Adam(500)], None),
        "Poisson, Adam 3000": (Poisson(), usual, [Adam(3000)], None),
        "Poisson, Gauss-Newton 20": (Poisson(), usual, [GaussNewton(20)], few),
        "Poisson, Gauss-Newton 80": (Poisson(), usual, [GaussNewton(80)], few),
        "Poisson, modes 3 and 2, Gauss-Newton 40": (Poisson((3, 2)), usual, [GaussNewton(40)], few),
        "Burgers, ν = 0.1, Adam 500": (ViscousBurgers(0.1), usual, [Adam(500)], None),
        "Burgers, ν = 0.1, Gauss-Newton 30": (ViscousBurgers(0.1), usual, [GaussNewton(30)], None),
        "Burgers, ν = 0.02, Gauss-Newton 60": (
            ViscousBurgers(0.02, 0.1),
            partial(BurgersAnsatz, network=small),
            steep,
            many,
        ),
        "Burgers, ν = 0.02, features": (
            ViscousBurgers(0.02, 0.1),
            partial(BurgersAnsatz, network=features),
            corrected,
            many,
        ),
        "Burgers, ν = 0.01/π, Adam 1000": (ViscousBurgers(), usual, [Adam(1000)], None),
        "Burgers, ν = 0.01/π, Gauss-Newton 60": (ViscousBurgers(), usual, steep, {"interior": 2000}),
    }
    for name, (equation, network, phases, points) in cases.items():
        metrics = pinnlab.solve(equation, network, phases=phases, points=points, seed=seed).metrics
        yield name, metrics["max_error"], metrics["uncertainty_u"]


def main() -> None:
    """Trains, tabulates and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--others", action="store_true", help="other equations, a table alone")
    parser.add_argument("--out", type=Path, default=ROOT / "experiments" / "results" / "error_estimates")
    options = parser.parse_args()
    logging.getLogger("lightning").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    if options.others:
        print("| problem | seed | max error of u | estimate | ratio |\n|---|---|---|---|---|")
        for seed in options.seeds:
            for name, error, estimate in others(seed):
                print(f"| {name} | {seed} | {error:.1e} | {estimate:.1e} | {estimate / error:.2g} |", flush=True)
        return
    tried = []
    print("| profile | seed | error of λ | estimate | max error of U | estimate |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as root:
        for profile in options.profiles:
            for seed in options.seeds:
                tried.append(errors(profile, seed, root))
                cells = " | ".join(f"{error:.1e} | {estimate:.1e}" for error, estimate in tried[-1].values())
                print(f"| {profile} | {seed} | {cells} |", flush=True)
    for name in ("λ", "U"):
        pairs = [each[name] for each in tried if max(each[name]) > ROUNDING]
        if not pairs:
            print(f"{name}: all at rounding, errors at most {max(each[name][0] for each in tried):.1e}")
            continue
        ratios = sorted(estimate / error for error, estimate in pairs)
        within = sum(0.1 <= ratio <= 10 for ratio in ratios)
        print(f"{name}: {within} of {len(pairs)} above rounding within ten, ratios {ratios[0]:.2g} to {ratios[-1]:.2g}")
    draw(tried, options.out.with_suffix(".png"))


def draw(found: list[dict[str, tuple[float, float]]], path: Path) -> None:
    """Estimates against errors, with the lines of a factor of ten."""
    from matplotlib.figure import Figure

    from pinnlab.reporting.style import styled

    with styled():
        figure = Figure(figsize=(8, 4), layout="constrained")
        for axis, name in zip(figure.subplots(1, 2), ("λ", "U"), strict=True):
            pairs = [tuple(max(value, 1e-17) for value in each[name]) for each in found]
            ends = min(map(min, pairs)), max(map(max, pairs))
            for factor, style in ((0.1, ":"), (1, "-"), (10, ":")):
                axis.loglog(ends, [factor * end for end in ends], color="grey", linestyle=style, linewidth=0.8)
            axis.loglog(*zip(*pairs, strict=True), "o", markersize=4)
            axis.set(title=f"error of {name}", xlabel="true", ylabel="estimated without the truth")
        figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main()
