"""Residuals in extended precision (double-double, 32 digits), which show how much of them is rounding errors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pinnlab.engines import NTP
from pinnlab.errors import UserError
from pinnlab.geometry import Points, select, size, subsample
from pinnlab.precision import DoubleDouble, doubled
from pinnlab.residuals.residuals import Residuals
from pinnlab.residuals.weighting import Weighting

# The root mean square of 100 independent rounding errors is known to 1 / √200, seven per cent, which is enough.
_POINTS = 100
# Multiply-adds of a value and its derivatives at all points; measured, 1e8 take about two seconds on a CPU.
_WORK = 4e7


class Precise:
    """A network and its derivatives at points in double-double arithmetic (32 digits), for residuals of them.

    Parameters, points and unknowns are taken as the exact numbers that they are. The network, its derivatives (by
    n-TangentProp) and the residual are computed to 30 digits. Then the result is rounded. The difference from the
    blocks themselves is the rounding error of the blocks. Constants that an equation rounds, such as π, keep their
    rounded values: they are part of the problem.
    """

    def __init__(self, residuals: Residuals, points: Mapping[str, Points]) -> None:
        """Evaluates the network.

        Args:
            residuals: The residual blocks.
            points: The points of every constraint.

        Raises:
            UserError: if an operation of the network has no rule for jets or for double-double numbers.
        """
        twin = residuals.with_engine(NTP()).with_network(_Doubled(residuals.network))
        self._counts = {name: size(batch) for name, batch in points.items()}
        self._variables = {}
        with torch.no_grad():
            for name, batch in points.items():
                exact = {key: doubled(col) if col.is_floating_point() else col for key, col in batch.items()}
                self._variables[name] = twin.variables(name, exact)

    def blocks(self, residuals: Residuals, weighting: Weighting | None = None) -> dict[str, Tensor]:
        """The weighted residual blocks: constraint name -> `(rows, N)`, float64.

        Args:
            residuals: The same residual blocks, or others of the same network and equation without higher derivatives.
            weighting: The factors on rows; by default those of the residuals, with means over these points.

        Raises:
            UserError: if an operation of a residual has no rule for double-double numbers.
        """
        with torch.no_grad():
            weighting, residuals = weighting or residuals.weighting.over(self._counts), residuals.prepared()
            unknowns = {name: doubled(unknown.value) for name, unknown in residuals.equation.unknowns().items()}
            blocks = {}
            for name, variables in self._variables.items():
                try:
                    rows = residuals.rows(name, variables, unknowns, weighting[name])
                except (RuntimeError, TypeError) as error:  # numpy's functions of columns
                    raise UserError(f"constraint {name!r} has no double-double numbers ({error})") from error
                blocks[name] = rows.high if isinstance(rows, DoubleDouble) else rows
        return blocks


def rounding(network: nn.Module, x: Tensor) -> Tensor:
    """The rounding errors of a network's values at `(N, d)`: the difference from values in double-double arithmetic.

    Raises:
        UserError: if an operation of the network has no rule for double-double numbers.
    """
    with torch.no_grad():
        exact = _Doubled(network)(doubled(x))
        difference: Tensor = network(x) - (exact.high if isinstance(exact, DoubleDouble) else exact)
        return difference


def subsampled(residuals: Residuals, points: Mapping[str, Points]) -> dict[str, Points]:
    """Some of the points of each constraint: enough to know the size of rounding errors.

    At most 100 points or nodes of a constraint, and fewer of a network with more than some ten thousand parameters, so
    that `Precise` takes about a second and no more memory than training.
    """
    network = residuals.network
    weights = sum(p.numel() for p in [*network.parameters(), *network.buffers()])
    chosen = {}
    for name, batch in points.items():
        nodes = size(residuals.constraints[name].flat(batch))
        work = nodes * len(residuals.terms[name].indices) * weights
        share = min(1.0, _POINTS / max(1, nodes), _WORK / max(1, work))
        chosen[name] = select(batch, subsample(size(batch), max(1, int(share * size(batch)))))
    return chosen


class _Doubled(nn.Module):
    """A network with its parameters and buffers in double-double arithmetic."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        own = {**dict(self.network.named_parameters()), **dict(self.network.named_buffers())}
        exact = {name: doubled(value) if value.is_floating_point() else value for name, value in own.items()}
        result: Tensor = functional_call(self.network, exact, (x,))
        return result
