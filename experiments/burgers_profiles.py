"""Self-similar Burgers profiles from their configurations: λ, U and its derivatives against the exact solution.

Runs `python -m pinnlab fit --config configs/self_similar_burgers/profile_k.yaml` for every profile, engine and seed,
one after the other, each ended after a bounded time. Written are a table beside the published figures (all columns as
CSV) and a figure per profile: U, …, U^(2k+1) on [−2, 2], their errors beneath, λ and the loss against steps, from the
first run that finished. Errors of U and of its derivatives are relative to the largest exact value. The estimates are
the run's own of the errors of λ and U, from the residual on held-out points without the truth; over several seeds that
of λ is its standard deviation. Peak memory is that of the run's own process. A run that did not finish shows its last
logged row.

    python experiments/burgers_profiles.py --profiles 1 2 3 4 --seeds 0 1 2 --engines NTP Autograd --bound 300
    python experiments/burgers_profiles.py --profiles 1 --seeds 0 -- --model.phases.1.steps 100   # options of fit
    python experiments/burgers_profiles.py --profiles 1 2 3 4 --seeds 0 1 2 --draw     # from runs that are there
"""

# numpy and torch are imported after the runs: Linux counts the memory of a parent into the peak of its child
from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import math
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

Row = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
PAPER = {1: (8.5e-7, 7.5e-7, 1293), 2: (9.9e-6, 4.3e-6, 1716), 3: (1.7e-3, 1.1e-3, 2750), 4: (1.8e-2, 1.3e-2, 4914)}
"""Published by profile: error of λ, max error of U, seconds on an A6000 (Chickering 2024, its result files)."""

TABLE = {
    **{name: (name, "") for name in ("profile", "engine", "seed", "end")},
    **{"λ": ("lam", ".14f"), "error of λ": ("error_lam", ".1e"), "estimate": ("uncertainty_lam", ".1e")},
    **{"max error of U": ("error_U_0", ".1e"), "estimate of that": ("uncertainty_U", ".1e")},
    **{"of its derivatives": ("error_worst", "")},
    **{"residual": ("residual_interior", ".1e"), "in higher precision": ("residual_interior_precise", ".1e")},
    **{"loss": ("loss", ".1e"), "steps": ("steps", ""), "s training": ("seconds", ".1f")},
    **{"s in all": ("wall_seconds", ".1f"), "MB": ("peak_megabytes", ".0f"), "paper: λ, U, s": ("paper", "")},
}
"""The printed table: headings, and which column is written under them in which format."""


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--engines", nargs="+", choices=["NTP", "Autograd"], default=["NTP"])
    parser.add_argument("--bound", type=float, default=300.0, help="seconds after which a run's process is ended")
    parser.add_argument("--out", type=Path, default=Path("runs/profiles"), help="the folder of the runs")
    parser.add_argument("--results", type=Path, default=ROOT / "experiments" / "results" / "profiles", metavar="PREFIX")
    parser.add_argument("--draw", action="store_true", help="table and figures alone, from the runs in --out")
    parser.add_argument("options", nargs="*", help="further options of fit, after --")
    options = parser.parse_args()
    cases = [(k, engine, seed) for k in options.profiles for engine in options.engines for seed in options.seeds]
    runs = {options.out / f"profile_{k}-{engine}-seed_{seed}": (k, engine, seed) for k, engine, seed in cases}
    for folder in runs:
        if folder.with_suffix(".json").exists() != options.draw or (folder.exists() and not options.draw):
            raise SystemExit(f"{folder} {'was not run' if options.draw else 'exists: choose another --out, or --draw'}")
    if not options.draw:
        for folder, case in runs.items():
            run(folder, *case, options)
    tabulate([read(folder, *case) for folder, case in runs.items()], options.results)


