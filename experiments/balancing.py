"""Balancing schemes over six problems: relative L2 errors after equal numbers of steps.

All schemes start from the same network and the same points, with every fixed weight 1 (of the self-similar profile the
Sobolev weights of `configs/self_similar_burgers/paper.yaml`), and take the same steps: Adam with a falling learning
rate, then L-BFGS; or, with `--gauss-newton`, Gauss-Newton alone. Printed is a table with the errors after each of the
two phases; all numbers are in results/balancing.csv.

    python experiments/balancing.py                      # some minutes on one core
    python experiments/balancing.py --gauss-newton
    python experiments/balancing.py --problems wave --schemes fixed GradNorm --seeds 0 1 2
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback

import pinnlab
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Box
from pinnlab.networks import MLP
from pinnlab.problems import Poisson, SelfSimilarBurgers, ViscousBurgers
from pinnlab.residuals import Only, Sobolev, Weights
from pinnlab.residuals.balancing import (
    Balancing,
    Causal,
    GradNorm,
    LearningRateAnnealing,
    NeuralTangentKernel,
    ReLoBRaLo,
    ResidualAttention,
    SelfAdaptive,
    SoftAdapt,
)
from pinnlab.training import LBFGS, Adam, GaussNewton, Phase

OUT = Path(__file__).resolve().parent / "results"


class Helmholtz(Equation):
    """Δu + u = f on [−1, 1]², u = 0 on the boundary, u = sin πx · sin 2πy."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        box = Box(x=(-1, 1), y=(-1, 1))
        return {
            "interior": Constraint(box, self.residual, points=300),
            "boundary": Constraint(box.faces("x", "y"), lambda u: u, points=100),
        }

    def residual(self, x, y, u):
        return u.d(x, x) + u.d(y, y) + u - (1 - 5 * math.pi**2) * self.exact(x, y)

    def exact(self, x, y):
        return torch.sin(math.pi * x) * torch.sin(2 * math.pi * y)


class Wave(Equation):
    """u_tt = u_xx on [0, 1]², u = sin πx cos πt + ½ sin 3πx cos 3πt."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 1), x=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t, t) - u.d(x, x), points=300),
            "initial": Constraint(box.face("t", 0), lambda t, x, u: u - self.exact(t, x), points=50),
            "velocity": Constraint(box.face("t", 0), lambda t, u: u.d(t), points=50),
            "walls": Constraint(box.faces("x"), lambda u: u, points=50),
        }

    def exact(self, t, x):
        pi = math.pi
        slow, fast = torch.sin(pi * x) * torch.cos(pi * t), torch.sin(3 * pi * x) * torch.cos(3 * pi * t)
        return slow + fast / 2


class Transport(Equation):
    """u_t + 2 u_x = 0 on [0, 1]², u = sin 2π(x − 2t) at t = 0 and where the flow comes in."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 1), x=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) + 2 * u.d(x), points=300),
            "initial": Constraint(box.face("t", 0), lambda t, x, u: u - self.exact(t, x), points=50),
            "inflow": Constraint(box.face("x", 0), lambda t, x, u: u - self.exact(t, x), points=50),
        }

    def exact(self, t, x):
        return torch.sin(2 * math.pi * (x - 2 * t))


@dataclass(frozen=True)
class Problem:
    """An equation with what is trained of it.

    Attributes:
        equation: Makes it.
        points: Numbers of points, where not the equation's own.
        weights: Fixed weights, where not the equation's own.
        sobolev: Sobolev weights, likewise.
        time: The input that causal weights take for time; None where there is none.
    """

    equation: Callable[[], Equation]
    points: dict[str, int] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    sobolev: dict[str, Sobolev] = field(default_factory=dict)
    time: str | None = None


PROBLEMS = {
    "profile 1": Problem(
        SelfSimilarBurgers,
        {"interior": 301, "origin": 31},
        sobolev={"interior": Weights([0.3, 0.3]), "origin": Only(3, 0.2)},
    ),
    "Poisson (3, 2)": Problem(partial(Poisson, modes=(3, 2)), {"interior": 300}, weights={"boundary": 1.0}),
    "Helmholtz": Problem(Helmholtz),
    "viscous Burgers": Problem(ViscousBurgers, {"interior": 300, "initial": 50, "walls": 50}, time="t"),
    "wave": Problem(Wave, time="t"),
    "transport": Problem(Transport, time="t"),
}

