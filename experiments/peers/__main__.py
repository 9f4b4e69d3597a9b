"""Eight examples of DeepXDE at their own settings, and by `pinnlab.solve(equation, tol=…)` alone: rows of errors.

Both in float64, with the same seed and one thread, and each run in a process of its own. DeepXDE's errors are followed
along its training, whose clock stands still for that and for its set-up; pinnlab's seconds are those of the whole
solve. Rows that the file has already are not run again: the script may be stopped, and run by parts.

    python -m experiments.peers [NAME …] [--cap 300] [--seed 0] [--out FILE]
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch

import pinnlab
from experiments.peers.examples import EXAMPLES, TOL, Example
from experiments.peers.watch import Mark, Watch
from experiments.tolerance.rows import RESULTS, Table, named, printed, scientific

COLUMNS = ("example", "program", "l2", "error", "unknown", "seconds", "ended", "estimate", "curve")
"""`curve` has the seconds and the relative L2 error of each look, as "0.5:0.9 1:0.8"."""
KEY, TABLE = ("example", "program"), RESULTS / "peers.csv"
DEEPXDE = "DeepXDE"
LOOSE = 1e-3
"""A tolerance beside `TOL`, for the seconds to an error that is not as small."""


def main() -> None:
    """Runs what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="some of the examples; all by default")
    parser.add_argument("--cap", type=float, default=300.0, help="seconds after which a run is ended")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = named(parser, options.names, EXAMPLES)
    if options.one:
        torch.set_num_threads(1)
        example = EXAMPLES[names[0]]
        row = theirs(example, options) if options.one == DEEPXDE else ours(example, float(options.one), options)
        printed({"example": names[0], **row})
        return
    table = Table(options.out, COLUMNS, KEY)
    for name in names:
        for program, which in ({f"pinnlab {tol:.0e}": str(tol) for tol in (TOL, LOOSE)} | {DEEPXDE: DEEPXDE}).items():
            arguments = [name, "--one", which, "--cap", str(options.cap), "--seed", str(options.seed)]
            table.measure("experiments.peers", (name, program), arguments)


def ours(example: Example, tol: float, options: argparse.Namespace) -> dict[str, object]:
    """A solve to a tolerance, and its errors."""
    problem = example.problem
    began = time.perf_counter()
    solution = pinnlab.solve(problem.equation(), tol=tol, time_limit=options.cap, seed=options.seed)
    seconds = time.perf_counter() - began
    judged, end = problem.judged(solution), solution.ending
    assert end is not None
    until = "" if end.until is None else f", found up to {end.until:.4g}"
    return {
        "program": f"pinnlab {tol:.0e}", "l2": scientific(judged.l2), "error": scientific(judged.error),
        "unknown": scientific(judged.unknown), "seconds": f"{seconds:.2f}",
        "ended": "reached" if end.reached else f"{end.reason}{until}", "estimate": scientific(end.error), "curve": "",
    }  # fmt: skip


def theirs(example: Example, options: argparse.Namespace) -> dict[str, object]:
    """A training by DeepXDE, and its errors on the way."""
    from experiments.peers import trainings

    trainings.prepared(options.seed)
    peer = getattr(trainings, example.training)()
    problem, inputs = example.problem, example.inputs()
    truth = problem.truth(problem.points())

    def errors() -> tuple[float, float, float]:
        found = peer.model.predict(inputs)
        values = {name: np.asarray(found[:, i]) for i, name in enumerate(truth)}
        pairs = zip(peer.unknowns, problem.unknowns.values(), strict=True)
        unknown = max((abs(number.item() - true) / abs(true) for number, true in pairs), default=math.nan)
        return max(problem.relative_l2(values, truth).values()), problem.worst(values, truth), unknown

    watch = Watch(errors, options.cap)
    ended = peer.train(watch)
    last: Mark = watch.marks[-1]
    return {
        "program": DEEPXDE, "l2": scientific(last.l2), "error": scientific(last.error),
        "unknown": "" if math.isnan(last.unknown) else scientific(last.unknown), "seconds": f"{last.seconds:.2f}",
        "ended": ended, "estimate": "", "curve": " ".join(f"{mark.seconds:.2f}:{mark.l2:.3e}" for mark in watch.marks),
    }  # fmt: skip


if __name__ == "__main__":
    main()