def run(folder: Path, k: int, engine: str, seed: int, options: argparse.Namespace) -> None:
    """One run, ended after the bounded time; what its process took and said is written beside its folder."""
    config = ROOT / "configs" / "self_similar_burgers" / f"profile_{k}.yaml"
    command = [sys.executable, "-m", "pinnlab", "fit", "--config", str(config), "--seed_everything", str(seed)]
    command += ["--model.engine", engine, "--run.root", str(folder.parent), "--run.name", folder.name]
    # every step is a row: one of nested differentiation may be all that the time allows
    command += ["--trainer.log_every_n_steps", "1", *options.options]
    environment = {"OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled"} | os.environ | {"PYTHONPATH": str(ROOT)}
    folder.parent.mkdir(parents=True, exist_ok=True)
    log, start, ended = folder.with_suffix(".log"), time.perf_counter(), False
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=file)
    while not (waited := os.wait4(process.pid, os.WNOHANG))[0]:
        if ended := time.perf_counter() - start > options.bound:
            os.kill(process.pid, signal.SIGKILL)  # the record has every row that is done
        time.sleep(0.02)
    process.returncode, usage = os.waitstatus_to_exitcode(waited[1]), waited[2]
    if process.returncode > 0 and not (folder / "summary.json").exists():
        raise SystemExit(log.read_text())
    facts = {"bound": options.bound, "ended": ended, "code": process.returncode}
    facts |= {"wall_seconds": time.perf_counter() - start, "peak_megabytes": usage.ru_maxrss / 1024}
    facts["machine"] = f"{platform.system()}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    folder.with_suffix(".json").write_text(json.dumps(facts))
    print(f"{folder.name}: {facts['wall_seconds']:.0f} s", file=sys.stderr, flush=True)


def read(path: Path, k: int, engine: str, seed: int) -> Row:
    """The row of a run: the last of its record, and where it finished the errors of its solution."""
    from pinnlab.reporting.folder import RunFolder

    folder, facts = RunFolder(path), json.loads(path.with_suffix(".json").read_text())
    summary = json.loads(folder.summary.read_text()) if folder.summary.exists() else {}
    end, metrics = summary.get("status", "running"), summary.get("metrics", {})
    if end == "running":
        end = f"not finished in {facts['bound']:g} s" if facts["ended"] else f"broken off (code {facts['code']})"
    row: Row = {"profile": k, "engine": engine, "seed": seed, "end": end, "folder": folder}
    if folder.metrics.exists() and (rows := folder.read_rows()):
        row |= {name: float(rows[name][-1]) for name in ("lam", "loss", "seconds")} | {"steps": int(rows["step"][-1])}
        row["error_lam"] = abs(row["lam"] - 1 / (2 * k))
    if end == "finished":
        row |= {"seconds": summary["seconds"], **evaluated(path, k)}
    row |= {
        n: metrics.get(n)
        for n in ("uncertainty_lam", "uncertainty_U", "residual_interior", "residual_interior_precise")
    }
    row |= {name: facts[name] for name in ("wall_seconds", "peak_megabytes", "machine")}
    row["paper"] = "{:.1e}, {:.1e}, {}".format(*PAPER[k]) if k in PAPER else None
    row |= dict(zip(("paper_error_lam", "paper_error_U", "paper_seconds"), PAPER.get(k, [None] * 3), strict=True))
    return row | {"commit": summary.get("commit")}


def evaluated(folder: Path, k: int) -> Row:
    """U, …, U^(2k+1) on [−2, 2], found and exact (2k + 2, N), and their largest errors over the largest exact value."""
    import numpy as np
    import torch

    from pinnlab.engines import NTP
    from pinnlab.solution import load

    x, order = np.linspace(-2, 2, 1001), 2 * k + 1
    solution = load(folder)
    solution.model.residuals.engine = NTP()  # whatever engine trained: nested differentiation may outlast the run
    found = np.stack(list(solution.evaluate(*("U_" + "X" * j for j in range(1, order + 1)), X=x).values()))
    jet = solution.model.equation.solution({"X": torch.from_numpy(x)}, order)["U"]
    exact = np.stack([jet.derivative((j,)).numpy() for j in range(order + 1)])
    sizes = abs(found - exact) / abs(exact).max(axis=1, keepdims=True)
    largest = sizes.max(axis=1).tolist()
    worst = max(range(1, order + 1), key=largest.__getitem__)
    row = {"curves": (x, found, exact, sizes), "error_worst": f"{largest[worst]:.1e} (order {worst})"}
    return row | {f"error_U_{j}": size for j, size in enumerate(largest)}


