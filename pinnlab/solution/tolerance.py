"""Solving an equation to a tolerance: what `pinnlab.solve(equation, tol=…)` does."""

from __future__ import annotations

import logging
import math
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pinnlab.collocation import Sobol
from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.equations.base import twin
from pinnlab.equations.domain import home
from pinnlab.errors import NothingFoundError, UserError
from pinnlab.networks import Build, Windows
from pinnlab.solution.solution import Ending, Solution
from pinnlab.solution.solve_folder import SolveFolder, row, told
from pinnlab.strategy.agreement import scales
from pinnlab.strategy.march import March
from pinnlab.strategy.recipe import Answer, Decision, Outcome, Recipe, Stop
from pinnlab.strategy.recipes.refinement import Refinement
from pinnlab.training.evaluation.metrics import max_error, relative_l2
from pinnlab.training.phases import GaussNewton
from pinnlab.training.pinn import PINN
from pinnlab.training.setup.settings import default_dtype, without_warnings

_HELD_OUT = 2000


def solve_to(
    equation: Equation,
    tol: float,
    *,
    recipe: Recipe | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    folder: str | Path | None = None,
    progress: bool = False,
) -> Solution:
    """Solves an equation to a tolerance: see `pinnlab.solve`.

    Args:
        equation: The equation. Its unknowns have the values found in the end.
        tol: For each output, the largest error over region and time relative to the output's largest value; for each
            unknown, the error relative to its value.
        recipe: Decides what is tried; `Refinement` by default.
        time_limit: Seconds after which no further step is begun.
        seed: Of features and points.
        folder: A run folder; one that a solve with the same arguments has left unfinished is continued.
        progress: Show a line for each step.

    Raises:
        UserError: if a number is out of range.
        NothingFoundError: if no solution was found at all.
        KeyboardInterrupt: after a Ctrl-C that was not typed at a prompt; its attribute `solution` is what was found.
    """
    check_arguments(equation, tol, recipe, time_limit)
    began = time.perf_counter()
    # as every training does: a float32 unknown has seven digits
    equation.to(torch.float64)
    with without_warnings(), torch.random.fork_rng(devices=[]), default_dtype(torch.float64), ExitStack() as stack:
        recipe = recipe or Refinement()
        record = None if folder is None else SolveFolder(Path(folder), equation, recipe, tol, seed)
        if record is not None:
            stack.enter_context(record.folder.locked())
            stack.enter_context(record.worth_keeping())
            if progress and (steps := len(record.journal.lines())):
                print(f"{record.folder.path} goes on after step {steps}", flush=True)
        march = March(equation, recipe, tol, seed)
        history: list[dict[str, Any]] = []

        def seconds() -> float:
            return time.perf_counter() - began

        def over() -> str:
            return "the time limit" if time_limit is not None and seconds() > time_limit else ""

        def tell(decision: Decision, answer: Answer) -> None:
            if isinstance(answer, Outcome):
                history.append(row(len(history), decision, answer, seconds()))
            if progress and (line := told(decision, answer, march, seconds())):
                print(line, flush=True)

        interrupted = False
        try:
            stop = march.run(None if record is None else record.journal, over, tell)
        except KeyboardInterrupt:
            if not march.found:
                raise
            interrupted, stop = True, Stop(False, "Ctrl-C")
        solution = _solution(march, stop, seconds(), history)
        if record is not None:
            record.finish(solution, _network(march))
    for name, unknown in equation.unknowns().items():
        with torch.no_grad():
            unknown.parameter.fill_(solution.unknowns[name])
    if interrupted:
        _hand_on(solution)
    return solution


def check_arguments(equation: Equation, tol: float, recipe: Recipe | None, time_limit: float | None) -> None:
    """Makes sure that an equation can be solved to a tolerance with these arguments, before anything is done.

    Raises:
        UserError: if a number is out of range, or the equation is wrong.
    """
    if not isinstance(tol, int | float) or not 0 < tol < 1:
        raise UserError(f"tol lies between 0 and 1, as 1e-6, not {tol!r}")
    if time_limit is not None and not (isinstance(time_limit, int | float) and time_limit > 0):
        raise UserError(f"time_limit is a number of seconds, not {time_limit!r}")
    if recipe is not None and not isinstance(recipe, Recipe):
        raise UserError(f"recipe is a Recipe, as Refinement(most=6400), not {recipe!r:.60}")
    equation.check()


