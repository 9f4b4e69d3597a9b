"""Solving an equation to a tolerance: what `pinnlab.solve(equation, tol=…)` does."""

from __future__ import annotations

import dataclasses
import math
import time
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import torch

from pinnlab.collocation import Sobol
from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.equations.base import twin
from pinnlab.equations.domain import home
from pinnlab.errors import NothingFoundError, UserError
from pinnlab.geometry import Points
from pinnlab.networks import Build, Windows
from pinnlab.reporting.line import Line
from pinnlab.solution.loading import load
from pinnlab.solution.solution import Solution
from pinnlab.solution.tolerance.ending import Ending
from pinnlab.solution.tolerance.history import History, Watch, told
from pinnlab.solution.tolerance.solve_folder import SolveFolder, fingerprint
from pinnlab.strategy.agreement import scales
from pinnlab.strategy.march import March, Start
from pinnlab.strategy.memory import available
from pinnlab.strategy.recipe import Answer, Decision, Recipe, Stop, Survey
from pinnlab.strategy.recipes.refinement import Refinement
from pinnlab.strategy.structure.evolution import evolution
from pinnlab.strategy.way import Way
from pinnlab.training.callbacks.interruption import at_a_prompt, interrupt
from pinnlab.training.callbacks.progress import shown
from pinnlab.training.evaluation.metrics import max_error, relative_l2
from pinnlab.training.phases import GaussNewton
from pinnlab.training.pinn import PINN
from pinnlab.training.setup.settings import default_dtype, without_warnings

TOL = 1e-6
"""The tolerance where none is given."""

_HELD_OUT = 2000


def solve_to(
    equation: Equation,
    tol: float = TOL,
    *,
    tol_unknowns: float | None = None,
    recipe: Recipe | None = None,
    time_limit: float | None = None,
    memory: float | None = None,
    start: Solution | str | Path | None = None,
    seed: int = 0,
    folder: str | Path | None = None,
    progress: bool | None = None,
    watch: Watch | None = None,
) -> Solution:
    """Solves an equation to a tolerance: see `pinnlab.solve`.

    Args:
        equation: The equation. Its unknowns have the values found in the end.
        tol: For each output, the largest error over region and time relative to the output's largest value; for each
            unknown, the error relative to its value. A millionth by default.
        tol_unknowns: The tolerance of unknowns in place of `tol`.
        recipe: Decides what is tried; `Refinement` by default.
        time_limit: Seconds after which the solve ends, in the midst of a step if there is a solution already.
        memory: Bytes that the solve may take beside what the process has; four fifths of what the machine has left by
            default. Features that would take more are not tried.
        start: A solution, or the folder of a run, at whose values the first solves begin.
        seed: Of features and points.
        folder: A run folder; one that a solve with the same arguments has left unfinished is continued.
        progress: Show what each step finds: a line that is written anew on a terminal and in a notebook, elsewhere a
            line for each. By default that is shown at a prompt, as in a notebook.
        watch: Called with each row of the record, as soon as it is known whether it was accepted.

    Raises:
        UserError: if a number is out of range.
        NothingFoundError: if no solution was found at all.
        KeyboardInterrupt: after a Ctrl-C that was not typed at a prompt; its attribute `solution` is what was found.
    """
    check_arguments(equation, tol, recipe, time_limit, tol_unknowns, memory)
    progress = shown(progress)
    began = time.perf_counter()
    # as every training does: a float32 unknown has seven digits
    equation.to(torch.float64)
    with without_warnings(), torch.random.fork_rng(devices=[]), default_dtype(torch.float64), ExitStack() as stack:
        recipe = recipe or Refinement()
        begin = None if start is None else _given(equation, start)
        about = {"tol_unknowns": tol_unknowns, "start": None if begin is None else fingerprint(begin)}
        record = None if folder is None else SolveFolder(Path(folder), equation, recipe, tol, seed, about)
        if record is not None:
            stack.enter_context(record.folder.locked())
            stack.enter_context(record.worth_keeping())
            if progress and (steps := len(record.journal.lines())):
                print(f"{record.folder.path} goes on after step {steps}", flush=True)
        march = March(
            equation,
            recipe,
            tol,
            seed,
            tol_unknowns=tol_unknowns,
            memory=memory or available(),
            start=None if begin is None else _start(begin, equation),
        )
        history = History(watch)

        def seconds() -> float:
            return time.perf_counter() - began

        def over() -> str:
            return "the time limit" if time_limit is not None and seconds() > time_limit else ""

        line: Line | None = None

        def tell(decision: Decision, answer: Answer) -> None:
            history.add(decision, answer, seconds())
            if line is not None:
                line.show(told(decision, answer, march), march.way.part, small=isinstance(decision, Survey))

        interrupted = False
        try:
            with Line(seconds) if progress else nullcontext() as line:
                stop = march.run(None if record is None else record.journal, over, tell, late=over)
        except KeyboardInterrupt:
            if not march.found:
                raise
            interrupted, stop = True, Stop(False, "Ctrl-C")
        history.close()
        solution = _solution(march, stop, seconds(), history.columns())
        if record is not None:
            record.finish(solution, _network(march.best))
    for name, unknown in equation.unknowns().items():
        with torch.no_grad():
            unknown.parameter.fill_(solution.unknowns[name])
    if interrupted and not at_a_prompt(where := f"attempt {len(history.rows)}"):
        raise interrupt(where, solution)
    return solution