SCHEMES: dict[str, Callable[[Problem], Balancing | None]] = {
    "fixed": lambda problem: None,
    "GradNorm": lambda problem: GradNorm(),
    "LearningRateAnnealing": lambda problem: LearningRateAnnealing(),
    "NeuralTangentKernel": lambda problem: NeuralTangentKernel(),
    "ReLoBRaLo": lambda problem: ReLoBRaLo(),
    "SoftAdapt": lambda problem: SoftAdapt(),
    "SelfAdaptive": lambda problem: SelfAdaptive(),
    "ResidualAttention": lambda problem: ResidualAttention(),
    "Causal": lambda problem: Causal(time=problem.time or ""),
}


class Errors(Callback):
    """The relative L2 error of all outputs on held-out points where each phase ends."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, *rest: Any) -> None:
        if outputs["report"].ended is None:
            return
        equation = module.equation
        points = trainer.datamodule.held_out_batch()["interior"]
        found, exact = module(points), equation.solution(points)
        pairs = [(found[name].detach(), exact[name].value.detach()) for name in equation.outputs]
        error, size = (sum(float(part.square().sum()) for part in parts) for parts in zip(*_gaps(pairs), strict=True))
        self.found.append(math.sqrt(error / size))


def _gaps(pairs: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(found - exact, exact) for found, exact in pairs]


def phases(options: argparse.Namespace) -> list[Phase]:
    """The steps that all schemes take."""
    if options.gauss_newton:
        return [GaussNewton(options.gauss_newton_steps, plateau=None)]
    return [
        Adam(options.steps, lr=options.lr, schedule="exponential"),
        LBFGS(options.lbfgs, inner=20, plateau=None),
    ]


def run(name: str, scheme: str, seed: int, options: argparse.Namespace) -> dict[str, Any] | None:
    """One training; None where the scheme does not apply."""
    problem = PROBLEMS[name]
    if scheme == "Causal" and problem.time is None:
        return None
    errors, started = Errors(), time.perf_counter()
    pinnlab.solve(
        problem.equation(),
        partial(MLP, width=options.width, depth=3),
        phases=phases(options),
        points=problem.points,
        weights=problem.weights or None,
        sobolev=problem.sobolev or None,
        balancing=SCHEMES[scheme](problem),
        seed=seed,
        callbacks=[errors],
        limit_val_batches=0,
        accelerator="cpu",
    )
    seconds = time.perf_counter() - started
    found = {f"error_{number}": error for number, error in enumerate(errors.found, 1)}
    return {"problem": name, "scheme": scheme, "seed": seed, **found, "seconds": round(seconds, 1)}


def table(rows: Sequence[dict[str, Any]], names: Sequence[str], schemes: Sequence[str]) -> str:
    """Schemes against problems: the median over the seeds of the errors after each phase."""
    lines = [f"| scheme | {' | '.join(names)} | seconds |", "|---|" + "---|" * (len(names) + 1)]
    for scheme in schemes:
        cells = []
        for name in names:
            own = [row for row in rows if (row["scheme"], row["problem"]) == (scheme, name)]
            ends = [key for key in (own[0] if own else {}) if key.startswith("error_")]
            medians = [sorted(row[key] for row in own)[len(own) // 2] for key in ends]
            cells.append(", ".join(f"{median:.1e}" for median in medians) or "–")
        spent = sum(row["seconds"] for row in rows if row["scheme"] == scheme)
        lines.append(f"| {scheme} | {' | '.join(cells)} | {spent:.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", choices=list(PROBLEMS), default=list(PROBLEMS))
    parser.add_argument("--schemes", nargs="+", choices=list(SCHEMES), default=list(SCHEMES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=600, help="of Adam")
    parser.add_argument("--lr", type=float, default=5e-3, help="of Adam at first; a hundredth of it at last")
    parser.add_argument("--lbfgs", type=int, default=10, help="steps of L-BFGS, of 20 iterations each")
    parser.add_argument("--gauss-newton", action="store_true", help="Gauss-Newton alone")
    parser.add_argument("--gauss-newton-steps", type=int, default=40)
    parser.add_argument("--width", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT / "balancing.csv")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows: list[dict[str, Any]] = []
    for seed in options.seeds:
        for name in options.problems:
            for scheme in options.schemes:
                row = run(name, scheme, seed, options)
                if row is None:
                    continue
                rows.append(row)
                print(row, flush=True)
                with options.out.open("w", newline="") as file:
                    writer = csv.DictWriter(file, list(rows[0]))
                    writer.writeheader()
                    writer.writerows(rows)
    print(table(rows, options.problems, options.schemes))


if __name__ == "__main__":
    main()
