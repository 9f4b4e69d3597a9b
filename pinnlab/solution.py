"""Solving an equation from Python: `pinnlab.solve` trains as the command line does and returns a function."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import yaml
from lightning.pytorch import Callback, Trainer
from torch import nn

from pinnlab.collocation import Sampler
from pinnlab.collocation.datamodule import Collocation
from pinnlab.engines import NTP, Engine
from pinnlab.equations import Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Points
from pinnlab.jets import MultiIndex
from pinnlab.networks import MLP
from pinnlab.reporting.folder import RunFolder, write_atomically
from pinnlab.reporting.record import RunRecord
from pinnlab.reporting.requests import Request, closure, requested
from pinnlab.reporting.saved import load_model, read_solution, run_of
from pinnlab.residuals import Sobolev
from pinnlab.training.checkpoint import Checkpoint
from pinnlab.training.history import History
from pinnlab.training.interruption import Interruption
from pinnlab.training.phases import LBFGS, Adam, Phase
from pinnlab.training.pinn import PINN, Row
from pinnlab.training.progress import Progress
from pinnlab.training.ranks import lost_ranks
from pinnlab.training.setup import TRAINER_DEFAULTS, bind, check, default_dtype, precision_dtype, without_warnings
from pinnlab.training.trainer_options import building, check_options, one_line
from pinnlab.training.warm_start import warm_start

Array = npt.NDArray[Any]


def solve(
    equation: Equation,
    network: Callable[[int, int], nn.Module] | None = None,
    engine: Engine | None = None,
    phases: Sequence[Phase] | None = None,
    points: Mapping[str, int] | None = None,
    sampler: Sampler | Mapping[str, Sampler] | None = None,
    *,
    sobolev: Mapping[str, Sobolev] | None = None,
    weights: Mapping[str, float] | None = None,
    resample_every: int = 0,
    seed: int = 0,
    start: Solution | str | Path | None = None,
    folder: str | Path | None = None,
    progress: bool = False,
    **trainer: Any,
) -> Solution:
    """Train a network to satisfy an equation, as `python -m pinnlab fit` does.

    Ctrl-C ends the training after the current step. At a prompt (Python's, IPython's or a notebook's) what was found
    so far is returned; elsewhere, so that a loop of solves ends as well, it is the attribute `solution` of the
    KeyboardInterrupt that is raised. A SIGTERM does what it did before, after the step and the record. The same
    arguments as in a configuration give the same numbers as the command line.

    Args:
        equation: The equation. Its unknowns are trained in place.
        network: Called with the numbers of inputs and outputs; an MLP of 3 hidden layers of 24 by default.
        engine: How derivatives are computed; n-TangentProp by default.
        phases: The optimisers; by default 2,000 steps of Adam, then L-BFGS until it stalls.
        points: Numbers of points of some constraints; the others have the equation's.
        sampler: How points are spread, one for all or by constraint; Sobol by default.
        sobolev: Weights of the residual's derivatives by constraint, in place of the equation's.
        weights: Factors by constraint, in place of the equation's.
        resample_every: Steps after which fresh points are drawn; 0 keeps them.
        seed: Of weights and points.
        start: Another solution, or the folder of a run, to begin from: its network, which must be of the same size,
            and those unknowns that lie within their bounds here. The equation may be another.
        folder: A new run folder to leave the record in; nothing is written without it.
        progress: Show the progress.
        **trainer: Options of Lightning's trainer, such as `accelerator`; the precision is float64 by default.

    Raises:
        UserError: if something is wrong with the equation or the options.
        DivergedError: if the loss became NaN or infinite.
        KeyboardInterrupt: after a Ctrl-C that was not typed at a prompt.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    options = TRAINER_DEFAULTS | trainer
    chosen = list(phases) if phases is not None else [Adam(2000), LBFGS(200)]
    dtype = precision_dtype(options["precision"])
    interruption, history = Interruption(), History()
    with without_warnings(), torch.random.fork_rng(), default_dtype(dtype):
        torch.manual_seed(seed)
        model = PINN(equation, network or MLP, engine or NTP(), chosen, _dict(sobolev), _dict(weights))
        by_name = dict(sampler) if isinstance(sampler, Mapping) else sampler
        data = Collocation(_dict(points), by_name, resample_every, seed)
        bind(model, data)
        check(model.to(dtype), data)
        if start is not None:
            state = start.model.state_dict() if isinstance(start, Solution) else read_solution(Path(start))
            warm_start(model, state, "the given solution" if isinstance(start, Solution) else start)
        callbacks: list[Callback] = [*(options.pop("callbacks", None) or []), history]
        if progress:
            callbacks.append(Progress())
        callbacks += [interruption] if folder is None else _record(Path(folder), model, seed, interruption)
        check_options(options | {"callbacks": callbacks}, data.steps)
        assert data.steps is not None
        options["log_every_n_steps"] = max(1, min(options["log_every_n_steps"], data.steps))
        with building():
            fitted = Trainer(**options, callbacks=callbacks)
        try:
            with lost_ranks(), one_line():
                fitted.fit(model, data)
        except SystemExit:
            # how Lightning ends after a Ctrl-C that came outside of a step, or twice
            raise KeyboardInterrupt from None
    metrics = {name: float(value) for name, value in fitted.callback_metrics.items()}
    solution = Solution(model, _columns(history.rows), metrics, dtype)
    interruption.hand_on(model.schedule.where, solution)
    return solution


def load(run: str | Path) -> Solution:
    """The solution that a run of the command line left.

    Args:
        run: Its folder, for the newest checkpoint, or one of the checkpoints in it.

    Raises:
        UserError: if there is no such run or checkpoint, or the run was one of `solve`, whose configuration does not
            tell how to build the network again.
    """
    path = Path(run)
    model, dtype = load_model(path)
    folder = RunFolder(path if path.is_dir() else run_of(path))
    history = folder.read_rows()
    metrics = folder.read_summary().get("metrics", {})
    return Solution(model, history, metrics, dtype)


class Solution:
    """A trained network as a function of named coordinates.

        solution(X=0.5)                       # outputs: an array, or one for each output by name
        solution.d("X", "X", X=grid)          # a derivative, named as in residuals
        solution.derivative(3, X=grid)        # the same for one input

    Attributes:
        model: The trained module.
        history: The record of the training by column: step, phase, seconds, loss, its shares, unknowns.
        metrics: Errors and residual norms on held-out points.
    """

    def __init__(
        self, model: PINN, history: Mapping[str, Array], metrics: Mapping[str, float], dtype: torch.dtype
    ) -> None:
        """Wraps a trained module.

        Args:
            model: The module.
            history: The record of its training by column.
            metrics: Errors and residual norms.
            dtype: Of the points where it is evaluated.
        """
        self.model = model
        self.history = dict(history)
        self.metrics = dict(metrics)
        self._dtype = dtype

    @property
    def unknowns(self) -> dict[str, float]:
        """The values found for the unknowns."""
        return self.model.unknowns()

    def __call__(self, **coordinates: npt.ArrayLike) -> Array | dict[str, Array]:
        """The outputs at points.

        Args:
            **coordinates: Every input by name; arrays of one shape, or shapes that broadcast.

        Returns:
            An array of that shape, or a dictionary of them by output name if there are several outputs.

        Raises:
            UserError: if a coordinate is missing or unknown.
        """
        return self.d(**coordinates)

    def d(self, *along: str, **coordinates: npt.ArrayLike) -> Array | dict[str, Array]:
        """A derivative of the outputs: `d("t", "x", "x", t=…, x=…)` is ∂³u/∂t∂x².

        Args:
            *along: The inputs to differentiate along, in any order and as often as wanted.
            **coordinates: Every input by name; arrays of one shape, or shapes that broadcast.

        Returns:
            An array of that shape, or a dictionary of them by output name if there are several outputs.

        Raises:
            UserError: if a name is not one of the inputs, or one is missing.
        """
        alpha = self._alpha(along)
        found = self._evaluate([Request(name, name, alpha) for name in self.model.equation.outputs], coordinates)
        return found if len(found) > 1 else found[self.model.equation.outputs[0]]

    def evaluate(self, *names: str, **coordinates: npt.ArrayLike) -> dict[str, Array]:
        """The outputs and several derivatives of them at once: `evaluate("u_x", "u_xx", x=…)`.

        Args:
            *names: An output, an underscore, and an input for each differentiation.
            **coordinates: Every input by name; arrays of one shape, or shapes that broadcast.

        Returns:
            Arrays of that shape by name, the outputs first.

        Raises:
            UserError: if a name is wrong, or an input is missing.
        """
        return self._evaluate(requested(self.model.equation, names), coordinates)

    def derivative(self, order: int, **coordinates: npt.ArrayLike) -> Array | dict[str, Array]:
        """The derivative of that order, for an equation of one input.

        Raises:
            UserError: if the equation has several inputs, or the order is negative.
        """
        equation = self.model.equation
        if len(equation.inputs) != 1 or order < 0:
            raise UserError("derivative(order, …) takes one input and an order from 0; use d(…) for several inputs")
        return self.d(*equation.inputs * order, **coordinates)

    def _alpha(self, along: Sequence[str]) -> MultiIndex:
        equation = self.model.equation
        for name in along:
            if name not in equation.inputs:
                raise UserError(f"{equation.name} has no input {name!r}; its inputs are {', '.join(equation.inputs)}")
        return tuple(along.count(name) for name in equation.inputs)

    def _evaluate(self, requests: Sequence[Request], coordinates: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        equation = self.model.equation
        self._alpha(list(coordinates))
        missing = [name for name in equation.inputs if name not in coordinates]
        if missing:
            raise UserError(f"give a value for the input {missing[0]!r}, as in solution({missing[0]}=0.5)")
        arrays = np.broadcast_arrays(*(np.asarray(coordinates[name], dtype=float) for name in equation.inputs))
        points: Points = {
            name: torch.tensor(array.ravel(), dtype=self._dtype, device=self.model.device)
            for name, array in zip(equation.inputs, arrays, strict=True)
        }
        with torch.enable_grad():
            fields = self.model.residuals.fields(points, closure(requests))
            values = {r.name: fields[r.output].derivative(r.alpha).detach() for r in requests}
        return {name: value.cpu().numpy().reshape(arrays[0].shape) for name, value in values.items()}


def _columns(rows: Sequence[Row]) -> dict[str, Array]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}


def _record(path: Path, model: PINN, seed: int, interruption: Interruption) -> list[Callback]:
    folder = RunFolder.create(path.parent, path.name, path.name)
    settings = {
        "seed_everything": seed,
        "model": {
            "equation": model.equation.name,
            "network": str(model.residuals.network),
            "engine": type(model.engine).__name__,
            "phases": [{"class_path": phase.name, "steps": phase.steps} for phase in model.schedule.phases],
        },
    }
    write_atomically(folder.config, yaml.safe_dump(settings, sort_keys=False))
    return [RunRecord(folder, seed, interruption), interruption, Checkpoint(folder.checkpoints)]


def _dict(mapping: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if mapping is None else dict(mapping)
