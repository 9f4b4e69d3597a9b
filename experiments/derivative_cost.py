"""Cost of a network's derivatives against their order: time, saved memory and autograd graph.

Every case is a tanh MLP on N points of one input; the task is the value and n derivatives, their mean square, and
its gradient for the parameters. The floor is the same network on (n + 1)·N stacked rows, with no derivative work at
all. All engines of a case run interleaved in one process, and medians are reported.

    python experiments/derivative_cost.py [--quick | --grid] [--threads 2] [--device cpu] [--out experiments/results]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import platform
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

from pinnlab.engines import NTP
from pinnlab.engines.base import Engine
from pinnlab.jets import IndexSet
from pinnlab.networks import MLP

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
"""CPU time, with one thread, is what to compare on a machine that others use too."""

Step = Callable[[], torch.Tensor]


def engine_step(engine: Engine, network: torch.nn.Module, points: torch.Tensor, order: int) -> Step:
    """Mean square of u, u', …, u^(n) by an engine."""
    indices = IndexSet.simplex(1, order)
    factorials = torch.tensor([math.factorial(k) for k in range(order + 1)], dtype=points.dtype, device=points.device)

    def step() -> torch.Tensor:
        u = engine.fields(network, {"x": points}, ("u",), indices)["u"]
        return (u.coefficients * factorials[:, None]).square().mean()

    return step


def nested_step(network: torch.nn.Module, points: torch.Tensor, order: int) -> Step:
    """The same by nested `torch.autograd.grad`, each derivative from the one before."""

    def step() -> torch.Tensor:
        x = points.detach().requires_grad_()
        values = [network(x[:, None])[:, 0]]
        for _ in range(order):
            values.append(torch.autograd.grad(values[-1].sum(), x, create_graph=True)[0])
        return torch.stack(values).square().mean()

    return step


def floor_step(network: torch.nn.Module, points: torch.Tensor, order: int) -> Step:
    """The network alone, on as many rows as there are coefficients."""
    rows = points.repeat(order + 1)[:, None]
    return lambda: network(rows).square().mean()


def jax_step(network: torch.nn.Module, points: torch.Tensor, order: int) -> Callable[[], object]:
    """Value, derivatives and parameter gradient by JAX's jet under jit."""
    import jax
    import jax.numpy as jnp
    from jax.experimental.jet import jet

    jax.config.update("jax_enable_x64", points.dtype == torch.float64)
    layers = [m for m in network if isinstance(m, torch.nn.Linear)]
    weights = [
        (jnp.asarray(m.weight.detach().cpu().numpy()), jnp.asarray(m.bias.detach().cpu().numpy())) for m in layers
    ]
    x = jnp.asarray(points.cpu().numpy())[:, None]

    def apply(weights: list, x: object) -> object:
        for w, b in weights[:-1]:
            x = jnp.tanh(x @ w.T + b)
        return x @ weights[-1][0].T + weights[-1][1]

    def loss(weights: list) -> object:
        series = [jnp.ones_like(x)] + [jnp.zeros_like(x)] * (order - 1)
        value, terms = jet(lambda z: apply(weights, z), (x,), (series,))
        return jnp.mean(jnp.square(jnp.stack([value, *terms])))

    gradient = jax.jit(jax.value_and_grad(loss))
    return lambda: jax.block_until_ready(gradient(weights))


LAYERS = ("AddmmBackward0", "MmBackward0", "TanhBackward0", "TanhBackwardBackward0")
"""Nodes that pass through a layer of the network, forward or backward: the matrix products and tanh's own."""


