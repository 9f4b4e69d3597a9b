"""The damped linear problems of one Levenberg-Marquardt step, within the bounds of its unknowns."""

from __future__ import annotations

from torch import Tensor

from pinnlab.optimisers.bounds import Room
from pinnlab.optimisers.linear.least_squares import Damped, LeastSquares
from pinnlab.optimisers.linear.operators import Columns, LinearOperator
from pinnlab.optimisers.problem import Problem


class Systems:
    """The damped problems of one step, each without the bounded components that do not move freely in it."""

    def __init__(
        self,
        factorised: LeastSquares,
        problem: Problem,
        theta: Tensor,
        r: Tensor,
        jacobian: LinearOperator,
        gradient: Tensor,
    ) -> None:
        self._ranks, self._r, self._jacobian = problem.ranks, r, jacobian
        self._made: dict[frozenset[int], LeastSquares] = {frozenset(): factorised}
        self._closed: frozenset[int] = frozenset()
        self._room: Room | None = None
        if problem.box is not None:
            self._room = problem.box.room(theta)
            slopes = self._ranks.sum(gradient[self._room.indices])
            self._closed = _chosen(self._room.indices, self._room.closed(slopes))

    def solve(self, damping: float) -> tuple[Damped, Tensor]:
        """The step within the bounds, and the damped problem of the components that did not meet theirs."""
        held, fixed = self._closed, self._r.new_zeros(self._jacobian.shape[1])
        while True:
            damped = self._damped(held, damping)
            step = fixed + damped.solve(self._r + self._jacobian.matvec(fixed)) if held else damped.solve(self._r)
            if self._room is None:
                return damped, step
            out = _chosen(self._room.indices, self._room.beyond(step)) - held
            if not out:
                return damped, step
            held = held | out
            stopped = self._room.clip(step)
            for i in out:
                fixed[i] = stopped[i]

    def clip(self, step: Tensor) -> Tensor:
        """A step within the bounds."""
        return step if self._room is None else self._room.clip(step)

    def _damped(self, held: frozenset[int], damping: float) -> Damped:
        columns = self._jacobian.shape[1]
        kept = [i for i in range(columns) if i not in held] if held else []
        if held not in self._made:
            self._made[held] = type(self._made[frozenset()])(Columns(self._jacobian, kept), self._ranks)
        damped = self._made[held].damped(damping)
        if not held:
            return damped

        def solve(b: Tensor) -> Tensor:
            full = b.new_zeros(columns)
            full[kept] = damped.solve(b)
            return full

        return Damped(damped.damping, solve)


def _chosen(indices: Tensor, mask: Tensor) -> frozenset[int]:
    return frozenset(indices[mask].tolist())
