"""The stochastic Laplacian estimator: Δu in hundreds of dimensions from a few random directions."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError
from pinnlab.jets import IndexSet, Jet
from pinnlab.jets.functions.elementary import Composition
from pinnlab.jets.functions.recurrence import recurrence


class Estimate(NamedTuple):
    """A mean over random samples.

    Attributes:
        mean: The estimate, unbiased.
        variance: The sample variance of one sample; the variance of the mean is `variance / samples`.
        samples: The number of samples.
    """

    mean: Tensor
    variance: Tensor
    samples: int

    @property
    def standard_error(self) -> Tensor:
        """√(variance / samples)."""
        return (self.variance / self.samples).sqrt()


def estimate_laplacian(
    network: nn.Module,
    points: Tensor,
    samples: int,
    generator: torch.Generator | None = None,
    block: int = 16,
    composition: Composition = recurrence,
) -> Estimate:
    """Estimates Δu = E[vᵀ(∇²u)v] with random signs v, one 2-jet along each direction (STDE, Hu et al. 2024).

    The directions of a block share the network's values, so that S of them cost 2S + 1 coefficients of every
    layer. Every point has its own directions; differentiable for the parameters.

    Args:
        network: Maps `(N, d)` to `(N, outputs)`.
        points: The points, `(N, d)`.
        samples: The number of directions at each point, at least 2.
        generator: The source of random numbers; torch's default generator by default.
        block: The number of directions that are propagated together.
        composition: How elementary functions are composed with series.

    Returns:
        Mean and variance of the samples, each `(N, outputs)`.

    Raises:
        UserError: for fewer than two samples, which have no variance.

    Example:
        Every sample of Δ|x|² = 2d is exact, for the Hessian of |x|² is diagonal:

        >>> import torch
        >>> from pinnlab.engines import estimate_laplacian
        >>> square = lambda x: (x**2).sum(-1, keepdim=True)
        >>> estimate_laplacian(square, torch.zeros(1, 100), samples=4).mean
        tensor([[200.]])
    """
    if samples < 2:
        raise UserError(f"an estimate with a variance needs at least 2 samples, got {samples}")
    count = 0
    mean = points.new_zeros(())
    squares = points.new_zeros(())  # Σ (sample − mean)², updated block by block (Chan, Golub & LeVeque 1983)
    while count < samples:
        size = min(block, samples - count)
        signs = torch.randint(0, 2, (size, *points.shape), generator=generator, device=points.device)
        directions = signs.to(points.dtype) * 2 - 1
        tops = [tuple(2 * int(i == s) for i in range(size)) for s in range(size)]
        jet = network(Jet.seed(points, IndexSet.closure(tops), composition, directions))
        drawn = torch.stack([jet.derivative(top) for top in tops])
        fresh = drawn.mean(0)
        total = count + size
        squares = squares + (drawn - fresh).square().sum(0) + (fresh - mean).square() * (count * size / total)
        mean = mean + (fresh - mean) * (size / total)
        count = total
    return Estimate(mean, squares / (samples - 1), samples)
