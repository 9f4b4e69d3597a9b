"""The Laplacian in many dimensions: the collapsed jet against the vmapped trace of the Hessian, and an estimate.

python experiments/laplacian_cost.py [--dimension 50] [--points 100] [--repeats 7]
"""

from __future__ import annotations

import argparse
import statistics
import time
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.func import functional_call, hessian, vmap
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pinnlab.engines import NTP, estimate_laplacian
from pinnlab.jets import Collapsed
from pinnlab.jets.operators import laplacian
from pinnlab.networks import MLP


class Live(TorchDispatchMode):
    """Counts the bytes of the storages alive, and the most there were at once.

    Attributes:
        peak: The largest number of bytes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.peak = self.bytes = 0
        self.seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                key, size = storage._cdata, storage.nbytes()
                if key not in self.seen:
                    self.seen.add(key)
                    self.bytes += size
                    self.peak = max(self.peak, self.bytes)
                    weakref.finalize(storage, self._freed, key, size)
        return result

    def _freed(self, key: int, size: int) -> None:
        self.seen.discard(key)
        self.bytes -= size


def peak_bytes(step: Callable[[], torch.Tensor]) -> int:
    """The most memory that forward and backward pass hold at once."""
    with Live() as live:
        step().square().mean().backward()
    return live.peak


def main() -> None:
    """Prints times (CPU, forward and parameter gradient), peak memory and the estimate with its variance."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dimension", type=int, default=50)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    d = options.dimension
    network, x = MLP(d, 1, 64, 3), torch.rand(options.points, d)
    parameters = dict(network.named_parameters())
    algebra = Collapsed.over(range(d), [(0,) * d], d)

    def jet() -> torch.Tensor:
        fields = NTP().fields(network, {"x": x}, ("u",), algebra)
        return laplacian(fields["u"], fields["x"]).value

    def trace() -> torch.Tensor:
        def at(point: torch.Tensor) -> torch.Tensor:
            return hessian(lambda z: functional_call(network, parameters, (z,))[0])(point).trace()

        return vmap(at)(x)

    times: dict[str, list[float]] = {"jet": [], "trace": []}
    for _ in range(options.repeats):
        for name, step in (("jet", jet), ("trace", trace)):
            network.zero_grad()
            start = time.process_time()
            step().square().mean().backward()
            times[name].append(time.process_time() - start)
    a, b = (statistics.median(times[name]) for name in ("jet", "trace"))
    difference = float((jet() - trace()).detach().abs().max())
    print(f"d = {d}, {len(algebra)} coefficients: {1e3 * a:.1f} ms against {1e3 * b:.1f} ms, ratio {a / b:.2f}")
    memory = peak_bytes(jet), peak_bytes(trace)
    print(f"peak {memory[0]} against {memory[1]} bytes, ratio {memory[0] / memory[1]:.2f}; difference {difference:.1e}")

    d = 1000
    network, x = MLP(d, 1, 32, 2), torch.rand(1, d)
    with torch.no_grad():
        estimate = estimate_laplacian(network, x, 10_000, torch.Generator().manual_seed(0), block=100)
        fields = NTP().fields(network, {"x": x}, ("u",), Collapsed.over(range(d), [(0,) * d], d))
        truth = laplacian(fields["u"], fields["x"]).value
    error = float((estimate.mean[:, 0] - truth).abs() / estimate.standard_error[:, 0])
    print(
        f"d = 1000, 10,000 samples: {float(estimate.mean):.6f} ± {float(estimate.standard_error):.6f} "
        f"(variance {float(estimate.variance):.4f}), truth {float(truth):.6f}: {error:.2f} standard errors"
    )


if __name__ == "__main__":
    main()
