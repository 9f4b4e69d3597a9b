"""The weights of a balancing scheme during a run: named state, changed between two steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from pinnlab.equations import Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Points, size
from pinnlab.ranks import Ranks
from pinnlab.residuals import Residuals
from pinnlab.residuals.balancing import Balancing, Fixed, Snapshot
from pinnlab.residuals.balancing.base import State
from pinnlab.residuals.weighting import Weighting


class Balancer:
    """A scheme with its state.

    The state is changed by `update` alone, before a step, from numbers that are the same on all ranks. It is in
    checkpoints, so that a resumed run goes on with the same weights.

    Args:
        scheme: The scheme; None for the fixed weights alone.
        equation: The equation that is trained.

    Attributes:
        scheme: The scheme.
        names: The constraints whose weights change.
        state: What the scheme remembers.

    Raises:
        UserError: if the scheme does not fit the equation.
    """

    def __init__(self, scheme: Balancing | None, equation: Equation) -> None:
        self.scheme = scheme or Fixed()
        self.names = list(self.scheme.weighed(equation))
        self.state: State = {}

    def check(self, changes: bool) -> None:
        """Refuses points that change under weights that belong to them.

        Args:
            changes: Whether later steps may see other points.

        Raises:
            UserError: if they may, and the weights are of single points.
        """
        if changes and self.scheme.pointwise:
            raise UserError(
                f"{self.scheme.name} keeps a weight for each point, and this run draws its points anew: set "
                "resample_every to 0 and leave out ResidualAdaptive, or take a balancing without weights of single "
                "points, such as GradNorm or Causal"
            )

    def weighting(self, fixed: Weighting, points: Mapping[str, Points], ranks: Ranks) -> Weighting:
        """The fixed weighting with the weights of the scheme at these points, a rank's share.

        Raises:
            UserError: if the weights of single points are those of other points.
        """
        if not self.names:
            return fixed
        at_points = {}
        for name, batch in points.items():
            found = self.scheme.at(self.state, name, batch, ranks.rank, ranks.size)
            if found is None:
                continue
            if len(found) != size(batch):
                raise UserError(
                    f"{self.scheme.name} keeps a weight for each point, and those of {name!r} are of another number of "
                    "points: go on with the numbers of points with which the run began"
                )
            at_points[name] = found
        return fixed.balanced(self.scheme.weights(self.state), at_points)

    def update(
        self, step: int, residuals: Residuals, points: Mapping[str, Points], fixed: Weighting, ranks: Ranks
    ) -> float:
        """Changes the weights, if it is time.

        Args:
            step: The number of the training step in the run that is about to begin, from 0.
            residuals: The residuals.
            points: The points of that step, a rank's share.
            fixed: The factors on rows without balancing.
            ranks: Who holds the other points.

        Returns:
            The loss with the new weights over that with the old ones, at the same parameters; 1 if it is not time.
        """
        if not self.scheme.due(step):
            return 1.0
        here = Snapshot(residuals, points, fixed, ranks)
        before = self.weighting(fixed, points, ranks)
        self.state = self.scheme.update(self.state, here)
        old, new = here.loss(before), here.loss(self.weighting(fixed, points, ranks))
        return new / old if old > 0 else 1.0

    def columns(self, weighting: Weighting, points: Mapping[str, Points], ranks: Ranks) -> dict[str, float]:
        """The weights by constraint, for the record: the mean over the points of all ranks where these have weights."""
        if not self.names:
            return {}
        sums = [
            torch.as_tensor(size(points[name])) if (v := weighting[name].points) is None else v.sum()
            for name in self.names
        ]
        means = ranks.sum(torch.stack([total.to(ranks.device, torch.float64) for total in sums])).tolist()
        return {
            f"weight/{name}": weighting[name].balance * total / weighting[name].count
            for name, total in zip(self.names, means, strict=True)
        }

    def fits(self, stored: Mapping[str, Any] | None) -> None:
        """Makes sure that a stored state is of the same scheme.

        Args:
            stored: What `state_dict` gave; None from a version of the package without balancing.

        Raises:
            UserError: if it is of another one.
        """
        name = Fixed().name if stored is None else stored["name"]
        if name != self.scheme.name:
            raise UserError(
                f"the checkpoint was written by a run with balancing {name}, but the configuration has "
                f"{self.scheme.name}: resume with the same, or begin from its solution with run.warm_start"
            )

    def state_dict(self) -> dict[str, Any]:
        """The scheme's name and its state, for a checkpoint."""
        return {"name": self.scheme.name, "state": self.state}

    def load_state_dict(self, stored: Mapping[str, Any] | None) -> None:
        """Restores the state from a checkpoint.

        Raises:
            UserError: if it is of another scheme.
        """
        self.fits(stored)
        self.state = dict(stored["state"]) if stored is not None else {}
