"""Draws the pictures of docs/explanation/ and of the README, from what is measured or computed here.

python experiments/explanations.py                # all
python experiments/explanations.py windows jets   # some
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

import pinnlab
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Box
from pinnlab.networks import MLP
from pinnlab.problems import Pendulum, Poisson
from pinnlab.reporting.figures.style import FOUND, OTHERS, styled
from pinnlab.training import Adam, GaussNewton

ROOT = Path(__file__).resolve().parents[1]
RESULTS, OUT = ROOT / "experiments" / "results", ROOT / "docs" / "explanation"


def jets() -> Figure:
    """The cost of n derivatives against n, as `derivative_cost.py` measured it."""
    with (RESULTS / "derivative_cost.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["width"], row["batch"]) == ("24", "256")]
    figure = Figure((4.6, 3.0))
    axes = figure.subplots()
    for engine, label in (("Autograd", "nested differentiation"), ("NTP", "one pass on jets")):
        points = sorted((int(row["order"]), float(row["over_floor"])) for row in rows if row["engine"] == engine)
        axes.semilogy(*zip(*points, strict=True), "o-", label=label)
    axes.set(xlabel="order n", ylabel="time / time of the matrix products", title="value, n derivatives and gradient")
    axes.legend()
    return figure


def gauss_newton() -> Figure:
    """The loss of one network under Adam and under Gauss-Newton."""
    figure = Figure((4.6, 3.0))
    axes = figure.subplots()
    for phase, label in ((Adam(1000, lr=5e-3), "Adam"), (GaussNewton(40), "Gauss-Newton")):
        solution = pinnlab.solve(
            Poisson(), partial(MLP, depth=2, width=10), phases=[phase], points={"interior": 150, "boundary": 60}
        )
        axes.loglog(solution.history["step"], solution.history["loss"], label=label)
    axes.set(xlabel="step", ylabel="loss ‖r‖²", title="Poisson's equation, 151 weights, the same start")
    axes.legend()
    return figure


def variable_projection() -> Figure:
    """The loss of p e^{−θx} over (θ, p), the valley p(θ), and the loss along it."""
    x = np.linspace(0, 2, 21)
    y = 2 * np.exp(-1.3 * x)
    theta, p = np.linspace(0.1, 3, 120), np.linspace(0, 4, 120)
    shape = np.exp(-theta[:, None] * x)
    best = (shape @ y) / (shape**2).sum(1)

    def loss(factor: np.ndarray) -> np.ndarray:
        return ((factor[..., None] * shape - y) ** 2).sum(-1)

    figure = Figure((7.0, 2.8))
    left, right = figure.subplots(1, 2)
    surface = np.log10(np.stack([loss(np.full(len(theta), value)) for value in p]) + 1e-6)
    left.contourf(theta, p, surface, levels=14, cmap="cividis")
    left.plot(theta, best, color="white", label="p(θ)")
    left.legend(labelcolor="white")
    left.set(xlabel="θ", ylabel="p", title="log₁₀ of the loss")
    right.semilogy(theta, loss(np.full(len(theta), 1.0)), color=OTHERS[0], label="p fixed at 1")
    right.semilogy(theta, loss(best) + 1e-6, color=FOUND, label="p = p(θ)")
    right.set(xlabel="θ", ylabel="loss", title="what the optimiser of θ sees")
    right.legend()
    return figure


def error_estimates() -> Figure:
    """Estimated against true relative errors of the solves that `experiments.tolerance` and the catalogue measured."""
    pairs = []
    for name in ("tolerance.csv", "tolerance_judgement.csv"):
        with (RESULTS / name).open(encoding="utf-8") as file:
            pairs += [(float(row["error"]), float(row["estimate"])) for row in csv.DictReader(file) if row["estimate"]]
    error, estimate = np.array([pair for pair in pairs if np.isfinite(pair).all()]).T
    figure = Figure((3.8, 3.4))
    axes = figure.subplots()
    ends = np.array([1e-14, 1.0])
    axes.loglog(ends, ends, color="black", linewidth=0.8, label="estimate = error")
    axes.loglog(error, estimate, "o", color=FOUND, markersize=4, alpha=0.7)
    axes.set(xlabel="true relative error", ylabel="estimate", title=f"{len(error)} solves")
    axes.legend(loc="lower right")
    return figure


def windows() -> Figure:
    """A pendulum and its windows: the solution, and the error of each attempt over its window."""
    solution = pinnlab.solve(Pendulum(), tol=1e-8)
    end, history = float(solution.history["solve/end"].max()), solution.history
    figure = Figure((7.0, 3.4))
    above, below = figure.subplots(2, 1, sharex=True)
    t = np.linspace(0, end, 600)
    above.plot(t, solution(t=t))
    above.set(ylabel="angle")
    for begin, until, error, accepted in zip(
        *(history[f"solve/{name}"] for name in ("begin", "end", "error", "accepted")), strict=True
    ):
        color = FOUND if accepted else OTHERS[0]
        below.semilogy([begin, until], [error, error], "|-", color=color)
        if accepted:
            above.axvline(until, color="grey", linewidth=0.5)
    below.axhline(1e-8, color="black", linewidth=0.8, linestyle="--")
    below.set(xlabel="t", ylabel="error of an attempt", title="blue: accepted; red: too large; dashed: tol")
    return figure


class SineGordon(Equation):
    """The equation on the README's first screen."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the walls."""
        box = Box(t=(0, 1), x=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t, t) - u.d(x, x) + torch.sin(u)),
            "start": Constraint(box.face("t", 0), lambda t, x, u: (u - torch.sin(torch.pi * x), u.d(t))),
            "walls": Constraint(box.faces("x"), lambda u: u),
        }


FIGURES: dict[str, Callable[[], Figure]] = {
    "jets": jets,
    "gauss-newton": gauss_newton,
    "variable-projection": variable_projection,
    "error-estimates": error_estimates,
    "windows": windows,
}


def main() -> None:
    """Reads the command line, and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"{', '.join(FIGURES)}, sine-gordon; all by default")
    options = parser.parse_args()
    for name in options.names or [*FIGURES, "sine-gordon"]:
        if name == "sine-gordon":
            drawn = pinnlab.solve(SineGordon(), tol=1e-10).plot()
            drawn.suptitle("SineGordon, tol 1e-10 reached")  # without the seconds of this machine
            drawn.savefig(ROOT / "docs" / "sine_gordon.png")
            continue
        with styled():
            FIGURES[name]().savefig(OUT / f"{name}.png", dpi=110)


if __name__ == "__main__":
    main()
