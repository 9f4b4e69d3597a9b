"""The worker of `against_commit.py`: times a loss and its gradient of a configuration, once for each line it reads.

It uses what is the same in both commits alone: the classes that configurations name, `Residuals` and `Objective`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import time
from pathlib import Path
from typing import Any

import torch
import yaml

SECTIONS = ("problems", "equations", "networks", "engines", "collocation")


def read(path: Path) -> dict[str, Any]:
    """A configuration merged onto its base."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    base = content.pop("base", None)
    return content if base is None else merged(read(path.parent / base), content)


def merged(content: dict[str, Any], further: dict[str, Any]) -> dict[str, Any]:
    """Nested keys and values with further ones."""
    both = dict(content)
    for key, value in further.items():
        both[key] = merged(both[key], value) if isinstance(value, dict) and isinstance(both.get(key), dict) else value
    return both


def kind(path: str) -> Any:
    """The class of a path, or of a short name."""
    module, _, name = path.rpartition(".")
    modules = [module] if module else [f"pinnlab.{section}" for section in SECTIONS]
    for place in modules:
        try:
            return getattr(importlib.import_module(place), name)
        except (ImportError, AttributeError):
            continue
    raise SystemExit(f"no class {path}")


def make(entry: Any) -> Any:
    """An object of a class path with arguments; a network waits for its numbers of inputs and outputs."""
    if isinstance(entry, list):
        return [make(item) for item in entry]
    if not isinstance(entry, dict) or "class_path" not in entry:
        return entry
    found = kind(entry["class_path"])
    named = {key: make(value) for key, value in (entry.get("init_args") or {}).items()}
    waits = list(inspect.signature(found.__init__).parameters)[1:3] == ["inputs", "outputs"]
    return functools.partial(found, **named) if waits else found(**named)


def main() -> None:
    """Builds the loss, and times it when asked."""
    from pinnlab.residuals import Residuals
    from pinnlab.training.objective import Objective

    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    content = read(Path(sys.argv[1]))
    equation = make(content["model"]["equation"])
    network = make(content["model"]["network"])(len(equation.inputs), len(equation.outputs))
    residuals = Residuals(network, equation, make(content["model"]["engine"]))
    data = content["data"]
    given = data.get("sampler") or {"class_path": "Sobol"}
    points = {}
    for name, constraint in equation.constraints().items():
        entry = given if "class_path" in given else given.get(name, {"class_path": "Sobol"})
        points[name] = make(entry).sample(constraint.region, data["points"].get(name, constraint.points), 0)
    # the first stage is trained, as where a run begins
    for name, parameter in network.named_parameters():
        parameter.requires_grad_("stages.1" not in name)
    optimizer = torch.optim.SGD([p for p in residuals.parameters() if p.requires_grad], lr=0.0)
    closure = Objective(residuals, points).closure(optimizer)
    count = 1
    while True:
        started = time.perf_counter()
        for _ in range(count):
            closure()
        if (spent := time.perf_counter() - started) > 0.3:
            break
        count *= 2
    count = max(1, round(0.5 * count / spent))
    for _ in sys.stdin:
        started = time.perf_counter()
        for _ in range(count):
            closure()
        print((time.perf_counter() - started) / count, flush=True)


if __name__ == "__main__":
    main()
