"""Self-similar Burgers profiles from their configurations, one command each: λ and U against the exact solution.

Runs `python -m pinnlab fit --config configs/self_similar_burgers/profile_k.yaml` for every profile and seed, one after
the other, and writes a table beside the published figures. The estimate is the run's own of λ's error, from the
residual on held-out points without the truth; over several seeds it is λ's standard deviation.

    python experiments/burgers_profiles.py --profiles 1 2 3 4 --seeds 0 --out runs/profiles
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

PAPER = {1: (8.5e-7, 7.5e-7, 1293), 2: (9.9e-6, 4.3e-6, 1716), 3: (1.7e-3, 1.1e-3, 2750), 4: (1.8e-2, 1.3e-2, 4914)}
"""Published by profile: error of λ, max error of U, seconds on an A6000 (Chickering 2024, its result files)."""


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("runs/profiles"))
    parser.add_argument("options", nargs="*", help="further options of fit, after --")
    options = parser.parse_args()
    header = "| profile | seed | λ | error of λ | estimate | max error of U | loss | steps | seconds | paper: λ, U, s |"
    print(header, "|---|---|---|---|---|---|---|---|---|---|", sep="\n", flush=True)
    for k in options.profiles:
        values = [one(k, seed, options) for seed in options.seeds]
        if len(values) > 1:
            spread = statistics.stdev(values)
            print(
                f"| {k} | all | {statistics.median(values):.14f} | | {spread:.1e} (over seeds) | | | | | |", flush=True
            )
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\nPeak memory of the largest run: {megabytes:.0f} MB")


def one(k: int, seed: int, options: argparse.Namespace) -> float:
    """One run; prints its row and returns λ."""
    name = f"profile_{k}-seed_{seed}"
    config = Path(__file__).parents[1] / "configs" / "self_similar_burgers" / f"profile_{k}.yaml"
    command = [sys.executable, "-m", "pinnlab", "fit", "--config", str(config), "--seed_everything", str(seed)]
    command += ["--run.root", str(options.out), "--run.name", name, *options.options]
    environment = {"WANDB_MODE": "disabled"} | os.environ
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    summary = json.loads((options.out / name / "summary.json").read_text())
    lam, metrics = summary["unknowns"]["lam"], summary["metrics"]
    steps = sum(phase["steps"] for phase in summary["phases"])
    paper = "{:.1e}, {:.1e}, {}".format(*PAPER[k]) if k in PAPER else ""
    print(
        f"| {k} | {seed} | {lam['value']:.14f} | {abs(lam['error']):.1e} | "
        f"{metrics['uncertainty_lam']:.1e} | {metrics['max_error']:.1e} | "
        f"{metrics['loss']:.1e} | {steps} | {summary['seconds']:.0f} | {paper} |",
        flush=True,
    )
    return float(lam["value"])


if __name__ == "__main__":
    main()
