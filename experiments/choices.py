"""What a network, its points and its phases do to the error: one choice is changed at a time.

Three equations of the catalogue: an oscillator of three swings, Poisson's equation with two waves along each side, and
Burgers' equation with ν = 0.05. The base is a tanh network of 2 layers of 20 that sees its inputs scaled to [−1, 1],
300 points of the equation and 40 steps of Gauss-Newton. The start of the oscillator has the weight 1e4, the boundary of
Poisson's equation its own weight 100, and the conditions of Burgers' equation 1. Printed is the median of the relative
L2 errors over the seeds at points that training has not seen.

    python experiments/choices.py                       # all, some minutes on one core
    python experiments/choices.py --tables phases --problems Poisson --seeds 0
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import pinnlab
from pinnlab.equations import Equation
from pinnlab.networks import MLP, RandomFeatures, Rescaled, Staged
from pinnlab.problems import HarmonicOscillator, Poisson, ViscousBurgers
from pinnlab.training import LBFGS, Adam, GaussNewton, Phase, SSBroyden


@dataclass(frozen=True)
class Problem:
    """An equation, the corners of its region, and the points of its conditions.

    Attributes:
        equation: Makes the equation.
        interior: The name of the constraint whose number of points is varied.
        conditions: Points of the other constraints.
        low: The lower corner of the region.
        high: The upper corner.
        weights: Weights of the conditions in place of the equation's own.
    """

    equation: Callable[[], Equation]
    interior: str
    conditions: Mapping[str, int]
    low: Sequence[float]
    high: Sequence[float]
    weights: Mapping[str, float] = field(default_factory=dict)


PROBLEMS = {
    "oscillator": Problem(HarmonicOscillator, "ode", {"start": 1}, [0.0], [1.0], {"start": 1e4}),
    "Poisson": Problem(partial(Poisson, modes=(2, 2)), "interior", {"boundary": 120}, [0.0, 0.0], [1.0, 1.0]),
    "Burgers": Problem(
        partial(ViscousBurgers, viscosity=0.05), "interior", {"initial": 60, "walls": 60}, [0.0, -1.0], [1.0, 1.0]
    ),
}


@dataclass(frozen=True)
class Choice:
    """What is chosen.

    Attributes:
        depth: Hidden layers.
        width: Their width.
        activation: Their activation.
        points: Points of the equation.
        phases: The optimisers.
        rescaled: Whether the network sees its inputs scaled to [−1, 1].
        features: Fixed features of a second stage; none if 0.
        weights: Whether the problem's weights of the conditions are used; all weights are 1 otherwise.
        hard: Whether the conditions are built into the network.
    """

    depth: int = 2
    width: int = 20
    activation: str = "tanh"
    points: int = 300
    phases: Sequence[Phase] = field(default_factory=lambda: [GaussNewton(40)])
    rescaled: bool = True
    features: int = 0
    weights: bool = True
    hard: bool = False

    def network(self, problem: Problem) -> Callable[..., object]:
        """The network, as `solve` takes it."""
        network = partial(MLP, depth=self.depth, width=self.width, activation=self.activation)
        if self.features:
            network = partial(Staged, stages=[network, partial(RandomFeatures, features=self.features)], reuse=True)
        return partial(Rescaled, low=problem.low, high=problem.high, network=network) if self.rescaled else network

    def error(self, problem: Problem, seed: int) -> float:
        """The relative L2 error after one training."""
        solution = pinnlab.solve(
            problem.equation(),
            self.network(problem),
            phases=list(self.phases),
            points={problem.interior: self.points, **problem.conditions},
            weights=dict(problem.weights) if self.weights else dict.fromkeys(problem.conditions, 1.0),
            hard=self.hard,
            seed=seed,
        )
        return float(solution.metrics["relative_l2"])


BASE = Choice()
TABLES: dict[str, dict[str, Choice]] = {
    "phases": {
        "Adam 1000": replace(BASE, phases=[Adam(1000, lr=5e-3, schedule="exponential")]),
        "Adam 300, L-BFGS 700": replace(BASE, phases=[Adam(300, lr=5e-3), LBFGS(35, plateau=None)]),
        "Adam 300, SSBroyden 700": replace(BASE, phases=[Adam(300, lr=5e-3), SSBroyden(35, plateau=None)]),
        "Gauss-Newton 40": BASE,
        "Gauss-Newton 40, then 200 features": replace(
            BASE, features=200, phases=[GaussNewton(40), GaussNewton(6, stage=2, damping=1e-20)]
        ),
    },
    "network": {
        f"{depth} × {width}": replace(BASE, depth=depth, width=width)
        for depth, width in ((1, 20), (1, 100), (2, 10), (2, 20), (3, 20), (4, 20))
    },
    "activation": {name: replace(BASE, activation=name) for name in ("tanh", "sin", "gelu", "gaussian")},
    "points": {str(points): replace(BASE, points=points) for points in (50, 150, 300, 600)},
    "conditions": {
        "weight 1": replace(BASE, weights=False),
        "with a weight": BASE,
        "built in": replace(BASE, hard=True),
    },
    "inputs": {"scaled to [−1, 1]": BASE, "as they are": replace(BASE, rescaled=False)},
}


def main() -> None:
    """Prints a table for each choice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    known: dict[tuple[str, Choice | str], float] = {}
    for table in options.tables:
        print(f"\n| {table} | {' | '.join(options.problems)} |\n|---|{'---|' * len(options.problems)}", flush=True)
        for name, choice in TABLES[table].items():
            cells = []
            for title in options.problems:
                problem = PROBLEMS[title]
                key = (title, "base" if choice == BASE else f"{table} {name}")
                if key not in known:
                    known[key] = statistics.median(choice.error(problem, seed) for seed in options.seeds)
                cells.append(f"{known[key]:.1e}")
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
