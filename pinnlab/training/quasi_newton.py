"""Quasi-Newton steps with a dense inverse Hessian, updated within the self-scaled Broyden family."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from pinnlab.errors import DivergedError
from pinnlab.training.line_search import Trial, strong_wolfe

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


class QuasiNewton(Optimizer):
    """Steps along −H g to a point with the strong Wolfe conditions, H an approximation of the inverse Hessian.

    The first step is downhill along the gradient, at first by 2f/|g|², the minimum if f was a parabola that touches
    zero; H begins as (y·s/y·y) I then (Nocedal & Wright 2006, eq. 6.20). A pair (s, y) without positive curvature
    is not used. Where the line search finds nothing along −H g, H is forgotten. A line search first tries where f
    would fall as much as in the iteration before if it was a parabola, but no more than the full step (Nocedal &
    Wright 2006, eq. 3.60): since scaling only ever enlarges H, the full step is mostly too long.

    All numbers are compared with others of the same scale: f and any multiple of it take the same steps. H and the
    last decrease are in the optimiser's state and so in checkpoints. Both gradients of a pair come from one call
    of `step`, so that the function may be another in the next.
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
    def step(self, closure: Callable[[], Any] | None = None) -> float:  # type: ignore[override]
        """Takes `inner` iterations and returns the loss where they started."""
        assert closure is not None
        parameters = self.param_groups[0]["params"]
        memory = self.state[parameters[0]]
        theta = torch.cat([p.reshape(-1) for p in parameters])
        first, gradient = self._evaluate(closure)
        loss = first
        for _ in range(self.inner):
            inverse = memory.get("inverse")
            if inverse is None:
                size = float(gradient @ gradient)
                if not (size > 0 and loss != 0):
                    break
                direction = gradient * (-2 * abs(loss) / size)
            else:
                direction = -(inverse @ gradient)
            start = Trial(0.0, loss, float(gradient @ direction), gradient)
            fell = None if inverse is None else memory["fell"]
            found = self._search(closure, theta, direction, start, fell) if start.slope < 0 else start
            if found is start:
                if memory.pop("inverse", None) is None:
                    break  # not even along the gradient: rounding errors are all that is left
                continue
            s, y = found.t * direction, found.gradient - gradient
            ys = float(y @ s)
            if ys > torch.finfo(s.dtype).eps * float(s.norm() * y.norm()):
                if inverse is None:
                    scale = ys / float(y @ y)
                    memory["inverse"] = inverse = torch.eye(len(s), dtype=s.dtype, device=s.device).mul_(scale)
                    curvature = float(s @ s) / scale
                else:
                    curvature = -found.t * float(s @ gradient)
                update(inverse, s, y, curvature, self.member)
            memory["fell"] = loss - found.value
            theta, loss, gradient = theta + s, found.value, found.gradient
        self._set(theta)
        return first

    def _search(
        self, closure: Callable[[], Any], theta: Tensor, direction: Tensor, start: Trial, fell: float | None
    ) -> Trial:
        def evaluate(t: float) -> Trial:
            self._set(theta + t * direction)
            try:
                value, gradient = self._evaluate(closure)
            except DivergedError:  # too far, on all ranks
                return Trial(t, math.inf, math.nan, start.gradient)
            return Trial(t, value, float(gradient @ direction), gradient)

        first = 1.0 if fell is None else min(1.0, -2.02 * fell / start.slope)
        return strong_wolfe(evaluate, start, first, decrease=self.decrease, curvature=self.curvature)

    def _evaluate(self, closure: Callable[[], Any]) -> tuple[float, Tensor]:
        with torch.enable_grad():
            value = float(closure().detach())
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.param_groups[0]["params"]]
        return value, torch.cat([g.reshape(-1) for g in gradients])

    def _set(self, theta: Tensor) -> None:
        parameters = self.param_groups[0]["params"]
        for p, part in zip(parameters, theta.split([p.numel() for p in parameters]), strict=True):
            p.copy_(part.view_as(p))
