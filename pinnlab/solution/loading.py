"""Solutions of earlier runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pinnlab.equations import Equation
from pinnlab.equations.base import twin
from pinnlab.reporting.folder import RunFolder
from pinnlab.solution.saved import load_model, run_of
from pinnlab.solution.solution import Solution
from pinnlab.solution.tolerance.ending import Ending
from pinnlab.training.setup.given import Network, equation_of, network_builder


def load(run: str | Path, equation: Equation | None = None, network: Network | None = None) -> Solution:
    """The solution that a run left, of the command line or of `solve` with a folder.

    The classes of the equation and the network are imported by the paths that the run has; nothing else is run. If
    their source changed since, a line says so.

    Args:
        run: Its folder, for the newest checkpoint, or one of the checkpoints in it.
        equation: The equation, if the run's configuration cannot say how to make it: its class is in a function or a
            notebook, or it holds data.
        network: What builds the network, if the run's configuration cannot say how to make it.

    Raises:
        UserError: if there is no such run or checkpoint, or equation or network cannot be made and are not given.

    Example:
        >>> import tempfile
        >>> import pinnlab
        >>> from pinnlab.problems import SelfSimilarBurgers
        >>> from pinnlab.training import Adam
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = pinnlab.solve(SelfSimilarBurgers(1), phases=Adam(2), folder=f"{folder}/run")
        ...     again = pinnlab.load(f"{folder}/run")
        >>> bool(again(X=0.5) == found(X=0.5))
        True
    """
    path = Path(run)
    builder = None if network is None else network_builder(network)
    model, dtype = load_model(path, None if equation is None else twin(equation_of(equation)), builder)
    folder = RunFolder(path if path.is_dir() else run_of(path))
    history = folder.read_rows()
    summary = folder.read_summary()
    model.findings = summary.get("findings", [])
    ending = _ending(summary["tolerance"]) if "tolerance" in summary else None
    # JSON has neither infinite numbers nor NaN; the errors of a solve to a tolerance are infinite where it did not come
    metrics: dict[str, float] = {}
    for name, value in summary.get("metrics", {}).items():
        lost = math.inf if ending is not None and name.startswith("uncertainty_") else math.nan
        metrics[name] = lost if value is None else value
    return Solution(model, history, metrics, dtype, ending)


def _ending(content: Mapping[str, Any]) -> Ending:
    """How a solve ended, with the infinite errors that JSON has no numbers for."""
    errors = ["error"] if content.get("tol_unknowns") is None else ["error", "error_unknowns"]
    return Ending(**{**content, **{name: math.inf for name in errors if content.get(name) is None}})