def _solution(march: March, stop: Stop, seconds: float, history: list[dict[str, Any]]) -> Solution:
    """The solution that a march has found, as one network.

    Raises:
        NothingFoundError: if there is none.
    """
    if not march.found:
        raise NothingFoundError(stop.reason)
    if not march.pieces:
        march.accept()
    equation = twin(march.equation)
    last = march.pieces[-1].main
    for name, value in last.unknowns().items():
        with torch.no_grad():
            equation.unknowns()[name].parameter.fill_(value)
    model = PINN(equation, _network(march), NTP(), [GaussNewton(0)])
    state: dict[str, torch.Tensor] = {}
    for number, piece in enumerate(march.pieces):
        prefix = f"networks.{number}." if march.evolution is not None else ""
        state |= {f"{prefix}{name}": value for name, value in piece.main.network.state_dict().items()}
    model.residuals.network.load_state_dict(state)
    errors = march.errors if march.complete else dict.fromkeys(march.errors, math.inf)
    # what the relative errors are relative to: an output that vanishes is measured by the others
    sizes = dict(zip(equation.outputs, scales(march.sizes).tolist(), strict=True))
    sizes |= {name: abs(value) for name, value in last.unknowns().items()}
    metrics = {f"uncertainty_{name}": error * sizes[name] for name, error in errors.items()}
    error = max(errors.values())
    if stop.reached and not error <= march.progress.tol:
        # whatever a recipe says
        stop = Stop(
            False, f"the estimated error is {error:.0e}" if march.complete else "the recipe stopped before the end"
        )
    model.findings = [] if stop.reached else [f"the tolerance was not reached: {stop.reason}"]
    ending = Ending(
        march.progress.tol, stop.reached, stop.reason, error, len(march.pieces),
        march.pieces[-1].main.features, march.pieces[-1].main.count, seconds,
    )  # fmt: skip
    columns = {name: np.array([row[name] for row in history]) for name in (history[0] if history else ())}
    solution = Solution(model, columns, metrics, torch.float64, ending)
    solution.metrics.update(true_errors(solution))
    return solution


def _network(march: March) -> Build:
    """How the network of the whole solution is built."""
    builds = [piece.main.build for piece in march.pieces]
    if march.evolution is None:
        return builds[-1]
    ends = [piece.end for piece in march.pieces[:-1] if piece.end is not None]
    return partial(Windows, along=march.evolution.along, ends=ends, networks=builds)


def true_errors(solution: Solution) -> dict[str, float]:
    """The errors against the exact solution and unknowns, where they are known, at held-out points."""
    equation = solution.model.equation
    found = {
        f"error_{name}": abs(solution.unknowns[name] - unknown.truth)
        for name, unknown in equation.unknowns().items()
        if unknown.truth is not None
    }
    if not equation.solved:
        return found
    constraints = equation.constraints()
    pairs = []
    for name in equation.outputs:
        # an output of one part of the region is compared there
        inside = constraints[home(equation, name)]
        points = inside.flat(Sobol().sample(inside.region, inside.region.units(_HELD_OUT), 15485863))
        with torch.no_grad():
            pairs.append((solution.model(points)[name], equation.solution(points)[name].value))
    both = [torch.cat(values) for values in zip(*pairs, strict=True)]
    return found | {"relative_l2": float(relative_l2(*both)), "max_error": float(max_error(*both))}


def _hand_on(solution: Solution) -> None:
    """After a Ctrl-C: at a prompt the person has the solution so far, elsewhere whoever called is interrupted."""
    if hasattr(sys, "ps1"):
        logging.getLogger("pinnlab").warning("pinnlab: interrupted: this is what was found")
        return
    stop = KeyboardInterrupt("what was found is this exception's attribute solution")
    stop.solution = solution  # type: ignore[attr-defined]
    raise stop
