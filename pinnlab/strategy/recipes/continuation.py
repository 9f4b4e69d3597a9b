"""The recipe for equations that are solved from nothing at an easy value of a parameter alone."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field, replace

from pinnlab.errors import UserError
from pinnlab.strategy.features import Features
from pinnlab.strategy.layers import resolved
from pinnlab.strategy.recipe import (
    Accept,
    Answer,
    Decision,
    Decisions,
    Outcome,
    Progress,
    Proposal,
    Recipe,
    Stop,
    Vary,
)
from pinnlab.strategy.recipes.refinement import Refinement
from pinnlab.strategy.structure.parameter import value_of

# The first step and the shortest one, as parts of the way, and the factors on a step after a success and a failure.
_FIRST, _SHORTEST, _LENGTHEN, _SHORTEN = 0.25, 0.01, 1.5, 0.5
# An error of this part of the solution says that the solves found none, and not that features lack.
_NONSENSE = 0.3
# Two solves with other features and points whose losses agree to this part found no solution: the same function is the
# nearest to one for both. Below this error, the loss may consist of rounding errors.
_ALIKE, _EXACT = 0.1, 1e-6
# Factor on the number of features, and the factor on the error with which a change of them has helped.
_MORE, _HELPED = 1.5, 0.5


@dataclass
class Continuation(Recipe):
    """Solves for an easy value of a parameter, then for others up to that of the equation, each from the one before.

    A step to the next value that succeeds makes the following one half as long again; one that fails is halved. Steps
    are factors on the value if both ends have one sign, and differences otherwise. On the way a rough solution will do.
    For the equation as written another recipe takes over, which begins at what was found, with more features.

    Args:
        parameter: The attribute of the equation that is varied: a number that a residual reads.
        start: The easy value.
        recipe: Solves for the first value, roughly, and in the end for the last one, to the tolerance.
        rough: The relative error that is allowed on the way; outputs that no boundary bounds are left out of it.

    Example:
        u'' + λ eᵘ = 0 from λ = 1 to 3.4; there is no solution beyond λ = 3.51:

        >>> import pinnlab, torch
        >>> from pinnlab.equations import Constraint, Equation
        >>> from pinnlab.geometry import Interval
        >>> class Bratu(Equation):
        ...     inputs, outputs = ("x",), ("u",)
        ...     lam = 3.4
        ...
        ...     def constraints(self):
        ...         line = Interval(x=(0, 1))
        ...         ends = Constraint(line.boundary, lambda u: u)
        ...         return {"inside": Constraint(line, self.balance), "ends": ends}
        ...
        ...     def balance(self, x, u):
        ...         return u.d(x, x) + self.lam * torch.exp(u)
        >>> solution = pinnlab.solve(Bratu(), tol=1e-6, recipe=Continuation("lam", 1.0))
        >>> solution.ending.reached, f"{solution(x=0.5):.4f}"
        (True, '0.9091')
    """

    parameter: str
    start: float
    recipe: Recipe = field(default_factory=Refinement)
    rough: float = 1e-2

    def decisions(self, progress: Progress) -> Decisions:
        """See `Recipe.decisions`.

        Raises:
            UserError: if the equation has no such parameter, or has that value, or a number is out of range.
        """
        if not 0 < self.rough < 1:
            raise UserError(f"rough lies between 0 and 1, as 0.01, not {self.rough}")
        name, end = self.parameter, value_of(progress.equation, self.parameter)
        if not math.isfinite(self.start) or self.start == end:
            raise UserError(f"{progress.equation.name} has {name} = {end:g}: give another number to start from")
        yield Vary(name, self.start, "where the equation is easy")
        stop = yield from self.recipe.decisions(replace(progress, tol=self.rough))
        if not stop.reached or progress.features is None:
            return Stop(False, f"no solution was found for {name} = {self.start:g}: {stop.reason}")
        features, done, step, why = progress.features, 0.0, _FIRST, "the next value"
        while True:
            to = 1.0 if step >= 1 - done else done + step
            yield Vary(name, self._value(to, end), why)
            found = yield from self._solved(progress, features)
            if found is None:
                step, why = _SHORTEN * (to - done), "a shorter step"
                if step < _SHORTEST:
                    return Stop(False, f"no solution was found beyond {name} = {self._value(done, end):.4g}")
                continue
            features, outcome = found
            if to == 1:
                break
            step, done, why = _LENGTHEN * (to - done), to, "the next value"
        if progress.largest(outcome.errors) <= progress.tol:
            return Stop(True)
        yield Vary(name, end, "to the tolerance")
        # so many features were not enough
        return (yield from self.recipe.decisions(replace(progress, features=features.grown(_MORE))))

    def _value(self, part: float, end: float) -> float:
        """The value after a part of the way."""
        if part == 1:
            return end
        if self.start * end > 0:
            return float(self.start * (end / self.start) ** part)
        return self.start + part * (end - self.start)

    def _solved(
        self, progress: Progress, features: Features
    ) -> Generator[Decision, Answer, tuple[Features, Outcome] | None]:
        """A rough solution, with other layers or more features as long as these help; None if there is none."""
        outcome = yield Proposal(features, enough=self.rough)
        assert isinstance(outcome, Outcome)
        while (error := _error(progress, outcome)) > self.rough:
            if error > _NONSENSE or _missed(outcome):
                return None
            others = {"more features": features.grown(_MORE)}
            if any(outcome.layers) and not resolved(features, outcome.layers):
                others = {"coordinates stretched for the layers": features.stretched(outcome.layers)} | others
            for why, other in others.items():
                found = yield Proposal(other, why=why, enough=self.rough)
                assert isinstance(found, Outcome)
                if _error(progress, found) <= _HELPED * error:
                    features, outcome = other, found
                    break
            else:
                return None
        if _missed(outcome):
            return None
        yield Accept()
        return features, outcome


def _error(progress: Progress, outcome: Outcome) -> float:
    """The largest error of what conditions bound, or of all if they bound nothing."""
    bounded = [error for name, error in outcome.errors.items() if name not in progress.unbounded]
    return max(bounded or outcome.errors.values())


def _missed(outcome: Outcome) -> bool:
    """Whether both solves came near to a solution that there is not.

    Where there is one, other features leave another loss, and that often by orders.
    """
    alike = abs(outcome.held_out - outcome.held_out_fewer) <= _ALIKE * outcome.held_out
    return alike and outcome.error > _EXACT and outcome.noise == 0
