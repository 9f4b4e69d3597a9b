"""Bayesian linear regression of corrections on rows that should vanish, with noise levels found from the rows.

All numbers are in units in which the prior of every correction is N(0, 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

# The equation's rows may be violated by this part of the noise of measured rows. A solution of the linearised equation
# is found by tangents to a few digits only; taken for exact, the equation would allow no other solution at all.
_SLACK = 0.01

# Singular values of a matrix of rounded numbers, in units of the largest one's rounding error.
_ROUNDING = 5

# Levels of noise settle in some ten rounds.
_ROUNDS = 50


@dataclass(frozen=True)
class Rows:
    """Linear equations r + A z ≈ 0 for corrections z.

    Attributes:
        value: r, `(n,)`.
        slope: A, `(n, P)`.
    """

    value: Tensor
    slope: Tensor

    def __len__(self) -> int:
        """The number n of rows."""
        return len(self.value)


@dataclass(frozen=True)
class Posterior:
    """What rows tell of the corrections z and of linear functions G z of them.

    Attributes:
        corrections: The expected z, `(P,)`.
        deviation: The standard deviations of G z, `(m,)`.
        explained: 1 − ‖r + A z‖/‖r‖ for the equation's rows at the expected z: the part that the correction removes.
        misfits: r + A z of each group of measured rows at the expected z.
        noises: The standard deviation of the noise in each group of measured rows.
    """

    corrections: Tensor
    deviation: Tensor
    explained: float
    misfits: tuple[Tensor, ...]
    noises: tuple[float, ...]


def infer(equation: Rows, measured: Sequence[Rows], functions: Tensor, rounding: float = 0.0) -> Posterior:
    """The posterior of z and G z given the rows of an equation and groups of measured rows.

    The model is z ~ N(0, 1) and r + A z = noise, independent in every row, with one standard deviation s for the
    equation's rows and one, σ_g, for each group of measured rows. s maximises the probability of the equation's rows
    (MacKay 1992, Bayesian interpolation): with n rows and the singular values λ_i of A, minus twice its logarithm is

        r·(A Aᵀ + s²)⁻¹r + Σ_i log(λ_i² + s²) + (n − P) log s².

    So s is the part of r that no correction of order one removes. σ_g is found in the same way from what the equation
    leaves of the measured rows, relative levels of several groups from their misfits. Where the measured rows are
    noisy, s is a hundredth of σ at least.

    Args:
        equation: The rows of the equation; they have noise only as far as corrections cannot remove r.
        measured: Groups of rows with noise of unknown size.
        functions: G, `(m, P)`.
        rounding: A lower bound for s: the rounding errors of r.
    """
    equation = _restraining(equation)
    own = _Decomposition(equation, complete=True)
    least = max(own.noise(), rounding)
    measured = [rows for rows in measured if len(rows)]
    g, slopes = functions @ own.right.mT, [rows.slope @ own.right.mT for rows in measured]
    # what a direction moves by rounding errors alone it does not move
    g = torch.where(g.abs() > _ROUNDING * torch.finfo(g.dtype).eps * functions.norm(dim=1, keepdim=True), g, 0.0)
    if not measured:
        weights, shrink = own.expected(least), own.shrink(least)
        return _posterior(own.right.mT @ weights, (g * shrink).norm(dim=1), equation, (), ())
    slope = torch.cat(slopes)
    value = torch.cat([rows.value for rows in measured])
    sizes = [len(rows) for rows in measured]
    levels = [float(rows.value.square().mean().sqrt()) or 1.0 for rows in measured]
    s = max(least, _SLACK * min(levels))
    for _ in range(_ROUNDS):
        scale = torch.cat([value.new_full((n,), level) for n, level in zip(sizes, levels, strict=True)])
        weights, shrink = own.expected(s), own.shrink(s)
        data = _Decomposition(Rows((value + slope @ weights) / scale, slope * shrink / scale[:, None]))
        noise = data.noise()
        weights = weights + shrink * (data.right.mT @ data.expected(noise))
        misfit = value + slope @ weights
        settled = max(least, _SLACK * noise * min(levels))
        taken = (slope * shrink @ data.right.mT / scale[:, None] * (data.shrink(noise) / noise)).square().sum(1)
        new = _levels(misfit / scale, taken, sizes, levels, noise)
        if settled >= 0.9 * s and all(abs(math.log(a / b)) < 0.1 for a, b in zip(new, levels, strict=True)):
            break
        # from loose to tight, so that an equation that is taken for too exact never inflates the noise
        s, levels = min(s, max(settled, 0.1 * s)), new
    spread = g * shrink
    seen = spread @ data.right.mT
    variance = (seen * data.shrink(noise)).square().sum(1) + (spread - seen @ data.right).square().sum(1)
    noises = tuple(noise * level for level in levels)
    return _posterior(own.right.mT @ weights, variance.sqrt(), equation, misfit.split(sizes), noises)


def _restraining(rows: Rows) -> Rows:
    """The rows that some correction moves: others, as of a condition that is built in, are no evidence."""
    moved = rows.slope.norm(dim=1) > 0
    return Rows(rows.value[moved], rows.slope[moved])


def _posterior(
    corrections: Tensor, deviation: Tensor, equation: Rows, misfits: Sequence[Tensor], noises: Sequence[float]
) -> Posterior:
    rest = equation.value + equation.slope @ corrections
    before = float(equation.value.norm())
    explained = 1 - float(rest.norm()) / before if before else 1.0
    return Posterior(corrections, deviation, explained, tuple(misfits), tuple(noises))


def _levels(misfit: Tensor, taken: Tensor, sizes: Sequence[int], levels: Sequence[float], noise: float) -> list[float]:
    """The relative noise of every group: its misfit over the rows that the corrections have not taken up."""
    if len(sizes) == 1:
        return list(levels)
    found = []
    for part, freedom, level in zip(misfit.split(list(sizes)), taken.split(list(sizes)), levels, strict=True):
        left = max(len(part) - float(freedom.sum()), 0.5)
        ratio = math.sqrt(float(part.square().sum()) / left) / noise
        found.append(level * min(max(ratio, 0.1), 10.0))
    return found


class _Decomposition:
    """The singular value decomposition of rows, A = U diag(λ) V, with what U makes of their values r.

    Attributes:
        values: λ, `(k,)`.
        right: V, `(k, P)`.
        inside: Uᵀr, `(k,)`.
        outside: ‖r − U Uᵀr‖².
        count: The number of rows.
    """

    def __init__(self, rows: Rows, complete: bool = False) -> None:
        """Decomposes rows; a complete V has all P directions, however few the rows are."""
        slope, value = rows.slope, rows.value
        self.count, self.outside = len(rows), 0.0
        if len(rows) > slope.shape[1]:
            factors = torch.geqrf(slope)
            rotated = torch.ormqr(*factors, value[:, None], transpose=True)[:, 0]
            slope, value, rest = factors[0][: slope.shape[1]].triu(), *rotated.tensor_split([slope.shape[1]])
            self.outside = float(rest.square().sum())
        elif complete:
            missing = slope.shape[1] - len(rows)
            slope, value = nn.functional.pad(slope, (0, 0, 0, missing)), nn.functional.pad(value, (0, missing))
        left, values, self.right = torch.linalg.svd(slope, full_matrices=False)
        # a direction that moves the rows by rounding errors alone is one of which they tell nothing
        noise = _ROUNDING * torch.finfo(values.dtype).eps * values.max() if len(values) else values
        self.values = torch.where(values > noise, values, 0.0)
        self.inside = left.mT @ value

    def noise(self) -> float:
        """The most probable standard deviation of the noise, no less than rounding errors of the rows' values."""
        rms = math.sqrt((float(self.inside.square().sum()) + self.outside) / max(self.count, 1))
        floor = max(torch.finfo(self.values.dtype).eps * rms, torch.finfo(self.values.dtype).tiny ** 0.25)
        top = max(rms, floor)

        def improbable(logarithm: float) -> float:
            s2 = math.exp(2 * logarithm)
            powers = self.values.square() + s2
            misfit = float((self.inside.square() / powers).sum()) + self.outside / s2
            return misfit + float(powers.log().sum()) + (self.count - len(self.values)) * 2 * logarithm

        low, high = math.log(floor), math.log(top)
        steps = max(1, math.ceil(2 * (high - low)))
        grid = [low + (high - low) * i / steps for i in range(steps + 1)]
        best = min(grid, key=improbable)
        width = (high - low) / steps
        if width == 0:
            return floor
        bounds = (max(low, best - width), min(high, best + width))
        return math.exp(minimize_scalar(improbable, bounds=bounds, method="bounded").x)

    def expected(self, noise: float) -> Tensor:
        """The expected corrections in the basis V, `(k,)`."""
        return -self.values / (self.values.square() + noise**2) * self.inside

    def shrink(self, noise: float) -> Tensor:
        """Their standard deviations, `(k,)`."""
        return noise / (self.values.square() + noise**2).sqrt()
