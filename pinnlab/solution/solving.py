"""Solving an equation from Python: `pinnlab.solve` trains as the command line does and returns a function."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from pinnlab.collocation import Sampler
from pinnlab.collocation.datamodule import Collocation
from pinnlab.engines import NTP, Engine
from pinnlab.equations import Equation
from pinnlab.equations.base import twin
from pinnlab.errors import UserError
from pinnlab.networks import MLP
from pinnlab.reporting.configured import configuration
from pinnlab.reporting.description import importing
from pinnlab.reporting.files import write_atomically
from pinnlab.reporting.folder import RunFolder
from pinnlab.residuals import Sobolev
from pinnlab.residuals.balancing import Balancing
from pinnlab.solution.run import Kept, Run
from pinnlab.solution.saved import read_solution
from pinnlab.solution.solution import Solution
from pinnlab.solution.tolerance.solve_to import TOL, solve_to
from pinnlab.strategy.recipe import Recipe
from pinnlab.training.callbacks.history import History
from pinnlab.training.callbacks.progress import shown
from pinnlab.training.phases import LBFGS, Adam, Phase
from pinnlab.training.pinn import PINN
from pinnlab.training.setup.given import (
    Network,
    balancing_of,
    engine_of,
    equation_of,
    hard_of,
    network_builder,
    phases_of,
    points_of,
    sampler_of,
    seed_of,
    sobolev_of,
    weights_of,
    whole,
)
from pinnlab.training.setup.settings import TRAINER_DEFAULTS, default_dtype, precision_dtype, without_warnings
from pinnlab.training.setup.warm_start import warm_start


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
    balancing: Balancing | None = None,
    hard: bool | Sequence[str] = False,
    resample_every: int = 0,
    seed: int = 0,
    start: Solution | str | Path | None = None,
    folder: str | Path | None = None,
    progress: bool | None = None,
    tol: float | None = None,
    tol_unknowns: float | None = None,
    recipe: Recipe | None = None,
    time_limit: float | None = None,
    memory: float | None = None,
    **trainer: Any,
) -> Solution:
    """Solve an equation: to a tolerance, or by training a network as the arguments say.

    An equation is all that it takes. The program then chooses everything itself: windows in time, random features of
    the inputs, points and weights. It solves with more features until two solutions that share nothing but the equation
    agree to the tolerance `tol`. `solution.ending` says whether they do, and `print(solution)` shows it with the
    estimated errors.

    Any argument from `network` to `resample_every`, or an option of the trainer, asks for a training by hand in its
    place. What is not given of it has the defaults below; the same arguments give the same numbers as a configuration
    on the command line.

    Ctrl-C ends the training after the current step. At a prompt (Python's, IPython's or a notebook's) the solution so
    far is returned. Elsewhere a KeyboardInterrupt is raised, so that a loop of solves ends too; its attribute
    `solution` is the solution so far. A SIGTERM has its former effect after the step and the record.

    The evaluation, the exact solution and the record come after the training. They are tried on two points before it,
    so that their mistakes are found at once. An error in them after the training is logged, and the solution is
    returned all the same.

    Args:
        equation: The equation. Its unknowns start where they were declared to, and have the values found in the end;
            the solution has an equation of its own.
        network: Builds the network from the numbers of inputs and outputs; an MLP of 3 hidden layers of 24 by default.
        engine: How derivatives are computed; n-TangentProp by default.
        phases: The optimisers, or one alone. A training by hand that names none has 2,000 steps of Adam, then L-BFGS
            until it stalls.
        points: Numbers of points of some constraints; the others have the equation's.
        sampler: How points are spread, one for all or by constraint; Sobol by default.
        sobolev: Weights of the residual's derivatives by constraint, in place of the equation's.
        weights: Factors on the losses by constraint, in place of the equation's.
        balancing: How the weights of constraints or points follow the training, such as `GradNorm()`; they are fixed
            by default.
        hard: Build the equation's conditions into the network: True for all that can be built in, or the names of
            constraints. `solution.built_in` says which are.
        resample_every: Steps after which fresh points are drawn; 0 keeps them.
        seed: Of weights and points.
        start: Another solution, or the folder of a run, to begin from: its network, which must be of the same size,
            and those unknowns that lie within their bounds here. The equation may be another. A solve to a tolerance
            takes its values.
        folder: A new run folder to leave the record in, for `load` and the commands; nothing is written without it.
        progress: Show the progress; by default at a prompt, as in a notebook, and not in a program.
        tol: The largest error of each output over region and time that is allowed, relative to the output's largest
            value, and of each unknown relative to its value; 1e-6 by default. Of the arguments above, seed, start,
            folder and progress go with it and with those below. A folder whose solve was killed is continued.
        tol_unknowns: The tolerance of each unknown, relative to its value, in place of `tol`.
        recipe: What decides how the tolerance is reached; `pinnlab.strategy.Refinement` by default.
        time_limit: Seconds after which a solve to a tolerance ends with the best solution so far.
        memory: Bytes that a solve to a tolerance may take; four fifths of what the machine has left by default.
        **trainer: Options of Lightning's trainer, such as `accelerator`; the precision is float64 by default.

    Raises:
        UserError: if something is wrong with the equation or the options, two of them do not go together, or what comes
            after the training would fail.
        DivergedError: if the loss became NaN or infinite.
        KeyboardInterrupt: after a Ctrl-C that was not typed at a prompt.

    Example:
        >>> import pinnlab
        >>> from pinnlab.problems import Poisson, SelfSimilarBurgers
        >>> pinnlab.solve(Poisson())
        Poisson: u ± ..., tol 1e-06 reached, ...
        >>> from pinnlab.training import GaussNewton
        >>> solution = pinnlab.solve(SelfSimilarBurgers(1), phases=GaussNewton(3), points={"interior": 20})
        >>> list(solution.unknowns), "error_lam" in solution.metrics
        (['lam'], True)
        >>> bool(solution.history["loss"][-1] < solution.history["loss"][0])
        True
    """
    if (name := importing.get()) is not None:
        raise UserError(
            f"importing {name} solves an equation: put what it runs below 'if __name__ == \"__main__\":', so that its "
            "classes can be imported alone"
        )
    by_hand = {
        "network": network, "engine": engine, "phases": phases, "points": points, "sampler": sampler,
        "sobolev": sobolev, "weights": weights, "balancing": balancing, "hard": hard or None,
        "resample_every": resample_every or None, **trainer,
    }  # fmt: skip
    how_exact = {
        "tol": tol, "tol_unknowns": tol_unknowns, "recipe": recipe, "time_limit": time_limit, "memory": memory,
    }  # fmt: skip
    hands, exact = ([name for name, value in given.items() if value is not None] for given in (by_hand, how_exact))
    if hands and exact:
        raise UserError(
            f"{exact[0]} is for a solve to a tolerance, which chooses {hands[0]} itself: leave one of the two out"
        )
    seed = seed_of(seed)
    if not hands:
        return solve_to(
            equation_of(equation), TOL if tol is None else tol, tol_unknowns=tol_unknowns, recipe=recipe,
            time_limit=time_limit, memory=memory, start=start, seed=seed, folder=folder, progress=progress,
        )  # fmt: skip
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    given: dict[str, Any] = {
        "equation": equation_of(equation),
        "network": MLP if network is None else network,
        "engine": NTP() if engine is None else engine_of(engine),
        "phases": [Adam(2000), LBFGS(200)] if phases is None else phases_of(phases),
        "sobolev": sobolev_of(sobolev),
        "weights": weights_of(weights),
        "balancing": balancing_of(balancing),
        "hard": hard_of(hard),
    }
    options = TRAINER_DEFAULTS | trainer
    dtype = precision_dtype(options["precision"])
    history = History()
    with without_warnings(), torch.random.fork_rng(), default_dtype(dtype), _from_its_start(equation):
        torch.manual_seed(seed)
        model = PINN(**given | {"network": network_builder(given["network"])}).to(dtype)
        data = Collocation(points_of(points), sampler_of(sampler), whole("resample_every", resample_every), seed)
        run = Run(model, data, options)
        if start is not None:
            if not isinstance(start, Solution | str | Path):
                raise UserError(f"start is a Solution or the folder of a run, not {start!r:.60}")
            state = start.model.state_dict() if isinstance(start, Solution) else read_solution(Path(start))
            warm_start(model, state, "the given solution" if isinstance(start, Solution) else start)
        kept = None
        if folder is not None:
            text = configuration(given, data, {"precision": options["precision"]} | trainer, seed)
            kept = Kept(_created(Path(folder), text), seed)
        fitted = run.trainer(history, progress=shown(progress), kept=kept)
        run.train(fitted)
        # another solve of this equation leaves the solution alone, and nothing of the trainer stays with it
        model.residuals.equation = twin(equation)
        model.trainer = None
    metrics = {name: float(value) for name, value in fitted.callback_metrics.items()}
    solution = Solution(model, history.columns(), metrics, dtype)
    run.interruption.hand_on(model.schedule.where, solution)
    return solution


def _created(path: Path, configuration: str) -> RunFolder:
    """A new run folder with its configuration."""
    folder = RunFolder.create(path.parent, path.name, path.name)
    write_atomically(folder.config, configuration)
    return folder


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
