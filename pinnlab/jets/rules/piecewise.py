"""Rules for functions in pieces, each constant or smooth between jumps or kinks.

`limited` tells the probe how many derivatives they have, so that no residual takes a derivative across a jump.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from pinnlab.jets.contents import limited
from pinnlab.jets.jet import Jet, rule
from pinnlab.jets.rules.arithmetic import Operand, mul, neg, sub, where


def _steps(function: Callable[[Tensor], Tensor]) -> Callable[[Jet], Jet]:
    """The rule of a function that is constant between jumps."""
    return lambda x: x.like(function(x.coefficients[:1]))


for _functions in (
    (torch.sign, Tensor.sign, torch.sgn, Tensor.sgn),
    (torch.floor, Tensor.floor),
    (torch.ceil, Tensor.ceil),
    (torch.round, Tensor.round),
    (torch.trunc, Tensor.trunc, torch.fix, Tensor.fix),
    (torch.detach, Tensor.detach),
):
    rule(*_functions)(_steps(_functions[0]))
    limited(0, *_functions)
limited(0, torch.frac, Tensor.frac, torch.fmod, Tensor.fmod)
limited(0, torch.remainder, Tensor.remainder)
limited(1, torch.maximum, Tensor.maximum, torch.minimum, Tensor.minimum, torch.fmax, torch.fmin)
limited(1, torch.clamp, Tensor.clamp, torch.clip, Tensor.clip, torch.relu, Tensor.relu, F.relu, F.leaky_relu)


@rule(torch.remainder, Tensor.remainder)
def remainder(x: Operand, divisor: Operand) -> Jet:
    """The remainder x − ⌊x / p⌋ p, of the sign of p."""
    quotient: Jet = x / divisor  # type: ignore[assignment]
    return sub(x, mul(quotient.like(quotient.coefficients[:1].floor()), divisor))


@rule(torch.maximum, Tensor.maximum)
def maximum(x: Operand, other: Operand) -> Jet:
    """The larger of both, with its derivatives."""
    return where(x > other, x, other)


@rule(torch.minimum, Tensor.minimum)
def minimum(x: Operand, other: Operand) -> Jet:
    """The smaller of both, with its derivatives."""
    return neg(maximum(-x, -other))


@rule(torch.clamp, Tensor.clamp, torch.clip, Tensor.clip)
def clamp(x: Jet, min: Operand | None = None, max: Operand | None = None) -> Jet:
    """The series between the bounds, the bounds outside of them."""
    if min is not None:
        x = where(x < min, min, x)
    return x if max is None else where(x > max, max, x)