def graph_nodes(root: torch.Tensor) -> Counter[str]:
    """Nodes of the autograd graph behind a tensor, by name."""
    seen, stack = set(), [root.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            stack += [child for child, _ in node.next_functions]
    return Counter(node.name() for node in seen)


def saved_bytes(step: Step) -> int:
    """Bytes of the distinct tensors that the forward pass keeps for the backward pass, parameters left out."""
    sizes: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, torch.nn.Parameter) and tensor.ndim:
            storage = tensor.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
            kept.append(tensor)
        return tensor

    kept: list[torch.Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = step()
    del result
    return sum(sizes.values())


def seconds(run: Callable[[], object], device: str, clock: Callable[[], float]) -> float:
    """Time of one run; on a GPU by events."""
    if device != "cuda":
        start = clock()
        run()
        return clock() - start
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    run()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1e3


def both(network: torch.nn.Module, step: Step) -> Callable[[], None]:
    """Forward and parameter gradient."""

    def run() -> None:
        network.zero_grad(set_to_none=True)
        step().backward()

    return run


def case(
    depth: int, width: int, batch: int, order: int, names: set[str], options: argparse.Namespace
) -> list[dict[str, object]]:
    """All engines on one case, interleaved."""
    torch.manual_seed(0)
    network = MLP(1, 1, width, depth).to(options.device)
    points = torch.linspace(-1, 1, batch, device=options.device)
    steps: dict[str, Step] = {"floor": floor_step(network, points, order)}
    # Nested differentiation doubles with every order: it is stopped where one step would take seconds.
    if "Autograd" in names and 2**order * batch * width <= options.bound:
        steps["Autograd"] = nested_step(network, points, order)
    engines: dict[str, Engine] = {
        "NTP": NTP(),
        "NTP compiled": NTP(compile=True),
        "NTP partitions": NTP("faa_di_bruno"),
    }
    steps |= {name: engine_step(engine, network, points, order) for name, engine in engines.items() if name in names}
    runs: dict[str, Callable[[], object]] = {name: both(network, step) for name, step in steps.items()}
    if "JAX jet" in names and order > 0:
        try:
            runs["JAX jet"] = jax_step(network, points, order)
        except ImportError:
            names.discard("JAX jet")
    times: dict[str, list[float]] = {name: [] for name in runs}
    forward: dict[str, list[float]] = {name: [] for name in steps}
    for run in runs.values():
        for _ in range(3):
            run()
    stop, count = time.perf_counter() + options.seconds, 0
    while count < 5 or (time.perf_counter() < stop and count < 400):
        for name, run in runs.items():
            times[name].append(seconds(run, options.device, CLOCKS[options.clock]))
            if name in steps:
                forward[name].append(seconds(steps[name], options.device, CLOCKS[options.clock]))
        count += 1
    rows = []
    for name, samples in times.items():
        row: dict[str, object] = {"depth": depth, "width": width, "batch": batch, "order": order, "engine": name}
        row |= {"milliseconds": 1e3 * statistics.median(samples), "repeats": count}
        # The ratio is taken within each round, so that what else runs on the machine falls on both sides.
        row["over_floor"] = statistics.median(t / f for t, f in zip(samples, times["floor"], strict=True))
        if "Autograd" in times:
            row["over_autograd"] = statistics.median(t / f for t, f in zip(samples, times["Autograd"], strict=True))
        if name in steps:
            row["forward_milliseconds"] = 1e3 * statistics.median(forward[name])
            row["saved_bytes"] = saved_bytes(steps[name])
            nodes = graph_nodes(steps[name]())
            row["graph_nodes"] = nodes.total()
            if name == "Autograd":
                row["layer_nodes"] = sum(nodes[kind] for kind in LAYERS)
                row["paper_nodes"] = 2 ** (order + 1) * depth + 2
        rows.append(row)
        shown = {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in row.items()}
        print(" ".join(f"{key}={value}" for key, value in shown.items() if value is not None), flush=True)
    return rows


def draw(rows: list[dict[str, object]], folder: Path) -> None:
    """Time, memory and graph size against the order, a figure per network size; the floor is a line."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    groups = sorted({(r["depth"], r["width"], r["batch"]) for r in rows})
    for group in groups:
        chosen = [r for r in rows if (r["depth"], r["width"], r["batch"]) == group]
        figure, axes = plt.subplots(1, 3, figsize=(13, 4))
        for axis, key, label in zip(
            axes,
            ("milliseconds", "saved_bytes", "graph_nodes"),
            ("time [ms]", "saved [bytes]", "graph nodes"),
            strict=True,
        ):
            for name in dict.fromkeys(r["engine"] for r in chosen):
                points = [(r["order"], r[key]) for r in chosen if r["engine"] == name and r.get(key) is not None]
                if points:
                    axis.semilogy(*zip(*points, strict=True), "k--" if name == "floor" else "o-", label=name)
            axis.set_xlabel("order n")
            axis.set_ylabel(label)
        axes[0].legend()
        figure.suptitle("{} × {}, N = {}".format(*group))
        figure.tight_layout()
        figure.savefig(folder / "derivative_cost_{}x{}_{}.png".format(*group), dpi=110)
        plt.close(figure)


def main() -> None:
    """Runs the cases and writes derivative_cost.csv and the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two small cases")
    parser.add_argument("--grid", action="store_true", help="the paper's grid over depth, width, batch and order")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--dtype", default="float64", choices=["float32", "float64"])
    parser.add_argument("--clock", default="wall", choices=list(CLOCKS), help="cpu: for one thread on a shared machine")
    parser.add_argument("--seconds", type=float, default=8.0, help="measuring time per case")
    parser.add_argument("--bound", type=float, default=2.0**25, help="largest 2^n·N·width for nested differentiation")
    parser.add_argument("--engines", default="Autograd,NTP,NTP compiled,NTP partitions,JAX jet")
    parser.add_argument("--orders", type=int, nargs="*")
    parser.add_argument("--sizes", nargs="*", help="depth x width x batch, like 3x24x256")
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_default_dtype(getattr(torch, options.dtype))
    if options.sizes:
        sizes = [tuple(int(n) for n in size.split("x")) for size in options.sizes]
        cases = [(*size, n) for size in sizes for n in options.orders or (1, 2, 3, 6, 9)]
    elif options.quick:
        cases = [(3, 24, 256, n) for n in (1, 3)]
    elif options.grid:
        cases = list(itertools.product((1, 3, 5), (24, 64, 128), (256, 1024, 4096), (1, 3, 5, 7, 9)))
    else:
        cases = [(3, 24, 256, n) for n in (1, 2, 3, 6, 9)] + [(3, 128, 2048, n) for n in (1, 2, 3, 4, 6, 9, 16)]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    processor = torch.cuda.get_device_name() if options.device == "cuda" else platform.processor() or platform.machine()
    machine = f"{options.threads} threads, {options.clock} clock, {processor}"
    print(f"torch {torch.__version__}, {options.dtype}, {machine}, commit {commit.strip()}")
    rows = []
    for depth, width, batch, order in cases:
        rows += case(depth, width, batch, order, set(options.engines.split(",")), options)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "derivative_cost.csv").open("w", newline="") as file:
        keys = list(dict.fromkeys(key for row in rows for key in row))
        writer = csv.DictWriter(file, keys)
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, options.out)


if __name__ == "__main__":
    main()
