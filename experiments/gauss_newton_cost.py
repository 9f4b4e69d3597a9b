"""What a Gauss-Newton step costs, on the paper's network and points.

The Jacobian against one loss and its gradient, and a whole accepted step against the factorisation alone, for profile
k of the paper's protocol (3 × 24, 301 + 31 + 2 points). Both quantities of a ratio are measured in turn in each round,
in one process; the ratios are medians of those of the rounds. The steps are those of a training from the start, so
that some take several trials: the median step and the median step of one trial are both given.

    python experiments/gauss_newton_cost.py [--profile 3] [--rounds 40] [--threads 1]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from pinnlab.collocation import Grid
from pinnlab.engines import NTP
from pinnlab.networks import MLP
from pinnlab.optimisers.linear.least_squares import Normal, Orthogonal
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.residuals import Only, Residuals, Weights
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.training import GaussNewton
from pinnlab.training.objective import Objective


def seconds(run: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    equation = SelfSimilarBurgers(options.profile)
    sobolev = {"interior": Weights([0.3, 0.3]), "origin": Only(2 * options.profile + 1, 0.2)}
    residuals = Residuals(MLP(1, 1, 24, 3, initialisation="kaiming_uniform"), equation, NTP(), sobolev)
    counts = {"interior": 301, "origin": 31, "ends": 2}
    points = {
        name: Grid().sample(constraint.region, counts[name], 0) for name, constraint in equation.constraints().items()
    }

    def loss_and_gradient() -> None:
        residuals.zero_grad()
        residuals.loss(residuals(points)).backward()

    def linearised() -> Linearisation:
        trained = {name: p.detach() for name, p in residuals.named_parameters() if p.requires_grad}
        return Linearisation(residuals, trained, points)

    jacobian = linearised().jacobian().dense()
    print(f"{jacobian.shape[0]} rows, {jacobian.shape[1]} parameters, {options.threads} threads")
    times: dict[str, list[float]] = {"loss and gradient": [], "Jacobian": []}
    for _ in range(options.rounds):
        times["loss and gradient"].append(seconds(loss_and_gradient))
        # the residuals, which a step has already, are part of it here as they are of loss and gradient
        times["Jacobian"].append(seconds(lambda: linearised().jacobian().dense()))
    report("Jacobian", times["Jacobian"], "loss and gradient", times["loss and gradient"])
    weights = {name: value.clone() for name, value in residuals.state_dict().items()}
    for name, factorisation in (("cholesky", Normal), ("qr", Orthogonal)):
        residuals.load_state_dict(weights)
        phase = GaussNewton(options.rounds, factorisation=name)
        optimizer = phase.optimizer(residuals.parameters())
        steps, factors, single = [], [], []
        for step in range(options.rounds):
            objective = Objective(residuals, points)
            steps.append(seconds(lambda: phase.step(optimizer, objective, step)))  # noqa: B023
            factors.append(seconds(lambda: factorisation(jacobian).damped(1e-3)))  # noqa: B023
            # a step of one trial linearises where it arrives and for each correction
            if objective.evaluations <= 1 + phase.corrections:
                single.append((steps[-1], factors[-1]))
        report(f"step ({name})", steps, "factorisation", factors)
        if single:
            report(f"step of one trial ({name}, {len(single)} of {len(steps)})", *zip_named(single))


def zip_named(pairs: list[tuple[float, float]]) -> tuple[list[float], str, list[float]]:
    """Two columns of a list of pairs, the second with its name before it."""
    return [a for a, _ in pairs], "factorisation", [b for _, b in pairs]


def report(name: str, times: list[float], other: str, others: list[float]) -> None:
    """One line: both medians, and the median ratio."""
    ratio = statistics.median(a / b for a, b in zip(times, others, strict=True))
    print(
        f"{name}: {1e3 * statistics.median(times):.1f} ms; {other}: {1e3 * statistics.median(others):.1f} ms; "
        f"ratio {ratio:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
