"""Two processes on two cores against one, one thread each: the same fixed work, a wide network on many points.

Every run is the command line's, on one node with gloo; runs of one and of two processes alternate. The time is that of
the training steps, from each run's summary.

    python experiments/scaling.py [--rounds 3] [--steps 10] [--out experiments/results/scaling]
    python experiments/scaling.py --draw            # the figure alone, from the numbers that are there
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "experiments" / "scaling.yaml"
PHASES = {
    "Adam": "[{class_path: Adam, init_args: {steps: %d}}]",
    "LBFGS": "[{class_path: LBFGS, init_args: {steps: %d, inner: 1, plateau: null}}]",
    "GaussNewton": "[{class_path: GaussNewton, init_args: {steps: %d, plateau: null, factorisation: cholesky}}]",
}
# Gauss-Newton factorises once on every rank, so that it shares out the Jacobian alone: many points, few parameters.
WORK = {
    "Adam": (256, 8192, 1024),
    "LBFGS": (256, 8192, 1024),
    "GaussNewton": (16, 8192, 1024),
}
"""Width of the three hidden layers, points of the interior and at the origin."""


def seconds(phase: str, processes: int, steps: int, folder: Path) -> float:
    """Seconds of all training steps of one run."""
    width, interior, origin = WORK[phase]
    name = f"{phase}-{processes}"
    command = [sys.executable, "-m", "pinnlab", "fit", "--config", str(CONFIG)]
    command += ["--model.network.width", str(width), "--model.phases", PHASES[phase] % steps]
    command += ["--data.points", f"{{interior: {interior}, origin: {origin}}}"]
    command += ["--trainer.devices", str(processes), "--run.root", str(folder), "--run.name", name]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled", "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    summary = json.loads((folder / name / "summary.json").read_text())
    return sum(phase["seconds"] for phase in summary["phases"])


def measure(rounds: int, steps: int, phases: list[str]) -> dict[str, dict[str, list[float]]]:
    """Seconds by phase and number of processes, one entry a round."""
    found: dict[str, dict[str, list[float]]] = {phase: {"1": [], "2": []} for phase in phases}
    for _ in range(rounds):
        for phase in phases:
            with tempfile.TemporaryDirectory() as folder:
                for processes in (1, 2):
                    found[phase][str(processes)].append(seconds(phase, processes, steps, Path(folder)))
            one, two = (found[phase][key][-1] for key in "12")
            print(f"{phase}: {one:.1f} s with one process, {two:.1f} s with two: {two / one:.2f}", flush=True)
    return found


def draw(out: Path) -> None:
    """The figure, from the recorded numbers."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    record = json.loads(out.with_suffix(".json").read_text())["seconds"]
    figure = Figure(figsize=(5, 3), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for i, (phase, times) in enumerate(record.items()):
        ratios = [two / one for one, two in zip(times["1"], times["2"], strict=True)]
        axes.bar(i, statistics.median(ratios), 0.6)
        axes.plot([i] * len(ratios), ratios, "k_", markersize=14)
        axes.text(i, 0.03, f"{phase}\n{statistics.median(ratios):.2f}", ha="center", color="white")
    axes.axhline(0.5, color="grey", linestyle=":", label="half")
    axes.axhline(0.6, color="black", linestyle="--", label="bound")
    axes.set_xticks([])
    axes.set_ylabel("time of two processes / one")
    axes.legend(loc="upper right")
    figure.savefig(out.with_suffix(".png"), dpi=150)


def main() -> None:
    """Measure, record and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--phases", nargs="+", choices=list(PHASES), default=list(PHASES))
    parser.add_argument("--out", type=Path, default=ROOT / "experiments" / "results" / "scaling")
    parser.add_argument("--draw", action="store_true")
    options = parser.parse_args()
    if not options.draw:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        found = measure(options.rounds, options.steps, options.phases)
        machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        text = json.dumps({"machine": machine, "steps": options.steps, "seconds": found}, indent=2)
        options.out.with_suffix(".json").write_text(text + "\n")
    draw(options.out)


if __name__ == "__main__":
    main()
