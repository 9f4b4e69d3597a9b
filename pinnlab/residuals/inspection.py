"""Checks of residuals at their points before a training begins.

A residual and its gradient must be finite at every point. A row may use the values at its own point alone, for
Jacobians are computed point by point, and each rank has its own share of the points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry import Points, select, size, subsample
from pinnlab.jets import IndexSet
from pinnlab.jets.values import TOGETHER
from pinnlab.residuals.residuals import Residuals

# Points that are evaluated at once, and that are compared.
_BLOCK, _COMPARED = 4096, 7
# How far a row may move among other points, relative to the rows; and beyond that, as a multiple of what rounding does.
_RELATIVE, _NOISE = 1e-6, 1e4


def inspect(residuals: Residuals, points: Mapping[str, Points]) -> None:
    """Evaluates the residuals and their gradients, and some rows once more among other points.

    Raises:
        UserError: if a residual or its gradient is not finite at a point, or a row changes with other points.
    """
    for name, batch in points.items():
        where = f"{residuals.equation.name}, constraint {name!r}"
        try:
            blocks = torch.arange(size(batch)).split(_BLOCK)
            rows = torch.cat([_finite(residuals, name, batch, block, where) for block in blocks], 1)
            _check_alone(residuals, name, batch, rows, where)
            if not residuals.constraints[name].local and _network_mixes(residuals, name, batch):
                raise UserError(f"{where}: {_MIXES}")
        except RuntimeError as error:  # such as a tensor with an entry for each point of another number of points
            message = " ".join(str(error).split())
            raise UserError(
                f"{where}: the residual cannot be evaluated at its points, all of them or some ({message}): {TOGETHER}"
            ) from error


def _finite(residuals: Residuals, name: str, batch: Points, block: Tensor, where: str) -> Tensor:
    """The rows at a block of the points, if they and their gradients are finite."""
    rows, slopes = _evaluated(residuals, name, select(batch, block))
    inputs = residuals.equation.inputs
    bad = (~rows.isfinite().all(0)).nonzero().flatten()
    if len(bad):
        what = "NaN" if rows[:, bad[0]].isnan().any() else "infinite"
        more = f" (and at {len(bad) - 1} more points)" if len(bad) > 1 else ""
        raise UserError(
            f"{where}: the residual is {what} at {at(batch, inputs, int(block[bad[0]]))}{more} before training begins: "
            "multiply it by what vanishes there, or leave the point out (another sampler or region); a logarithm or "
            "root of what is not positive and a Table outside of its range are NaN as well"
        )
    if not slopes:
        first = _first_without_gradient(residuals, name, batch, block)
        raise UserError(
            f"{where}: the residual is finite at {at(batch, inputs, first)} but not its gradient: leave the point out, "
            "or keep what is divided by, or is under a root, away from 0 before it is; torch.where does not keep NaN "
            "of the branch that it leaves out of the gradient"
        )
    return rows


def _evaluated(residuals: Residuals, name: str, points: Points) -> tuple[Tensor, bool]:
    """One constraint's rows, and whether the gradient of their sum of squares is finite or the rows are not."""
    parameters = [p for p in residuals.parameters() if p.requires_grad]
    with _untouched(residuals), torch.enable_grad():
        rows = _rows(residuals, name, points)
        if not (rows.requires_grad and parameters and rows.isfinite().all()):
            return rows.detach(), True
        slopes = torch.autograd.grad(rows.square().sum(), parameters, allow_unused=True, materialize_grads=True)
    return rows.detach(), all(bool(slope.isfinite().all()) for slope in slopes)


def _first_without_gradient(residuals: Residuals, name: str, batch: Points, among: Tensor) -> int:
    """The first of some points whose rows have no finite gradient, by halving."""
    while len(among) > 1:
        half = among[: (len(among) + 1) // 2]
        among = among[len(half) :] if _evaluated(residuals, name, select(batch, half))[1] else half
    return int(among[0])


def _check_alone(residuals: Residuals, name: str, batch: Points, rows: Tensor, where: str) -> None:
    """Compares rows among all points with the same rows among a few, in reverse order.

    Where the rows differ, the points are moved by some units of the last place. Rows that then change as much differ by
    rounding errors.

    Raises:
        UserError: if the rows differ by more than rounding errors.
    """
    chosen = subsample(size(batch), _COMPARED).flip(0)
    chosen = chosen[torch.arange(max(3, len(chosen))) % len(chosen)]  # a single point beside copies of itself
    few, expected = select(batch, chosen), rows[:, chosen]
    with _untouched(residuals), torch.no_grad():
        found = _rows(residuals, name, few)
        difference = (found - expected).abs().max()
        if difference <= _RELATIVE * expected.abs().max():
            return
        unit = torch.finfo(rows.dtype).eps
        moved = {key: column * (1 + 4 * unit) if column.is_floating_point() else column for key, column in few.items()}
        if difference <= _NOISE * (_rows(residuals, name, moved) - found).abs().max():
            return  # rounding, or a layer that is random
    if _network_mixes(residuals, name, few):
        raise UserError(f"{where}: {_MIXES}")
    raise UserError(f"{where}: a row changes when other points do, or their order or number: {TOGETHER}")


_MIXES = (
    "the network mixes points, as a BatchNorm does, and its value at a point may depend on that point alone: leave "
    "such layers out (LayerNorm keeps points apart)"
)


def _network_mixes(residuals: Residuals, name: str, points: Points) -> bool:
    """Whether NaN at one point spreads to others in the network alone."""
    flat = residuals.constraints[name].flat(points)
    spoilt = {key: column.clone() for key, column in flat.items()}
    for column in spoilt.values():
        if column.is_floating_point():
            column[0] = torch.nan
    with _untouched(residuals), torch.no_grad():
        fields = residuals.fields(spoilt, IndexSet.simplex(residuals.equation.dimension, 0))
    return any(not fields[name].value[1:].isfinite().all() for name in residuals.equation.outputs)


def _rows(residuals: Residuals, name: str, points: Points) -> Tensor:
    unknowns = {key: unknown.value for key, unknown in residuals.equation.unknowns().items()}
    return residuals.rows(name, residuals.variables(name, points), unknowns, residuals.weighting[name])


@contextmanager
def _untouched(residuals: Residuals) -> Iterator[None]:
    """Leaves layers with a memory, and random numbers, as they were."""
    before = {key: buffer.clone() for key, buffer in residuals.named_buffers()}
    with torch.random.fork_rng(devices=[]):
        yield
    with torch.no_grad():
        for key, buffer in residuals.named_buffers():
            if not torch.equal(buffer, before[key]):
                buffer.copy_(before[key])


def at(points: Points, inputs: Sequence[str], i: int) -> str:
    """A point in words, as `t = 0, x = 0.5`."""
    return ", ".join(f"{name} = {_written(points[name][i])}" for name in inputs)


def _written(value: Tensor) -> str:
    entries = [f"{entry:.6g}" for entry in value.reshape(-1).tolist()]
    if value.ndim == 0:
        return entries[0]
    return f"({', '.join(entries[:4])}{', …' if len(entries) > 4 else ''})"
