"""Solving an equation from Python: `pinnlab.solve` trains as the command line does and returns a function."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer

from pinnlab.collocation import Sampler
from pinnlab.collocation.datamodule import Collocation
from pinnlab.engines import NTP, Engine
from pinnlab.equations import Equation
from pinnlab.equations.base import twin
from pinnlab.equations.domain import outside, solids
from pinnlab.equations.inputs import axis_names
from pinnlab.errors import UserError
from pinnlab.geometry import Points
from pinnlab.networks import MLP
from pinnlab.ranks import lost_ranks
from pinnlab.reporting.configured import configuration
from pinnlab.reporting.coordinates import flat
from pinnlab.reporting.description import importing
from pinnlab.reporting.folder import RunFolder, write_atomically
from pinnlab.reporting.record import RunRecord
from pinnlab.reporting.rehearsal import rehearse
from pinnlab.residuals import Sobolev
from pinnlab.residuals.hard import BuiltIn
from pinnlab.solution.requests import Request, closure, derivative, requested
from pinnlab.solution.saved import load_model, read_solution, run_of
from pinnlab.training.callbacks.checkpoint import Checkpoint
from pinnlab.training.callbacks.history import History
from pinnlab.training.callbacks.interruption import Interruption
from pinnlab.training.callbacks.progress import Progress
from pinnlab.training.failures import ENDING, over
from pinnlab.training.given import (
    Network,
    engine_of,
    equation_of,
    hard_of,
    network_builder,
    phases_of,
    points_of,
    sampler_of,
    sobolev_of,
    weights_of,
    whole,
)
from pinnlab.training.phases import LBFGS, Adam, Phase
from pinnlab.training.pinn import PINN, Row
from pinnlab.training.setup import TRAINER_DEFAULTS, bind, check, default_dtype, precision_dtype, without_warnings
from pinnlab.training.trainer_options import building, check_options, one_line
from pinnlab.training.warm_start import warm_start

Array = npt.NDArray[Any]


def solve(
    equation: Equation,
    network: Network | None = None,
    engine: Engine | None = None,
    phases: Sequence[Phase] | Phase | None = None,
    points: Mapping[str, int] | None = None,
    sampler: Sampler | Mapping[str, Sampler] | None = None,
    *,
    sobolev: Mapping[str, Sobolev] | None = None,
    weights: Mapping[str, float] | None = None,
    hard: bool | Sequence[str] = False,
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

    What comes after the training, such as the exact solution and the record, is tried on two points before it. What
    fails then all the same is logged, and takes nothing of the solution with it.

    Args:
        equation: The equation. Its unknowns start where they were declared to, and have the values found in the end;
            the solution has an equation of its own.
        network: Called with the numbers of inputs and outputs; an MLP of 3 hidden layers of 24 by default.
        engine: How derivatives are computed; n-TangentProp by default.
        phases: The optimisers, or one alone; by default 2,000 steps of Adam, then L-BFGS until it stalls.
        points: Numbers of points of some constraints; the others have the equation's.
        sampler: How points are spread, one for all or by constraint; Sobol by default.
        sobolev: Weights of the residual's derivatives by constraint, in place of the equation's.
        weights: Factors by constraint, in place of the equation's.
        hard: Build the equation's conditions into the network where that can be done, or those of the constraints
            named; `solution.built_in` says which are.
        resample_every: Steps after which fresh points are drawn; 0 keeps them.
        seed: Of weights and points.
        start: Another solution, or the folder of a run, to begin from: its network, which must be of the same size,
            and those unknowns that lie within their bounds here. The equation may be another.
        folder: A new run folder to leave the record in, for `load` and the commands; nothing is written without it.
        progress: Show the progress.
        **trainer: Options of Lightning's trainer, such as `accelerator`; the precision is float64 by default.

    Raises:
        UserError: if something is wrong with the equation or the options, or what comes after the training would fail.
        DivergedError: if the loss became NaN or infinite.
        KeyboardInterrupt: after a Ctrl-C that was not typed at a prompt.
    """
    if (name := importing.get()) is not None:
        raise UserError(
            f"importing {name} solves an equation: put what it runs below 'if __name__ == \"__main__\":', so that its "
            "classes can be imported alone"
        )
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    given: dict[str, Any] = {
        "equation": equation_of(equation),
        "network": MLP if network is None else network,
        "engine": NTP() if engine is None else engine_of(engine),
        "phases": [Adam(2000), LBFGS(200)] if phases is None else phases_of(phases),
        "sobolev": sobolev_of(sobolev),
        "weights": weights_of(weights),
        "hard": hard_of(hard),
    }
    options = TRAINER_DEFAULTS | trainer
    own = options.pop("callbacks", None) or []
    own = list(own) if isinstance(own, list | tuple) else [own]
    seed = whole("seed", seed)
    dtype = precision_dtype(options["precision"])
    interruption, history = Interruption(), History()
    with without_warnings(), torch.random.fork_rng(), default_dtype(dtype), _from_its_start(equation):
        torch.manual_seed(seed)
        model = PINN(**given | {"network": network_builder(given["network"])})
        data = Collocation(points_of(points), sampler_of(sampler), whole("resample_every", resample_every), seed)
        bind(model, data)
        check(model.to(dtype), data)
        if start is not None:
            if not isinstance(start, Solution | str | Path):
                raise UserError(f"start is a Solution or the folder of a run, not {start!r:.60}")
            state = start.model.state_dict() if isinstance(start, Solution) else read_solution(Path(start))
            warm_start(model, state, "the given solution" if isinstance(start, Solution) else start)
        rehearse(model, data, own)
        callbacks: list[Callback] = [*own, history]
        if progress:
            callbacks.append(Progress())
        assert data.steps is not None
        check_options(options | {"callbacks": own}, data.steps)
        options["log_every_n_steps"] = max(1, min(options["log_every_n_steps"], data.steps))
        with building():
            # a dry one first: a device that is not there leaves no folder behind
            _trainer(options)
        if folder is None:
            callbacks.append(interruption)
        else:
            text = configuration(given, data, {"precision": options["precision"]} | trainer, seed)
            callbacks += _record(Path(folder), text, seed, interruption)
        with building():
            fitted = _trainer(options | {"callbacks": callbacks})
        try:
            with lost_ranks(), one_line():
                fitted.fit(model, data)
        except SystemExit:
            # how Lightning ends after a Ctrl-C that came outside of a step, or twice
            raise KeyboardInterrupt from None
        except Exception as error:
            if not over(fitted):
                raise
            model.failures.add(ENDING, error)
        # another solve of this equation leaves the solution alone, and nothing of the trainer stays with it
        model.residuals.equation = twin(equation)
        model.trainer = None
    metrics = {name: float(value) for name, value in fitted.callback_metrics.items()}
    solution = Solution(model, _columns(history.rows), metrics, dtype)
    interruption.hand_on(model.schedule.where, solution)
    return solution


