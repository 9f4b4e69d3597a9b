"""Engine against engine on one problem: the same losses, and the time of a training step.

For every profile k the network, points and weights of `configs/self_similar_burgers/paper.yaml` (with the derivative
order 2k + 1) or of `profile_k.yaml`, and as many Adam steps per engine, interleaved: one step of each in turn, in one
process. Printed are the largest relative difference between the engines' losses and the median seconds of a step.

    python experiments/engines.py --protocol paper --profiles 1 2 3 4 --steps 50
    python experiments/engines.py --protocol profile --profiles 1 2 3 4 --steps 50
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from functools import partial

import torch

from pinnlab.collocation import Grid
from pinnlab.engines import NTP, Autograd
from pinnlab.networks import MLP, Even, Taylor
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.residuals import Only, Residuals, Weights
from pinnlab.training import Adam
from pinnlab.training.objective import Objective


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protocol", choices=("paper", "profile"), default="paper")
    parser.add_argument("--profiles", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0, help="bound on each engine's steps per profile")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--lr", type=float, default=1.5e-4)
    options = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(options.threads)
    print("| profile | order | engine | steps | ms a step | ratio to NTP | largest relative difference of the loss |")
    print("|---|---|---|---|---|---|---|")
    for k in options.profiles:
        measure(k, options)


def measure(k: int, options: argparse.Namespace) -> None:
    """One profile: a table row for each engine."""
    torch.manual_seed(0)
    if options.protocol == "paper":
        sobolev = {"interior": Weights([0.3, 0.3]), "origin": Only(2 * k + 1, 0.2)}
        first = Residuals(MLP(1, 1, initialisation="kaiming_uniform"), SelfSimilarBurgers(k), NTP(), sobolev)
        counts = {"interior": 301, "origin": 31, "ends": 2}
    else:
        equation = SelfSimilarBurgers(k, extent=(0.0, 2.0), origin=(0.0, 0.1))
        network = Taylor(
            1, 1, [0.0, -1.0, 0.0], partial(Even, network=partial(MLP, width=20, initialisation="kaiming_uniform"))
        )
        first = Residuals(network, equation, NTP())
        counts = {"interior": 80, "origin": 15, "ends": 2}
    points = {
        name: Grid().sample(constraint.region, counts[name], 0)
        for name, constraint in first.equation.constraints().items()
    }
    engines = {"NTP": NTP(), "NTP, partitions": NTP("faa_di_bruno"), "Autograd": Autograd()}
    phase = Adam(options.steps, lr=options.lr)
    runs = {}
    for name, engine in engines.items():
        residuals = copy.deepcopy(first)
        residuals.engine = engine
        runs[name] = (residuals, phase.optimizer(residuals.parameters()))
    losses: dict[str, list[float]] = {name: [] for name in runs}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for step in range(options.steps):
        for name, (residuals, optimizer) in runs.items():
            if sum(seconds[name]) > options.seconds:
                continue
            started = time.perf_counter()
            losses[name].append(phase.step(optimizer, Objective(residuals, points), step))
            seconds[name].append(time.perf_counter() - started)
    for name in runs:
        pairs = list(zip(losses[name], losses["NTP"], strict=False))
        difference = max(abs(a - b) / b for a, b in pairs)
        ms = {key: 1e3 * statistics.median(seconds[key][: len(pairs)]) for key in (name, "NTP")}
        ratio = ms[name] / ms["NTP"]
        order = max(term.indices.order for term in first.terms.values())
        print(f"| {k} | {order} | {name} | {len(pairs)} | {ms[name]:.1f} | {ratio:.2f} | {difference:.1e} |")


if __name__ == "__main__":
    main()
