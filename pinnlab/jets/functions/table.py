"""The table of elementary functions: each by its values and the polynomial system that it satisfies.

See `elementary.Elementary` for what the entries mean; variable 0 is the argument x and variable i ≥ 1 the state s_i.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor

from pinnlab.jets.functions.elementary import Elementary
from pinnlab.jets.series.termwise import Polynomial


def _reciprocal_pair(value: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Sequence[Tensor]]:
    return lambda x: (value(x), x.reciprocal())


TANH = Elementary("tanh", lambda x: (x.tanh(),), ({(): 1, (1, 1): -1},))
SIGMOID = Elementary("sigmoid", lambda x: (x.sigmoid(),), ({(1,): 1, (1, 1): -1},))
SIN = Elementary("sin", lambda x: (x.sin(), x.cos()), ({(2,): 1}, {(1,): -1}))
COS = Elementary("cos", lambda x: (x.cos(), x.sin()), ({(2,): -1}, {(1,): 1}))
SINH = Elementary("sinh", lambda x: (x.sinh(), x.cosh()), ({(2,): 1}, {(1,): 1}))
COSH = Elementary("cosh", lambda x: (x.cosh(), x.sinh()), ({(2,): 1}, {(1,): 1}))
TAN = Elementary("tan", lambda x: (x.tan(),), ({(): 1, (1, 1): 1},))
EXP = Elementary("exp", lambda x: (x.exp(),), ({(1,): 1},))
EXPM1 = Elementary("expm1", lambda x: (x.expm1(),), ({(): 1, (1,): 1},))
LOG = Elementary("log", _reciprocal_pair(torch.log), ({(2,): 1}, {(2, 2): -1}))
LOG1P = Elementary("log1p", lambda x: (x.log1p(), 1 / (1 + x)), ({(2,): 1}, {(2, 2): -1}))
RECIPROCAL = Elementary("reciprocal", lambda x: (x.reciprocal(),), ({(1, 1): -1},))
SOFTPLUS = Elementary(
    "softplus", lambda x: (x.logaddexp(torch.zeros_like(x)), x.sigmoid()), ({(2,): 1}, {(2,): 1, (2, 2): -1})
)
ERF = Elementary("erf", lambda x: (x.erf(), 2 / math.sqrt(math.pi) * (-x * x).exp()), ({(2,): 1}, {(0, 2): -2}))


def _atan(x: Tensor) -> Sequence[Tensor]:
    slope = 1 / (1 + x * x)
    return x.atan(), slope, x * slope


def _silu(x: Tensor) -> Sequence[Tensor]:
    s = x.sigmoid()
    return x * s, s, s * (1 - s)


def _gelu(x: Tensor) -> Sequence[Tensor]:
    normal = (-x * x / 2).exp() / math.sqrt(2 * math.pi)
    return torch.nn.functional.gelu(x), torch.special.ndtr(x), normal


# The slope w = 1/(1 + x²) and v = x w: w' = -2 v w, v' = w - 2 v².
ATAN = Elementary("atan", _atan, ({(2,): 1}, {(2, 3): -2}, {(2,): 1, (3, 3): -2}))
# y = x s with the logistic s and its slope w = s - s²: y' = s + x w.
SILU = Elementary("silu", _silu, ({(2,): 1, (0, 3): 1}, {(3,): 1}, {(3,): 1, (2, 3): -2}))
# y = x Φ(x) with the normal distribution Φ and density φ: y' = Φ + x φ.
GELU = Elementary("gelu", _gelu, ({(2,): 1, (0, 3): 1}, {(3,): 1}, {(0, 3): -1}))


@cache
def power(exponent: float) -> Elementary:
    """The real power x ↦ x^p for x ≥ 0, with all derivatives that exist at x = 0.

    The states are x^p, x^{p-1}, … down to an exponent q < 1, and r = 1/x: (x^p)' = p x^{p-1}, (x^q)' = q x^q r,
    r' = -r².
    """
    n = max(math.floor(exponent), 0)
    system: list[Polynomial] = [{(i + 2,): exponent - i} for i in range(n)]
    system += [{(n + 1, n + 2): exponent - n}, {(n + 2, n + 2): -1}]
    return Elementary(
        f"pow({exponent})", lambda x: (*(x ** (exponent - i) for i in range(n + 1)), x.reciprocal()), tuple(system)
    )