def check_arguments(
    equation: Equation,
    tol: float,
    recipe: Recipe | None = None,
    time_limit: float | None = None,
    tol_unknowns: float | None = None,
    memory: float | None = None,
) -> None:
    """Makes sure that an equation can be solved to a tolerance with these arguments, before anything is done.

    Raises:
        UserError: if a number is out of range, or the equation is wrong.
    """
    if not isinstance(tol, int | float) or not 0 < tol < 1:
        raise UserError(f"tol lies between 0 and 1, as 1e-6, not {tol!r}")
    if tol_unknowns is not None and not (isinstance(tol_unknowns, int | float) and 0 < tol_unknowns < 1):
        raise UserError(f"tol_unknowns lies between 0 and 1, as 1e-3, not {tol_unknowns!r}")
    if tol_unknowns is not None and not equation.unknowns():
        raise UserError(f"{equation.name} has no unknowns: leave out tol_unknowns")
    if time_limit is not None and not (isinstance(time_limit, int | float) and time_limit > 0):
        raise UserError(f"time_limit is a number of seconds, not {time_limit!r}")
    if memory is not None and not (isinstance(memory, int | float) and memory > 0):
        raise UserError(f"memory is a number of bytes, as 8e9, not {memory!r}")
    if recipe is not None and not isinstance(recipe, Recipe):
        raise UserError(f"recipe is a Recipe, as Refinement(most=6400), not {recipe!r:.60}")
    equation.check()


def _given(equation: Equation, start: Solution | str | Path) -> Solution:
    """The solution to begin from.

    Raises:
        UserError: if it is none, or lacks an input or output of the equation.
    """
    if not isinstance(start, Solution | str | Path):
        raise UserError(f"start is a Solution or the folder of a run, not {start!r:.60}")
    found = start if isinstance(start, Solution) else load(start)
    there = found.model.equation
    if set(there.inputs) != set(equation.inputs) or not set(equation.outputs) <= set(there.outputs):
        raise UserError(
            f"{equation.name} has {', '.join(equation.outputs)} of {', '.join(equation.inputs)}, and the start "
            f"{', '.join(there.outputs)} of {', '.join(there.inputs)}: take one with the same names"
        )
    return found


def _start(solution: Solution, equation: Equation) -> Start:
    """What a solve begins from: values at points, extrapolated outside of the solution's own region."""

    def values(points: Points) -> torch.Tensor:
        found = solution.evaluate(**{name: points[name].numpy() for name in equation.inputs})
        return torch.stack([torch.from_numpy(found[name]).double() for name in equation.outputs], dim=1)

    return Start(values, solution.unknowns)


