"""Quasi-Newton steps, with a dense inverse Hessian updated within the self-scaled Broyden family or another one."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from pinnlab.errors import DivergedError
from pinnlab.optimisers.bounds import Box, direction
from pinnlab.optimisers.line_search import Trial, strong_wolfe

Member = Callable[[float, float, int], tuple[float, float]]
"""A member of the family: (b, h, P) ↦ (τ, φ), see `update`."""


def bfgs(b: float, h: float, size: int) -> tuple[float, float]:
    """BFGS without scaling: τ = φ = 1."""
    return 1.0, 1.0


def self_scaled_bfgs(b: float, h: float, size: int) -> tuple[float, float]:
    """BFGS with Al-Baali's scaling: τ = min(1, 1/b), φ = 1."""
    return min(1.0, 1 / b), 1.0


def self_scaled_broyden(b: float, h: float, size: int) -> tuple[float, float]:
    """Al-Baali's choice of scaling and member together, as Urbán, Stefanou & Pons (2025, arXiv 2405.04230) use it.

    With a = bh − 1 >= 0, c = √(a / (1 + a)) and ρ = min(1, h (1 − c)), written 1 / b(1 + c) since 1 − c cancels:

        θ = max((ρ − 1)/a, min(1/ρ, (1 − b)/b)),    φ = (1 − θ) / (1 + aθ),
        τ = min(1, 1/b) · min((1 + aθ)^{1/(1−P)}, 1/θ)  where θ > 0,
        τ = min(min(1, 1/b) · (1 + aθ)^{1/(1−P)}, 1 + aθ)  elsewhere.
    """
    a = max(b * h - 1, sys.float_info.epsilon)  # zero where y is parallel to B s: then φ has no effect
    rho = min(1.0, 1 / (b * (1 + math.sqrt(a / (1 + a)))))
    theta = max((rho - 1) / a, min(1 / rho, (1 - b) / b))
    sigma = 1 + a * theta
    scale, root = min(1.0, 1 / b), sigma ** (-1 / max(1, size - 1))
    tau = scale * min(root, 1 / theta) if theta > 0 else min(scale * root, sigma)
    return tau, (1 - theta) / sigma


def update(inverse: Tensor, s: Tensor, y: Tensor, curvature: float, member: Member) -> None:
    """Updates H, `(P, P)`, in place so that H y = s.

    With the step s, the change y of the gradient and v = s/(y·s) − H y/(y·H y),

        H ← (H − H y (H y)ᵀ/(y·H y) + φ (y·H y) v vᵀ) / τ + s sᵀ/(y·s),

    where the member of the family chooses τ and φ from b = s·H⁻¹s/(y·s) and h = y·H y/(y·s). H stays exactly
    symmetric, since each term is an outer product of a vector with itself, and positive definite if y·s > 0.

    Args:
        inverse: H.
        s: The step, `(P,)`.
        y: The change of the gradient, `(P,)`.
        curvature: s·H⁻¹s, which a line search from θ along −Hg knows without H⁻¹.
        member: Chooses τ and φ.
    """
    w = inverse @ y
    ys, yw = float(y @ s), float(y @ w)
    tau, phi = member(curvature / ys, yw / ys, len(s))
    v = (s / ys - w / yw) * math.sqrt(abs(phi) * yw / tau)
    w = w / math.sqrt(yw * tau)
    inverse.addr_(w, w, beta=1 / tau, alpha=-1)
    inverse.addr_(v, v, alpha=math.copysign(1.0, phi))
    s = s / math.sqrt(ys)
    inverse.addr_(s, s)


class Inverse(ABC):
    """An approximation H of the inverse Hessian; its numbers are in an optimiser's state and so in checkpoints."""

    eager: bool
    """Whether the full step along −H g is the best first guess of a line search."""

    @abstractmethod
    def known(self, memory: dict[str, Any]) -> bool:
        """Whether there is an H."""

    @abstractmethod
    def apply(self, memory: dict[str, Any], vector: Tensor) -> Tensor:
        """H v for a vector v, `(P,)`."""

    @abstractmethod
    def learn(self, memory: dict[str, Any], s: Tensor, y: Tensor, curvature: float) -> None:
        """Takes a pair with y·s > 0; of the first one H begins as (y·s/y·y) I (Nocedal & Wright 2006, eq. 6.20).

        Args:
            memory: The optimiser's state.
            s: The step, `(P,)`.
            y: The change of the gradient, `(P,)`.
            curvature: s·H⁻¹s of the H before, if there was one.
        """

    @abstractmethod
    def forget(self, memory: dict[str, Any]) -> None:
        """Lets H go."""


class Dense(Inverse):
    """H as a matrix, `(P, P)`, updated by a member of the family.

    Args:
        member: The member.
    """

    # scaling only ever enlarges H, so that the full step is mostly too long
    eager = False

    def __init__(self, member: Member) -> None:
        self.member = member

    def known(self, memory: dict[str, Any]) -> bool:
        """See `Inverse.known`."""
        return "inverse" in memory

    def apply(self, memory: dict[str, Any], vector: Tensor) -> Tensor:
        """See `Inverse.apply`."""
        product: Tensor = memory["inverse"] @ vector
        return product

    def learn(self, memory: dict[str, Any], s: Tensor, y: Tensor, curvature: float) -> None:
        """See `Inverse.learn`."""
        if "inverse" not in memory:
            scale = float(y @ s) / float(y @ y)
            memory["inverse"] = torch.eye(len(s), dtype=s.dtype, device=s.device).mul_(scale)
            curvature = float(s @ s) / scale
        update(memory["inverse"], s, y, curvature, self.member)

    def forget(self, memory: dict[str, Any]) -> None:
        """See `Inverse.forget`."""
        memory.pop("inverse", None)