def load(run: str | Path, equation: Equation | None = None, network: Network | None = None) -> Solution:
    """The solution that a run left, of the command line or of `solve` with a folder.

    The classes of the equation and the network are imported by the paths that the run has; nothing else is run. If
    their source changed since, a line says so.

    Args:
        run: Its folder, for the newest checkpoint, or one of the checkpoints in it.
        equation: The equation, where the run's configuration cannot say how to make it (its class is in a function or a
            notebook, it holds data).
        network: What builds the network, likewise.

    Raises:
        UserError: if there is no such run or checkpoint, or equation or network cannot be made and are not given.
    """
    path = Path(run)
    builder = None if network is None else network_builder(network)
    model, dtype = load_model(path, None if equation is None else twin(equation_of(equation)), builder)
    folder = RunFolder(path if path.is_dir() else run_of(path))
    history = folder.read_rows()
    summary = folder.read_summary()
    model.findings = summary.get("findings", [])
    # JSON has no infinite numbers
    metrics = {name: math.nan if value is None else value for name, value in summary.get("metrics", {}).items()}
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

    @property
    def built_in(self) -> BuiltIn | None:
        """Which conditions are built into the network, and why others are not; None where none were to be."""
        return self.model.built_in

    @property
    def findings(self) -> list[str]:
        """What the run itself found wrong with the solution, in sentences; empty where nothing."""
        return list(self.model.findings)

    def __call__(self, /, **coordinates: npt.ArrayLike) -> Array | dict[str, Array]:
        """The outputs at points.

        Outside of the region where the equation holds a network says nothing of the solution: values there are
        extrapolated, and a line in the log of `pinnlab` says how many they are.

        Args:
            **coordinates: Every input by name; arrays of one shape, or shapes that broadcast. A vector input has its
                components along one more dimension, the last.

        Returns:
            An array of that shape, or a dictionary of them by output name if there are several outputs.

        Raises:
            UserError: if a coordinate is missing, unknown, or of a shape that does not fit.
        """
        return self.d(**coordinates)

    def d(self, /, *along: str, **coordinates: npt.ArrayLike) -> Array | dict[str, Array]:
        """A derivative of the outputs: `d("t", "x", "x", t=…, x=…)` is ∂³u/∂t∂x².

        Args:
            *along: The inputs to differentiate along, in any order and as often as wanted. A vector input x gives all
                derivatives along it, in one more dimension; `"x.0"` gives the first of them.
            **coordinates: Every input by name, as in a call.

        Returns:
            An array of that shape, or a dictionary of them by output name if there are several outputs.

        Raises:
            UserError: if a name is not one of the inputs, or a coordinate is missing or does not fit.
        """
        equation = self.model.equation
        found = self._evaluate([derivative(equation, name, name, along) for name in equation.outputs], coordinates)
        if count := int((beyond := self.outside(**coordinates)).sum()):
            where = " and ".join(map(repr, solids(equation)))
            logging.getLogger("pinnlab").warning(
                "pinnlab: %d of %d points lie outside of the region of %s: values there are extrapolated",
                *(count, beyond.size, where),
            )
        return found if len(found) > 1 else found[equation.outputs[0]]

    def evaluate(self, /, *names: str, **coordinates: npt.ArrayLike) -> dict[str, Array]:
        """The outputs and several derivatives of them at once: `evaluate("u_x", "u_xx", x=…)`.

        Of points outside of the region nothing is said: see `outside`.

        Args:
            *names: An output, an underscore, and an input for each differentiation, as `d` takes them. The name of an
                output is that output, also where it reads as a derivative of another.
            **coordinates: Every input by name, as in a call.

        Returns:
            Arrays of that shape by name, the outputs first; derivatives along vectors have more dimensions.

        Raises:
            UserError: if a name is wrong or may mean two things, or a coordinate is missing or does not fit.
        """
        return self._evaluate(requested(self.model.equation, names), coordinates)

    def outside(self, /, **coordinates: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which points lie outside of the region where the equation holds, in the shape of the points.

        Args:
            **coordinates: Every input by name, as in a call.

        Raises:
            UserError: if a coordinate is missing or does not fit.
        """
        columns, shape = flat(self.model.equation, coordinates)
        points = {name: torch.tensor(column, dtype=torch.float64) for name, column in columns.items()}
        return outside(self.model.equation, points).numpy().reshape(shape)

    def derivative(self, order: int, /, **coordinates: npt.ArrayLike) -> Array | dict[str, Array]:
        """The derivative of that order, for an equation of one input.

        Raises:
            UserError: if the equation has several inputs, or the order is negative.
        """
        names = axis_names(self.model.equation.inputs)
        if len(names) != 1 or order < 0:
            raise UserError("derivative(order, …) takes one input and an order from 0; use d(…) for several inputs")
        return self.d(*names * order, **coordinates)

    def _evaluate(self, requests: Sequence[Request], coordinates: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        columns, shape = flat(self.model.equation, coordinates)
        points: Points = {
            name: torch.tensor(column, dtype=self._dtype, device=self.model.device) for name, column in columns.items()
        }
        with torch.enable_grad():
            fields = self.model.residuals.fields(points, closure(requests))
            values = {r.name: r.values(fields[r.output]).detach() for r in requests}
        return {name: value.cpu().numpy().reshape(shape + value.shape[1:]) for name, value in values.items()}


def _columns(rows: Sequence[Row]) -> dict[str, Array]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}


def _record(path: Path, configuration: str, seed: int, interruption: Interruption) -> list[Callback]:
    folder = RunFolder.create(path.parent, path.name, path.name)
    write_atomically(folder.config, configuration)
    return [RunRecord(folder, seed, interruption), interruption, Checkpoint(folder.checkpoints)]


def _trainer(options: Mapping[str, Any]) -> Trainer:
    try:
        return Trainer(**options)
    except (TypeError, ValueError, MisconfigurationException) as error:
        raise UserError(f"the trainer cannot be made: {' '.join(str(error).split())}") from error


@contextmanager
def _from_its_start(equation: Equation) -> Iterator[None]:
    """Within the block an equation is trained from where it was declared to start; what is found of its unknowns stays.

    All else that it trains, such as a network of its own, is put back afterwards: another solve starts from the same.
    """
    equation.check()
    unknowns = equation.unknowns()
    for unknown in unknowns.values():
        unknown.reset()
    found = {f"{name}.parameter" for name in unknowns}
    before = {name: value.clone() for name, value in equation.state_dict().items() if name not in found}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in equation.state_dict().items():
                if name in before:
                    value.copy_(before[name])
