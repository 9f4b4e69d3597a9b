"""Seconds to the answer: engine against engine, and against the published protocol.

For every profile its own configuration, with the same seed, points and Gauss-Newton phases, under NTP and under
Autograd; and the paper's network, points and optimisers (Adam, then L-BFGS) for the same profile under NTP. Runs are
the command line's, one after the other, each ended after a bounded time. Written are a table (seconds of a training
step, of Gauss-Newton over the first 20, and of all steps until |λ − 1/(2k)| stays below 1e-4) and the error of λ
against seconds as a figure.
The published protocol has a bound of its own: it takes its time.

    python experiments/time_to_answer.py [--profiles 1 2 3 4] [--bound 150] [--paper-bound 600] [--out PREFIX]
    python experiments/time_to_answer.py --runs runs/answers --draw     # table and figure alone, from finished runs
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "configs" / "self_similar_burgers"
GOAL = 1e-4
LABELS = {"NTP": "Gauss-Newton, NTP", "Autograd": "Gauss-Newton, Autograd", "paper": "Adam, L-BFGS, NTP (published)"}


def command(k: int, kind: str) -> list[str]:
    """The options of one run."""
    if kind != "paper":
        config = str(CONFIGS / f"profile_{k}.yaml")
        return ["--config", config, "--model.engine", kind]
    options = ["--config", str(CONFIGS / "paper.yaml"), "--model.equation.init_args.profile", str(k)]
    return [*options, "--model.sobolev.origin.init_args.order", str(2 * k + 1)]


def bound(kind: str, options: argparse.Namespace) -> float:
    """The seconds after which a run is ended."""
    return options.paper_bound if kind == "paper" else options.bound


def run(k: int, kind: str, options: argparse.Namespace) -> None:
    """One run, ended after the bounded time of its process."""
    arguments = [*command(k, kind), "--run.root", str(options.runs), "--run.name", f"{k}-{kind}"]
    whole = [sys.executable, "-m", "pinnlab", "fit", *arguments, "--trainer.log_every_n_steps", "5"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(whole, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            _, errors = process.communicate(timeout=bound(kind, options))
            if process.returncode:
                raise SystemExit(errors.decode())
        # the record has every row that is done; a step of nested differentiation may last longer than the bound
        process.kill()


def history(folder: Path) -> tuple[list[float], list[float], list[int]]:
    """Seconds, λ and step of every logged row; empty where no step was done."""
    path = folder / "metrics.csv"
    if not path.exists():
        return [], [], []
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("lam")]
    return [float(r["seconds"]) for r in rows], [float(r["lam"]) for r in rows], [int(r["step"]) for r in rows]


def reached(seconds: list[float], errors: list[float]) -> float | None:
    """The first of the seconds from which all errors are below the goal."""
    last = max((i for i, error in enumerate(errors) if error > GOAL), default=-1)
    return seconds[last + 1] if last + 1 < len(seconds) else None


def main() -> None:
    """Runs, tabulates and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--kinds", nargs="+", choices=list(LABELS), default=list(LABELS))
    parser.add_argument("--bound", type=float, default=150.0, help="seconds after which a run is ended")
    parser.add_argument("--paper-bound", type=float, default=600.0, help="the same for the published protocol")
    parser.add_argument("--runs", type=Path, default=Path("runs/answers"))
    parser.add_argument("--out", type=Path, default=ROOT / "experiments" / "results" / "time_to_answer")
    parser.add_argument("--draw", action="store_true")
    options = parser.parse_args()
    if not options.draw:
        for kind in options.kinds:
            for k in options.profiles:
                run(k, kind, options)
    table(options)


def table(options: argparse.Namespace) -> None:
    """Prints the table and draws the figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    across = len(options.profiles)
    figure, axes = plt.subplots(1, across, figsize=(3.6 * across, 3.6), squeeze=False, layout="constrained")
    print("| profile | run | s a step | s to error of λ ≤ 1e-4 | last error | at s |\n|---|---|---|---|---|---|")
    for k, axis in zip(options.profiles, axes[0], strict=True):
        for kind in options.kinds:
            seconds, values, steps = history(options.runs / f"{k}-{kind}")
            errors = [abs(value - 1 / (2 * k)) for value in values]
            axis.loglog(seconds[1:], errors[1:], ".-", label=LABELS[kind])
            if not steps or not steps[-1]:
                print(f"| {k} | {LABELS[kind]} | more than {bound(kind, options):g} | not finished | – | – |")
                continue
            when = reached(seconds, errors)
            ended = (options.runs / f"{k}-{kind}" / "solution.npz").exists()
            never = "not reached at its end" if ended else f"not reached in {bound(kind, options):g} s"
            found = f"{when:.2f}" if when is not None else never
            early = max(i for i, step in enumerate(steps) if kind == "paper" or step <= 20)
            rate = seconds[early] / max(steps[early], 1)
            print(f"| {k} | {LABELS[kind]} | {rate:.3g} | {found} | {errors[-1]:.1e} | {seconds[-1]:.1f} |")
        axis.axhline(GOAL, color="k", linestyle=":", linewidth=1)
        axis.set_title(f"profile {k}")
        axis.set_xlabel("seconds of training")
    axes[0][0].set_ylabel("error of λ")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=len(options.kinds))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out.with_suffix(".png"), dpi=110)


if __name__ == "__main__":
    main()