def iterate(
    closure: Callable[[], Any],
    parameters: Sequence[nn.Parameter],
    memory: dict[str, Any],
    inverse: Inverse,
    inner: int = 1,
    box: Box | None = None,
    decrease: float = 1e-4,
    curvature: float = 0.9,
) -> float:
    """Takes some iterations in place: steps along −H g to points with the strong Wolfe conditions.

    The first step is downhill along the gradient, at first by 2f/|g|², the minimum if f was a parabola that touches
    zero. A pair (s, y) without positive curvature is not used. Where the line search finds nothing along −H g, H is
    forgotten. If H is not eager, a line search first tries the step at which a parabola would fall as much as f did in
    the iteration before, but no more than the full step (Nocedal & Wright 2006, eq. 3.60).

    Within bounds −H g is replaced by the minimum of the same quadratic model within them, and no line search goes
    beyond: see `direction`.

    All numbers are compared with others of the same scale: f and any multiple of it take the same steps. Both
    gradients of a pair come from one call, so that the function may be another in the next.

    Args:
        closure: Evaluates f and its gradient at the parameters' values.
        parameters: What is optimised.
        memory: The state: H and the last decrease.
        inverse: How H is kept.
        inner: How many iterations.
        box: The bounds of some components of the parameters, or None.
        decrease: c₁ of the line search.
        curvature: c₂ of the line search.

    Returns:
        f where they started.
    """

    def evaluate(theta: Tensor) -> tuple[float, Tensor]:
        _set(parameters, theta)
        with torch.enable_grad():
            value = float(closure().detach())
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        return value, torch.cat([g.reshape(-1) for g in gradients])

    theta = torch.cat([p.reshape(-1) for p in parameters])
    first, gradient = evaluate(theta)
    loss = first
    for _ in range(inner):
        known, room = inverse.known(memory), None if box is None else box.room(theta)
        if known:
            along, pushed = direction(lambda v: inverse.apply(memory, v), gradient, room)
        else:
            size = float(gradient @ gradient)
            if not (size > 0 and loss != 0):
                break
            scale = 2 * abs(loss) / size
            along, pushed = direction(lambda v, scale=scale: scale * v, gradient, room)  # type: ignore[misc]
        start = Trial(0.0, loss, float(gradient @ along), gradient)

        def trial(t: float, base: Tensor = theta, along: Tensor = along, start: Trial = start) -> Trial:
            try:
                value, slope = evaluate(_within(box, base + t * along))
            except DivergedError:  # too far, on all ranks
                return Trial(t, math.inf, math.nan, start.gradient)
            return Trial(t, value, float(slope @ along), slope)

        found = start
        if start.slope < 0:
            fell = memory.get("fell") if known and not inverse.eager else None
            guess = 1.0 if fell is None else min(1.0, -2.02 * fell / start.slope)
            longest = math.inf if room is None else room.longest(along)
            found = strong_wolfe(trial, start, guess, decrease, curvature, longest=longest)
        if found is start:
            if not known:
                break  # not even along the gradient: rounding errors are all that is left
            inverse.forget(memory)
            continue
        s, y = found.t * along, found.gradient - gradient
        if float(y @ s) > torch.finfo(s.dtype).eps * float(s.norm() * y.norm()):
            inverse.learn(memory, s, y, -found.t * float(s @ pushed))
        memory["fell"] = loss - found.value
        theta, loss, gradient = _within(box, theta + s), found.value, found.gradient
    _set(parameters, theta)
    return first


class QuasiNewton(Optimizer):
    """Steps of `iterate` with a dense inverse Hessian, which is in the optimiser's state and so in checkpoints.

    Example:
        >>> x = nn.Parameter(torch.tensor([3.0, -1.0]))
        >>> optimizer = QuasiNewton([x], inner=20)
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     value = (x[0] - 1) ** 2 + 10 * (x[1] - 2) ** 2
        ...     value.backward()
        ...     return value.detach()
        >>> _ = optimizer.step(closure)
        >>> torch.allclose(x, torch.tensor([1.0, 2.0]), atol=1e-4)
        True
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        member: Member = self_scaled_broyden,
        inner: int = 1,
        decrease: float = 1e-4,
        curvature: float = 0.9,
    ) -> None:
        """Sets the rules.

        Args:
            parameters: What is optimised, one group.
            member: How H is updated.
            inner: Iterations in a step.
            decrease: c₁ of the line search.
            curvature: c₂ of the line search.
        """
        super().__init__(parameters, {})
        self.member, self.inner, self.decrease, self.curvature = member, inner, decrease, curvature

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None, box: Box | None = None) -> float:  # type: ignore[override]
        """Takes `inner` iterations, within the bounds if there are some, and returns the loss where they started."""
        assert closure is not None
        parameters = self.param_groups[0]["params"]
        memory, inverse = self.state[parameters[0]], Dense(self.member)
        return iterate(closure, parameters, memory, inverse, self.inner, box, self.decrease, self.curvature)


def _within(box: Box | None, theta: Tensor) -> Tensor:
    return theta if box is None else box.project(theta)


def _set(parameters: Sequence[nn.Parameter], theta: Tensor) -> None:
    for p, part in zip(parameters, theta.split([p.numel() for p in parameters]), strict=True):
        p.copy_(part.view_as(p))
