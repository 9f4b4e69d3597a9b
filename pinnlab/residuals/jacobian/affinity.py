"""Whether residuals are affine in the unknowns that are declared linear."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.func import functional_call

from pinnlab.errors import UserError
from pinnlab.geometry import Points, select, size, subsample
from pinnlab.networks.composed.seen import slots
from pinnlab.residuals.residuals import Residuals

_POINTS = 50
# Values of an unknown, in units of its size, at which its rows are compared with those of the affine function: of both
# signs, small and large.
_VALUES = (-1.7, 0.37, 2.9)


def check_affine(residuals: Residuals, points: Mapping[str, Points]) -> None:
    """Refuses an unknown that is declared linear and in which a residual is not affine.

    Each unknown alone, and all of them together, are set to several values; the rows there must be b + Σ_i λ_i s_i with
    b and s_i from the values 0 and 1. The network's weights are moved a little, differently for each, since an output
    that is zero at first would hide what it is multiplied by.

    Args:
        residuals: The residual blocks.
        points: Points of every constraint, of which some are taken.

    Raises:
        UserError: if rows are not affine, naming the constraint and the unknown.
    """
    unknowns = residuals.equation.unknowns()
    if not any(unknown.linear for unknown in unknowns.values()):
        return
    generator = torch.Generator().manual_seed(0)
    moved = {
        f"network.{name}": p.detach() + 0.1 * torch.randn(p.shape, generator=generator).to(p)
        for name, p in residuals.network.named_parameters()
    }
    for constraint, batch in points.items():
        some = select(batch, subsample(size(batch), min(_POINTS, size(batch))))
        bad = functional_call(
            _Deviation(residuals), {f"residuals.{k}": p for k, p in moved.items()}, (constraint, some)
        )
        if bad:
            raise UserError(
                f"{residuals.equation.name}, constraint {constraint!r}: the residual is not affine in "
                f"{' and '.join(bad)}, declared linear: leave out linear=True"
            )


class _Deviation(torch.nn.Module):
    """Finds the unknowns in which one constraint's rows are not affine; a module, for `functional_call`."""

    def __init__(self, residuals: Residuals) -> None:
        super().__init__()
        self.residuals = residuals

    def forward(self, constraint: str, points: Points) -> list[str]:
        residuals, factors = self.residuals, self.residuals.over({constraint: points})[constraint]
        unknowns = residuals.equation.unknowns()
        now = {name: unknown.value.detach() for name, unknown in unknowns.items()}
        variables = residuals.variables(constraint, points)
        seen = set(slots(residuals.network).values())

        def rows(at: Mapping[str, float]) -> Tensor:
            changed = {**now, **{name: torch.full_like(now[name], value) for name, value in at.items()}}
            # the network is another one for every value of an unknown that it sees
            there = residuals.variables(constraint, points, changed) if seen & at.keys() else variables
            return residuals.rows(constraint, there, changed, factors).detach()

        # a row that is not finite where the unknowns are now has another fault
        kept = rows({}).isfinite()

        def affine(names: list[str]) -> bool:
            """Whether the rows are affine in these unknowns, with the others as they are."""
            zero = dict.fromkeys(names, 0.0)
            constant = rows(zero)
            slopes = {name: rows({**zero, name: 1.0}) - constant for name in names}
            for shift in range(len(_VALUES)):
                at = {
                    name: _VALUES[(i + shift) % len(_VALUES)] * max(1.0, abs(float(now[name])))
                    for i, name in enumerate(names)
                }
                terms = torch.stack([constant, *(at[name] * slopes[name] for name in names)])
                scale = torch.where(kept, terms.abs().sum(0), 0).amax(1, keepdim=True)
                deviation = (rows(at) - terms.sum(0)).abs()
                if not bool((deviation <= math.sqrt(torch.finfo(scale.dtype).eps) * scale)[kept].all()):
                    return False
            return True

        linear = sorted(name for name, unknown in unknowns.items() if unknown.linear)
        alone = [name for name in linear if not affine([name])]
        return alone or ([] if affine(linear) else linear)
