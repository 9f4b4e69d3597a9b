"""This checkout against an earlier commit of it, interleaved: one table of ratios.

The earlier commit is checked out into a temporary worktree. Both are measured in turn, round after round, each with its
own configurations, and a ratio is the median over the rounds of this checkout's seconds over the earlier commit's.

- A loss and its gradient, by the closure that first-order optimisers call, on the configuration's network and points.
- `fit`: seconds from the start of the process to the line with the result, and to its end.
- Steps of the last Gauss-Newton phase of these fits, which trains the last layer of a stage of fixed features. The
  seconds go from the end of the phase before to the end of this one, so that the preparation counts too.

    python experiments/against_commit.py --commit 19d8088 [--rounds 5] [--fits profile_1 poisson viscous] [--threads 1]
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = {
    "profile_1": "configs/self_similar_burgers/profile_1.yaml",
    "poisson": "configs/poisson/gauss_newton.yaml",
    "viscous": "configs/viscous_burgers/gauss_newton.yaml",
}
WORKER = Path(__file__).with_name("loss_and_gradient.py")
TIME = r"([\d.]+ s|[\d:]+)"
PHASE = re.compile(rf"ended after (\d+) steps, {TIME},")
RESULT = re.compile(rf"^\d+ steps in {TIME}")
COLUMNS = ("quantity", "rounds", "earlier seconds", "seconds", "ratio")


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--losses", nargs="*", default=list(CONFIGS), choices=list(CONFIGS))
    parser.add_argument("--fits", nargs="*", default=list(CONFIGS), choices=list(CONFIGS))
    parser.add_argument("--threads", default="1", help="of a loss and gradient; a fit has its own")
    parser.add_argument("--out", type=Path, help="a CSV file for the table")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder, worktree(options.commit, Path(folder) / "earlier") as earlier:
        trees = (earlier, ROOT)
        for name in options.losses:
            rows.append(row(f"{name}: loss and gradient", losses(trees, CONFIGS[name], options)))
        for name in options.fits:
            found = [
                [fit(tree, CONFIGS[name], Path(folder) / f"{name}-{turn}-{place}") for place, tree in enumerate(trees)]
                for turn in range(options.rounds)
            ]
            for quantity in found[0][0]:
                rows.append(row(f"{name}: {quantity}", [(a[quantity], b[quantity]) for a, b in found]))
    if options.out:
        with options.out.open("w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])


def row(name: str, pairs: list[tuple[float, float]]) -> tuple[object, ...]:
    """A row of the table, which is printed as well."""
    earlier, now = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{name:45s} {earlier:9.4f} s  {now:9.4f} s  ratio {ratio:.3f}  ({len(pairs)} rounds)", flush=True)
    return name, len(pairs), f"{earlier:.5f}", f"{now:.5f}", f"{ratio:.4f}"


@contextlib.contextmanager
def worktree(commit: str, folder: Path) -> Iterator[Path]:
    """An earlier commit in a folder, while the context lasts."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def environment(tree: Path, threads: str | None = None) -> dict[str, str]:
    """The environment of a process that imports the package of a tree; threads are its own choice by default."""
    plain = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    return plain | {"PYTHONPATH": str(tree)} | ({} if threads is None else {"OMP_NUM_THREADS": threads})


def losses(trees: tuple[Path, Path], config: str, options: argparse.Namespace) -> list[tuple[float, float]]:
    """Seconds of a loss and gradient in both trees, round by round."""
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(WORKER), str(tree / config)],
                    env=environment(tree, options.threads),
                    cwd=tree,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for tree in trees
        ]
        # three times the rounds of a fit: these are short
        found = [(ask(workers[0]), ask(workers[1])) for _ in range(3 * options.rounds)]
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
    return found


def ask(worker: subprocess.Popen[str]) -> float:
    """One measurement of a worker."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("go\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


def fit(tree: Path, config: str, folder: Path) -> dict[str, float]:
    """Seconds of one `fit`, by quantity, from the lines that it prints; its result is printed for comparison."""
    command = [sys.executable, "-m", "pinnlab", "fit", "--config", str(tree / config)]
    command += ["--run.root", str(folder.parent), "--run.name", folder.name]
    started = time.perf_counter()
    told, seconds, phases = float("nan"), float("nan"), []
    with subprocess.Popen(
        command, env=environment(tree), cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if found := PHASE.search(line):
                phases.append(int(found[1]))
            elif found := RESULT.search(line):
                told, seconds = time.perf_counter() - started, clocked(found[1])
                print(f"    {tree.name}: {line.strip()}", flush=True)
    ended = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return {
        "fit, to the result": told,
        "fit, to the prompt": ended,
        "training": seconds,
        "a step of fixed features": last_steps(folder / "metrics.csv", phases[-1]),
    }


def last_steps(record: Path, count: int) -> float:
    """The mean seconds of the last steps of a run, from its record, where the last phase has a row for its start."""
    with record.open() as file:
        rows = list(csv.DictReader(file))
    ended = rows[-1]
    began = [row for row in rows if int(row["step"]) == int(ended["step"]) - count][-1]
    return (float(ended["seconds"]) - float(began["seconds"])) / count


def clocked(text: str) -> float:
    """The seconds of a time as `fit` prints it: 4.2 s, 3:07 or 1:02:45."""
    return sum(60**power * float(part) for power, part in enumerate(reversed(text.removesuffix(" s").split(":"))))


if __name__ == "__main__":
    main()
