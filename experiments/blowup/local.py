"""Finds the profiles of local equations with all their unknown numbers: one row for each profile.

A rung of a ladder is named by an interval for its unknowns, which is all that a solve knows of them. Each profile is
found by solves with other features and points, and in another coordinate (another length ℓ); for Burgers' profiles,
which have no such length, by other networks. `intervals` makes one interval of them. Rows that the file has are not run
again: the script may be stopped, and run by parts.

    python -m experiments.blowup.local [NAME …] [--threads 1] [--out FILE]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

import pinnlab
from experiments.blowup.intervals import interval
from experiments.tolerance.rows import RESULTS, Table, named, scientific
from pinnlab import Solution
from pinnlab.collocation import Grid
from pinnlab.equations import Equation
from pinnlab.networks import MLP, RandomFeatures, Staged, Taylor
from pinnlab.problems import BurgersUpdate, KellerSegel, SchrodingerProfile, SemilinearHeat
from pinnlab.training import GaussNewton, Plateau

TABLE = RESULTS / "blowup_local.csv"
EACH = ("unknown", "value", "half", "truth", "error", "published", "meets")
COLUMNS = ("profile", *EACH, *(f"{name}_2" for name in EACH), "residual", "solves", "status", "seconds")
"""An unknown has its interval, the value by shooting or exact, the error against it, and a published enclosure."""

Solve = Callable[[], Solution]


@dataclass(frozen=True)
class Rung:
    """A profile.

    Attributes:
        solves: Several ways to it.
        published: Published enclosures by unknown.
    """

    solves: tuple[Solve, ...]
    published: dict[str, tuple[float, float]]


def to_tolerance(build: Callable[[float], Equation], length: float) -> tuple[Solve, ...]:
    """Solves with two lengths ℓ and two seeds."""

    def solve(factor: float, seed: int) -> Solution:
        return pinnlab.solve(build(factor * length), tol=1e-10, seed=seed, time_limit=LIMIT)

    return partial(solve, 1.0, 0), partial(solve, 1.3, 1)


LIMIT = 100.0
"""Seconds for one solve."""


def burgers(profile: int) -> tuple[Solve, ...]:
    """Trainings as in configs/blowup/burgers_update.yaml with other seeds and features."""

    def solve(seed: int, features: int) -> Solution:
        stages = [partial(MLP, depth=2, width=16), partial(RandomFeatures, features=features, scale=3.0)]
        network = partial(Taylor, coefficients=[1.0], network=partial(Staged, reuse=True, stages=stages))
        shape = GaussNewton(60, freeze=60, weights={"origin": 1e-4}, plateau=Plateau(steps=15, decrease=0.5))
        last = GaussNewton(30, stage=2, damping=1e-15, plateau=Plateau(steps=4, decrease=0.1))
        return pinnlab.solve(
            BurgersUpdate(profile), network, phases=[shape, last], points={"profile": 120}, sampler=Grid(), seed=seed
        )

    return partial(solve, 0, 150), partial(solve, 1, 120)


PROVED = {
    "schrodinger_1d_1": {"mu": (1.232037502, 1.232037549), "kappa": (0.85310870, 0.85310897)},
    "schrodinger_1d_2": {"mu": (0.7830765, 0.7830777), "kappa": (0.4932224, 0.4932233)},
    "schrodinger_1d_3": {"mu": (1.1238411, 1.1238444), "kappa": (0.3467529, 0.3467544)},
    "schrodinger_1d_4": {"mu": (0.883873, 0.883882), "kappa": (0.266758, 0.266761)},
    "schrodinger_3d_1": {"mu": (1.8856567, 1.8856573), "kappa": (0.9173559, 0.9173563)},
    "schrodinger_3d_2": {"mu": (0.839957, 0.839962), "kappa": (0.321239, 0.321241)},
}
"""Dahne & Figueras 2024, arXiv 2410.05480: the enclosures as the notebooks of their proof print them."""


def rungs() -> dict[str, Callable[[], Rung]]:
    """All profiles by name; their equations are built where they are solved, for each computes its truth."""
    found: dict[str, Callable[[], Rung]] = {}
    for k in range(1, 5):
        exact = {"gamma": (1 / (2 * k), 1 / (2 * k))}
        found[f"burgers_{k}"] = partial(lambda k, exact: Rung(burgers(k), exact), k, exact)
    for kind, name, count in ((KellerSegel, "keller_segel", 3), (SemilinearHeat, "heat", 2)):
        for k in range(1, count + 1):
            found[f"{name}_{k}"] = partial(_laddered, partial(kind, k), f"{name}_{k}")
    for dimension, count in ((1, 4), (3, 3)):
        for k in range(1, count + 1):
            name = f"schrodinger_{dimension}d_{k}"
            found[name] = partial(_laddered, partial(SchrodingerProfile, k, dimension), name)
    return found


def _laddered(build: Callable[..., Equation], name: str) -> Rung:
    length = build().length
    assert isinstance(length, float)
    return Rung(to_tolerance(lambda length: build(length=length), length), PROVED.get(name, {}))


def measured(name: str, rung: Rung) -> dict[str, object]:
    """All solves of a profile, and their row."""
    began = time.perf_counter()
    solutions = [solve() for solve in rung.solves]
    row: dict[str, object] = dict.fromkeys(COLUMNS, "")
    for number, (unknown, known) in enumerate(solutions[0].model.equation.unknowns().items()):
        found = interval(
            [solution.unknowns[unknown] for solution in solutions],
            [solution.metrics[f"uncertainty_{unknown}"] for solution in solutions],
        )
        row |= dict(
            zip(
                EACH if not number else [f"{column}_2" for column in EACH],
                (
                    unknown, repr(found.value), scientific(found.half), repr(known.truth),
                    scientific(abs(found.value - known.truth)),
                    " to ".join(map(repr, rung.published.get(unknown, ()))),
                    found.meets(*rung.published[unknown]) if unknown in rung.published else "",
                ),
                strict=True,
            )
        )  # fmt: skip
    ends = [solution.ending for solution in solutions]
    status = ", ".join("finished" if end is None else "reached" if end.reached else end.reason for end in ends)
    # a solve to a tolerance records none
    residuals = [value for solution in solutions if (value := solution.metrics.get("residual_profile")) is not None]
    return row | {
        "profile": name, "residual": scientific(max(residuals, default=None)), "solves": len(solutions),
        "status": status, "seconds": f"{time.perf_counter() - began:.0f}",
    }  # fmt: skip


def main() -> None:
    """Runs what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="some of the profiles, as heat_2; all by default")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    known = rungs()
    torch.set_num_threads(options.threads)
    table = Table(options.out, COLUMNS, ("profile",))
    for name in named(parser, options.names, known):
        if table.find(name) is None:
            table.add(measured(name, known[name]()))


if __name__ == "__main__":
    main()
