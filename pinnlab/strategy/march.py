"""The loop of a solve with a tolerance: a recipe proposes, two solves tell their error, the recipe accepts or not."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from pinnlab.equations import Equation
from pinnlab.equations.base import twin
from pinnlab.strategy.agreement import (
    Piece,
    before,
    changed,
    compared,
    differences,
    largest,
    layers_of,
    main_of,
    measured_errors,
    other_of,
    unresolved,
)
from pinnlab.strategy.features import Features, Layered, Range
from pinnlab.strategy.layers import stretchable
from pinnlab.strategy.loop import Loop
from pinnlab.strategy.memory import Demand
from pinnlab.strategy.recipe import FEWER, Decision, Outcome, Progress, Proposal, Recheck, Recipe, Survey, Vary
from pinnlab.strategy.structure.bounds import unbounded
from pinnlab.strategy.structure.evolution import evolution
from pinnlab.strategy.structure.parameter import with_value
from pinnlab.strategy.structure.periodicity import periodic_inputs
from pinnlab.strategy.structure.window import Window
from pinnlab.strategy.trials.trial import Guess, Trial, expected, solved

# A survey orders losses, for which few steps do.
_SURVEY_STEPS = 12


@dataclasses.dataclass(frozen=True)
class Start:
    """Where the first solves begin, for an equation that is not linear.

    Attributes:
        values: The outputs there.
        unknowns: Values of unknowns; those that an equation does not have, or that lie beyond its bounds, are ignored.
    """

    values: Guess
    unknowns: Mapping[str, float]


class March(Loop):
    """Solves an equation window after window, or in one piece, as a recipe says."""

    def __init__(
        self,
        equation: Equation,
        recipe: Recipe,
        tol: float,
        seed: int = 0,
        *,
        tol_unknowns: float | None = None,
        memory: float = math.inf,
        start: Start | None = None,
    ) -> None:
        """Begins.

        Args:
            equation: The equation; it stays as it is.
            recipe: What decides.
            tol: The tolerance, relative to the size of each output.
            seed: Of features and points.
            tol_unknowns: The tolerance of unknowns, relative to the value of each; `tol` by default.
            memory: The bytes that a solve may take; see `Demand`.
            start: Where the first solves begin; with time those of the first window.
        """
        self.equation, self.seed, self.memory, self.start = equation, seed, memory, start
        self._varied = equation
        self.evolution = evolution(equation)
        self._periodic = periodic_inputs(equation)
        self._stretchable = stretchable(equation, None if self.evolution is None else self.evolution.along)
        self._expected: Range | None = None
        super().__init__(recipe, Progress(equation, self.evolution, tol, tol_unknowns=tol_unknowns))
        self.progress.periodic, self.progress.unbounded = self._periodic, unbounded(equation)

    def _lacking(self, decision: Decision) -> str:
        """What features would need and cannot have, in words: memory, or conditions that determine them."""
        if not isinstance(decision, Proposal | Survey):
            return ""
        proposed = decision.features if isinstance(decision, Survey) else (decision.features,)
        window = self._within(decision.end, main_of(self._last))
        few = dataclasses.replace(proposed[0], count=1)
        trial = Trial.untrained(window, few, Range.unit(len(self.equation.outputs)))
        return Demand.of(trial.residuals).lacking(proposed, self.memory)

    @property
    def _last(self) -> Piece | None:
        """The piece that the next window goes on from."""
        return self.way.pieces[-1] if self.way.pieces and self.evolution is not None else None

    def _survey(self, survey: Survey) -> tuple[float, ...]:
        """The held-out losses of solves with each of the features."""
        last, outputs = self._last, self._range()
        found = []
        for features in survey.features:
            window = self._within(survey.end, main_of(last))
            seeded = dataclasses.replace(features, seed=self.seed, periodic=self._periodic)
            trial = solved(window, seeded, outputs, steps=_SURVEY_STEPS, guess=self._guess(), before=self._step)
            found.append(trial.held_out)
        return tuple(loss if math.isfinite(loss) else math.inf for loss in found)

    def _attempt(self, proposal: Proposal) -> Outcome:
        """Tries a proposal.

        The solution with fewer features is found first, and the other one from there. In a later window both go on from
        the same solution, and the one with fewer features then also from its own.
        """
        features, fewer = self._seeded(proposal.features)
        last, outputs = self._last, self._range()

        def solve(features: Features, start: Trial | None, guess: Guess | None, reference: float = 0.0) -> Trial:
            window = self._within(proposal.end, start)
            return solved(window, features, outputs, guess=guess, reference=reference, before=self._step)

        other = solve(fewer, main_of(last), self._guess())
        main = solve(features, main_of(last), other.values, other.first)
        places = compared(main)
        sizes = torch.maximum(self.way.sizes, largest(main, places))
        local, where = differences(main, other, places, sizes)
        # beside a pressure that is infinite at corners no residual gets small
        least = unresolved(main, outputs, sizes, None if self.progress.unbounded else other)
        errors = dict(local)
        if last is not None and self.progress.largest(local) <= min(1.0, proposal.enough):
            other = solve(fewer, last.other, other.values, other.first)
            errors, where = differences(main, other, places, sizes)
        elif last is not None:
            errors = {name: error + self.way.errors[name] for name, error in local.items()}
        noise = measured_errors(main, sizes)
        errors = {name: max(error, least, noise.get(name, 0.0)) for name, error in errors.items()}
        self._candidate = Piece(proposal.end, main, other, errors, sizes)
        judged = self.progress.largest
        return Outcome(
            self.progress.time,
            max(judged(local), least),
            max(judged(errors), judged(self.way.errors)) if self._last else judged(errors),
            where,
            main.held_out,
            0.0 if self.evolution is None else changed(main, places, sizes, self.evolution.along),
            judged(noise),
            Demand.of(main.residuals).most(features, self.memory),
            *self._layers(main, sizes, self.progress.largest(local) > proposal.enough),
            errors,
            other.held_out,
        )

    def _change(self, decision: Vary) -> bool:
        """Takes the equation with another value, to begin at the solution that was accepted for the value before."""
        if self.way.pieces:
            main = self.way.pieces[-1].main
            self.start = Start(main.values, main.unknowns())
        self._varied, self._expected = with_value(self.equation, decision.parameter, decision.value), None
        return self._varied is self.equation

    def _layers(self, trial: Trial, sizes: Tensor, failed: bool) -> tuple[Layered, Layered]:
        """The layers of a solution, if it is not exact enough, and those at its end, if its coordinates follow some."""
        along = None if self.evolution is None else self.evolution.along
        within = layers_of(trial, sizes, self._stretchable, None) if failed else ()
        onward = layers_of(trial, sizes, self._stretchable, along) if along and any(trial.features.layers) else ()
        return within, onward

    def _restore(self, state: Mapping[str, Any]) -> None:
        """Accepts the last proposal with solutions that were kept."""
        proposal, last, outputs = self._proposed, self._last, self._range()
        assert proposal is not None
        features, fewer = self._seeded(proposal.features)

        main = Trial.restored(self._within(proposal.end, main_of(last)), features, outputs, state["main"])
        main.held_out = state["held_out"]
        other = Trial.restored(self._within(proposal.end, other_of(last)), fewer, outputs, state["other"])
        self._candidate = Piece(proposal.end, main, other, dict(state["errors"]), state["sizes"])
        self.accept()

    def _recheck(self, decision: Recheck, state: Mapping[str, Any] | None) -> float:
        """Finds the solution with fewer features again, or takes that which was kept; returns the error."""
        number, pieces = decision.window, self.way.pieces
        piece, start = pieces[number], other_of(pieces[number - 1]) if number else None
        begin = pieces[number - 1].end if number else None if self.evolution is None else self.evolution.start
        main, window = piece.main, self._within(piece.end, start, begin)
        more, outputs = main.features.grown(decision.part), Range.of(main.network)
        more = dataclasses.replace(more, seed=main.features.seed + 1)
        if state is not None:
            other = Trial.restored(window, more, outputs, state["other"])
            errors = dict(state["errors"])
        else:
            other = solved(window, more, outputs, guess=piece.other.values, before=self._step)
            errors = differences(main, other, compared(main), piece.sizes)[0]
            least, noise = unresolved(main, outputs, piece.sizes), measured_errors(main, piece.sizes)
            errors = {name: max(error, least, noise.get(name, 0.0)) for name, error in errors.items()}
        self.way.replace(number, dataclasses.replace(piece, other=other, errors=errors))
        return self.progress.largest(errors)

    def _seeded(self, features: Features) -> tuple[Features, Features]:
        """The features of both solutions of a proposal, each with its seed; fewer features resolve longer waves."""
        first = dataclasses.replace(features, seed=self.seed + 2 * len(self.way.pieces), periodic=self._periodic)
        return first, dataclasses.replace(first.grown(FEWER), seed=first.seed + 1)

    def _within(self, end: float | None, start: Trial | None, begin: float | None = None) -> Equation:
        """The equation in a window, the next one by default, or without time as a whole, with unknowns of its own."""
        if self.evolution is None:
            whole = twin(self._varied)
            for name, unknown in whole.unknowns().items():
                unknown.reset()
                value = math.nan if self.start is None else self.start.unknowns.get(name, math.nan)
                if unknown.limits[0] <= value <= unknown.limits[1]:
                    with torch.no_grad():
                        unknown.parameter.fill_(value)
            return whole
        begin = self.progress.time if begin is None else begin
        assert begin is not None
        assert end is not None
        handed = None if start is None else before(start, self.evolution.along, self.evolution.orders)
        return Window(self.equation, self.evolution, begin, end, handed)

    def _range(self) -> Range:
        """The values that the outputs are expected to have in the next window."""
        still = self._values_at_start
        if still is None:
            if self._expected is None:
                end = None if self.evolution is None else self.evolution.end
                self._expected = expected(self._within(end, None))
            return self._expected
        size = tuple(float(s) or 1.0 for s in self.way.sizes)
        assert self._last is not None
        return Range(tuple(still(compared(self._last.main).points).mean(0).tolist()), size)

    def _guess(self) -> Guess | None:
        """Where the first of two solves begins: at the start; later at the end of the last window, held there.

        For one input the latter is a constant, as the centre of the features' range is.
        """
        if self._last is None:
            return None if self.start is None else self.start.values
        return None if self.equation.dimension == 1 else self._values_at_start

    @property
    def _values_at_start(self) -> Guess | None:
        last, begin = self._last, self.progress.time
        if last is None:
            return None
        assert self.evolution is not None
        assert begin is not None
        along = self.evolution.along
        return lambda points: last.main.values({**points, along: torch.full_like(points[along], begin)})
