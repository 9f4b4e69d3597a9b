"""Early stopping of a phase that overfits: it fits its points and not the equation between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

# The held-out loss is looked at whenever the training loss has fallen to this part of what it was at the last look:
# some tens of times in a run of twenty decades, whatever the phase.
_FALL = 0.25
# Points that are fitted alone leave a gap of orders between the two losses, and the held-out loss rises by orders. Less
# is what it does in good runs, where it swings as the network passes from one shape to another.
_RISE, _GAP, _LOOKS = 10.0, 100.0, 3


class HeldOut:
    """The network of a phase that had the lowest loss at points that training does not use.

    A look is bad if the held-out loss is more than ten times the lowest of the phase, and more than a hundred times the
    training loss. After three bad looks in a row, or a bad one where the phase ends, the phase has fitted its points
    alone. The network with the lowest held-out loss is the better one. Named state: it is changed between steps and is
    in checkpoints.

    Attributes:
        best: The lowest held-out loss of the phase; None before a look.
        last: The latest one.
    """

    def __init__(self) -> None:
        self.best: float | None = None
        self.last: float | None = None
        self._kept: dict[str, Tensor] = {}
        self._mark = 0.0
        self._bad = 0

    def begin(self, held_out: float, state: Mapping[str, Tensor]) -> None:
        """Forgets the phase before, and looks where this one begins.

        Args:
            held_out: The held-out loss.
            state: The network and the unknowns.
        """
        self.best = self.last = held_out
        self._keep(state)
        self._mark, self._bad = float("inf"), 0

    def look(self, loss: float, held_out: Callable[[], float], state: Callable[[], Mapping[str, Tensor]]) -> bool:
        """Looks after a step, if it is time.

        Args:
            loss: The training loss where the step started.
            held_out: Evaluates the held-out loss.
            state: The network and the unknowns.

        Returns:
            Whether the phase has gone on long enough without a better network.
        """
        if self.best is None or not loss <= _FALL * self._mark:
            return False
        self._mark = loss
        self._bad = self._bad + 1 if self._look(loss, held_out(), state) else 0
        return self._bad >= _LOOKS

    def ended(self, loss: float, held_out: Callable[[], float], state: Callable[[], Mapping[str, Tensor]]) -> bool:
        """Looks where a phase ends: whether the network that was kept is clearly the better one."""
        return self.best is not None and self._look(loss, held_out(), state)

    @property
    def kept(self) -> Mapping[str, Tensor]:
        """The network and the unknowns that had the lowest held-out loss."""
        return self._kept

    def _look(self, loss: float, held_out: float, state: Callable[[], Mapping[str, Tensor]]) -> bool:
        assert self.best is not None
        self.last = held_out
        if held_out < self.best:
            self.best = held_out
            self._keep(state())
        return not held_out <= max(_RISE * self.best, _GAP * loss)  # NaN is bad

    def _keep(self, state: Mapping[str, Tensor]) -> None:
        self._kept = {name: value.detach().clone() for name, value in state.items()}

    def state_dict(self) -> dict[str, Any]:
        """Numbers and tensors for a checkpoint."""
        return {"best": self.best, "last": self.last, "kept": self._kept, "mark": self._mark, "bad": self._bad}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes up what a checkpoint holds."""
        self.best, self.last = state["best"], state["last"]
        self._kept, self._mark, self._bad = dict(state["kept"]), state["mark"], state["bad"]
