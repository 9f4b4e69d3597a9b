"""Small linear least-squares problems with bounds, solved exactly."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def bounded_least_squares(matrix: Tensor, b: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The minimiser x of ‖A x + b‖² with low <= x <= high, `(k,)`, by an active-set method.

    The method is that of Stark & Parker (1995, bounded-variable least squares): the variables that are not at a bound
    have their least-squares values; a variable at a bound becomes free where descent points inside. The loss falls with
    each change of the active set, so that no set occurs twice. Where A does not determine x, the x of the least norm in
    units of the columns is taken.

    Args:
        matrix: A, `(M, k)` with M >= k.
        b: `(M,)`.
        low: `(k,)`; minus infinity for variables without a lower bound.
        high: `(k,)`; infinity for variables without an upper bound.

    Example:
        >>> bounded_least_squares(torch.eye(2), torch.tensor([-2.0, -0.5]), low=torch.zeros(2), high=torch.ones(2))
        tensor([1.0000, 0.5000])
    """
    norms = matrix.norm(dim=0)
    norms = torch.where(norms > 0, norms, 1.0)
    a, lower, upper = matrix / norms, low * norms, high * norms

    def free_minimum(x: Tensor, free: Tensor) -> Tensor:
        """The least-squares values of the free variables, the others as they are."""
        best = x.clone()
        if bool(free.any()):
            rest = b + a[:, ~free] @ x[~free]
            best[free] = _least_squares(a[:, free], -rest)
        return best

    every = torch.ones_like(low, dtype=torch.bool)
    x = free_minimum(torch.zeros_like(low), every)
    inside = (lower <= x) & (x <= upper)
    if not bool(inside.all()):
        x = x.clamp(lower, upper)
        free = inside.clone()
        freed = -1
        while True:
            before = x
            x, free = _descend(x, free, lower, upper, free_minimum)
            if freed >= 0 and not free[freed] and torch.equal(x, before):
                break  # the freed variable is at its bound again: only rounding errors remain
            downhill = -(a.mT @ (a @ x + b))
            pull = torch.where(x <= lower, downhill, -downhill)  # into the interval
            pull[free] = 0.0
            pull[pull <= 100 * torch.finfo(x.dtype).eps * b.norm()] = 0.0
            freed = int(pull.argmax())
            if pull[freed] <= 0:
                break
            free[freed] = True
    # exactly the bound where a variable is at one
    return torch.where(x <= lower, low, torch.where(x >= upper, high, x / norms))


def _descend(
    x: Tensor, free: Tensor, lower: Tensor, upper: Tensor, minimum: Callable[[Tensor, Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Goes to the minimum over the free variables, fixing on the way those that meet their bounds."""
    while True:
        best = minimum(x, free)
        out = free & ((best < lower) | (best > upper))
        if not bool(out.any()):
            return best, free
        bound = torch.where(best < lower, lower, upper)
        part = torch.where(out, (bound - x) / (best - x), torch.inf)
        first = int(part.argmin())
        x = torch.where(free, x + part[first] * (best - x), x).clamp(lower, upper)
        x[first] = bound[first]
        free = free.clone()
        free[first] = False


def _least_squares(a: Tensor, b: Tensor) -> Tensor:
    """The least-squares solution of A x = b; the smallest where A has dependent columns."""
    q, r = torch.linalg.qr(a)
    sizes = r.diagonal().abs()
    if float(sizes.min()) > 100 * torch.finfo(a.dtype).eps:  # the columns have norm 1
        return torch.linalg.solve_triangular(r, (q.mT @ b)[:, None], upper=True)[:, 0]
    u, s, v = torch.linalg.svd(r)
    kept = s > 100 * torch.finfo(a.dtype).eps * s[0]
    coefficients = torch.where(kept, (u.mT @ (q.mT @ b)) / torch.where(kept, s, 1.0), 0.0)
    return v.mT @ coefficients