def _solution(march: March, stop: Stop, seconds: float, columns: dict[str, np.ndarray]) -> Solution:
    """The solution that a march has found, as one network.

    Raises:
        NothingFoundError: if there is none.
    """
    way, tol = march.settle(), march.progress.tol
    if not way.pieces:
        raise NothingFoundError(stop.reason)
    equation = twin(march.equation)
    last = way.pieces[-1].main
    for name, value in last.unknowns().items():
        with torch.no_grad():
            equation.unknowns()[name].parameter.fill_(value)
    model = PINN(equation, _network(way), NTP(), [GaussNewton(0)])
    state: dict[str, torch.Tensor] = {}
    for number, piece in enumerate(way.pieces):
        prefix = f"networks.{number}." if way.evolution is not None else ""
        state |= {f"{prefix}{name}": value for name, value in piece.main.network.state_dict().items()}
    model.residuals.network.load_state_dict(state)
    errors = way.errors if way.complete else dict.fromkeys(way.errors, math.inf)
    # what the relative errors are relative to: an output that vanishes is measured by the others
    sizes = dict(zip(equation.outputs, scales(way.sizes).tolist(), strict=True))
    sizes |= {name: abs(value) for name, value in last.unknowns().items()}
    metrics = {f"uncertainty_{name}": error * sizes[name] for name, error in errors.items()}
    own = march.progress.tol_unknowns
    kept = {name: value for name, value in errors.items() if name not in stop.without}
    judged = kept if own is None else {name: value for name, value in kept.items() if name in equation.outputs}
    error = max(judged.values(), default=math.inf)
    unknowns = None if own is None else max(value for name, value in kept.items() if name not in judged)
    if stop.reached and not (judged and march.progress.largest(kept) <= tol):
        # whatever a recipe says
        estimate = f"the estimated error is {error:.0e}" + (f", {unknowns:.0e} of unknowns" if unknowns else "")
        stop = Stop(False, estimate if way.complete else "the recipe stopped before the end")
    model.findings = [] if stop.reached else [f"the tolerance was not reached: {stop.reason}"]
    model.findings += [
        f"{name} is left out of the tolerance: no condition on a boundary bounds it, and more features hardly help"
        for name in stop.without
    ]
    ending = Ending(
        tol,
        stop.reached,
        stop.reason,
        error,
        len(way.pieces),
        last.features.count,
        last.count,
        seconds,
        own,
        unknowns,
        None if way.complete else way.time,
        list(stop.without),
    )
    if ending.broken_off and march.latest is not None:
        ending = dataclasses.replace(ending, place=march.latest.place)
    solution = Solution(model, columns, metrics, torch.float64, ending)
    solution.metrics.update(true_errors(solution))
    return solution


def _network(way: Way) -> Build:
    """How the network of the whole solution is built."""
    builds = [piece.main.build for piece in way.pieces]
    if way.evolution is None:
        return builds[-1]
    ends = [piece.end for piece in way.pieces[:-1] if piece.end is not None]
    return partial(Windows, along=way.evolution.along, ends=ends, networks=builds)


def true_errors(solution: Solution) -> dict[str, float]:
    """The errors against the true solution and unknowns, where they are known, at held-out points.

    Of a solution that does not reach the end of time they are those up to where it comes.
    """
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
        region, until = inside.region, None if solution.ending is None else solution.ending.until
        if until is not None and (time := evolution(equation)) is not None:
            region = region.within(time.along, time.start, until) or region
        points = inside.flat(Sobol().sample(region, region.units(_HELD_OUT), 15485863))
        with torch.no_grad():
            pairs.append((solution.model(points)[name], equation.solution(points)[name].value))
    both = [torch.cat(values) for values in zip(*pairs, strict=True)]
    return found | {"relative_l2": float(relative_l2(*both)), "max_error": float(max_error(*both))}