def tabulate(rows: list[Row], results: Path) -> None:
    """Prints the table; writes all columns, and a figure per profile."""
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.with_name(f"{results.name}.csv").open("w", newline="") as file:
        unwritten = ("folder", "curves", "error_worst", "paper")
        names = list(dict.fromkeys(name for row in rows for name in row if name not in unwritten))
        csv.writer(file).writerows([names, *([row.get(name) for name in names] for row in rows)])
    print(*sorted({f"commit {row['commit']}, {row['machine']}" for row in rows}), sep="\n")
    print(f"\n| {' | '.join(TABLE)} |", "|---" * len(TABLE) + "|", sep="\n")
    for k, engine in dict.fromkeys((row["profile"], row["engine"]) for row in rows):
        runs = [row for row in rows if (row["profile"], row["engine"]) == (k, engine)]
        if len(lam := [row["lam"] for row in runs if row["end"] == "finished"]) > 1:
            both = {"lam": statistics.median(lam), "uncertainty_lam": statistics.stdev(lam)}
            runs.append({"profile": k, "engine": engine, "seed": f"median, spread of {len(lam)}", "end": "", **both})
        for row in runs:
            cells = ("" if row.get(name) is None else format(row[name], form) for name, form in TABLE.values())
            print(f"| {' | '.join(cells)} |")
    for row in {row["profile"]: row for row in reversed(rows) if row["end"] == "finished"}.values():
        draw(row, results.with_name(f"{results.name}_{row['profile']}.png"))


def draw(row: Row, path: Path) -> None:
    """U and its derivatives with their errors beneath, and λ over the loss: pairs of panels, six to a line."""
    from matplotlib.figure import Figure
    from PIL import Image

    from pinnlab.reporting import figures
    from pinnlab.reporting.figures import panels
    from pinnlab.reporting.figures.style import OTHERS, ROUNDING, floored, styled

    x, found, exact, sizes = row["curves"]
    record = dataclasses.replace(figures.read(row["folder"]), solution={"X": x, "U": found, "exact/U": exact})
    loss, lam = panels.history(record)
    lines = math.ceil((len(found) + 1) / 6)
    across = math.ceil((len(found) + 1) / lines)
    with styled():
        figure = Figure(figsize=(2.5 * across, 4.2 * lines))
        axes = figure.subplots(2 * lines, across, squeeze=False, height_ratios=(3, 2) * lines)
        pairs = list(zip(axes[::2].ravel(), axes[1::2].ravel(), strict=True))
        for (upper, lower), panel, size in zip(pairs, panels.solution(record), sizes, strict=False):
            panel(upper)
            upper.set(xlabel="")
            upper.get_legend().set_visible(upper is pairs[0][0])
            lower.semilogy(x, floored(size), color=OTHERS[0], linewidth=0.9)
            lower.set(xlabel="X", title="|error| / max |exact|", ylim=(max(1e-4 * size.max(), ROUNDING), None))
        lam(pairs[len(found)][0])
        loss(pairs[len(found)][1])
        for upper, lower in pairs[len(found) + 1 :]:
            upper.remove(), lower.remove()
        figure.suptitle(f"profile {row['profile']}: λ = {row['lam']:.12f}, error {row['error_lam']:.1e}", fontsize=9)
        figure.savefig(path, dpi=80)
    # a few colours are all there are: a palette makes the file a third as large
    Image.open(path).convert("RGB").quantize(128, Image.Quantize.FASTOCTREE).save(path, optimize=True)


if __name__ == "__main__":
    main()
