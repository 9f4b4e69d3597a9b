"""Conditions in residuals: the value or first derivative of an output that a residual gives, found by trial numbers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pinnlab.equations.constraints import Residual
from pinnlab.jets import Jet


class NotAffineError(Exception):
    """A residual is not affine in a value or a first derivative; the message says why, in a part of a sentence."""


class _Sloped:
    """Numbers in the place of the first derivatives of an output."""

    slopes: Mapping[int, Tensor]
    """Number of an input ↦ the derivative along it."""
    inputs: Sequence[Any]
    """The inputs as the residual has them."""

    def slope(self, *coordinates: object) -> Tensor:
        """The number in the place of a first derivative.

        Raises:
            NotAffineError: if the derivative is of another order.
        """
        if len(coordinates) == 1:
            for number, column in enumerate(self.inputs):
                if column is coordinates[0]:
                    return self.slopes[number]
        raise NotAffineError("it has a derivative of higher order")


class _TensorTrial(Tensor, _Sloped):
    """Numbers in the place of an output at inputs that are tensors; results of operations are plain tensors."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    d = _Sloped.slope


class _JetTrial(Jet, _Sloped):
    """Numbers in the place of an output at inputs that are jets; results of operations are jets."""

    d = _Sloped.slope  # type: ignore[assignment]


def _trial(value: Tensor, slopes: Mapping[int, Tensor], inputs: Sequence[Any]) -> _TensorTrial | _JetTrial:
    """The trial values `(N,)` at inputs."""
    like = inputs[0]
    found: _TensorTrial | _JetTrial
    if isinstance(like, Jet):
        found = _JetTrial(value[None], like.indices, composition=like.composition)
    else:
        found = value.as_subclass(_TensorTrial)
    found.slopes, found.inputs = slopes, inputs
    return found


@dataclass(frozen=True)
class Condition:
    """A component of a residual that fixes one output, or one first derivative of it: c(x) (∂^α u − g(x)).

    Attributes:
        constraint: The constraint.
        component: Which component of its residual.
        output: The output.
        along: The input along which the output is differentiated; None for its value.
    """

    constraint: str
    component: int
    output: str
    along: str | None

    def given(self, residual: Residual, inputs: Mapping[str, Any], outputs: Sequence[str]) -> Any:
        """The given value g at points: −r(0) / (r(1) − r(0)).

        Args:
            residual: The constraint's residual.
            inputs: The inputs by name: tensors or fields `(N,)`.
            outputs: The names of all outputs.
        """
        zero = _evaluated(residual, inputs, outputs, {})[self.component]
        one = _evaluated(residual, inputs, outputs, {(self.output, self.along): 1.0})[self.component]
        return -zero / (one - zero)


def conditions(name: str, residual: Residual, inputs: Mapping[str, Tensor], outputs: Sequence[str]) -> list[Condition]:
    """The conditions that a residual consists of.

    r(0), the slopes c of every value and first derivative, and r at two random values are compared at the points.

    Args:
        name: The constraint.
        residual: Its residual.
        inputs: Points where it should hold: inputs by name, `(N,)`.
        outputs: The names of the outputs.

    Raises:
        NotAffineError: if a component is anything else than a value or first derivative of one output.
    """
    for argument, parameter in inspect.signature(residual).parameters.items():
        if argument not in inputs and argument not in outputs and parameter.default is parameter.empty:
            raise NotAffineError(f"it depends on {argument}, which is no coordinate")
    places = [(output, along) for output in outputs for along in (None, *inputs)]
    try:
        constant = _evaluated(residual, inputs, outputs, {})
        slopes = {
            place: [r - c for r, c in zip(_evaluated(residual, inputs, outputs, {place: 1.0}), constant, strict=True)]
            for place in places
        }
        generator = torch.Generator().manual_seed(0)
        for _ in range(2):
            some = {place: float(torch.randn((), generator=generator)) for place in places}
            for i, (found, c) in enumerate(zip(_evaluated(residual, inputs, outputs, some), constant, strict=True)):
                terms = torch.stack([c, *(some[place] * slopes[place][i] for place in places)])
                if not _small(found - terms.sum(0), terms.abs().sum(0)):
                    raise NotAffineError("it is not linear in the outputs")
    except NotAffineError:
        raise
    except Exception as error:  # whatever a residual does to numbers that are no fields
        raise NotAffineError(f"it cannot be tried with numbers ({' '.join(str(error).split())[:80]})") from error
    return [_condition(name, i, {p: s[i] for p, s in slopes.items()}) for i in range(len(constant))]


def _condition(name: str, component: int, slopes: Mapping[tuple[str, str | None], Tensor]) -> Condition:
    largest = max(float(slope.abs().max()) for slope in slopes.values())
    present = [place for place, slope in slopes.items() if float(slope.abs().max()) > 1e-12 * largest]
    if len(present) != 1:
        raise NotAffineError("it is about more than one value or derivative" if present else "it is about no output")
    (output, along) = present[0]
    if not bool((slopes[present[0]].abs() > 1e-8 * largest).all()):
        raise NotAffineError(f"the coefficient of {output} vanishes at some points")
    return Condition(name, component, output, along)


def _evaluated(
    residual: Residual,
    inputs: Mapping[str, Any],
    outputs: Sequence[str],
    numbers: Mapping[tuple[str, str | None], float],
) -> list[Any]:
    """The components of a residual with these numbers in the place of outputs and derivatives, 0 for all others."""
    like = next(iter(inputs.values()))
    columns = list(inputs.values())

    def full(output: str, along: str | None) -> Tensor:
        return torch.full(tuple(like.shape), numbers.get((output, along), 0.0), dtype=like.dtype, device=like.device)

    available = dict(inputs)
    for output in outputs:
        slopes = {number: full(output, along) for number, along in enumerate(inputs)}
        available[output] = _trial(full(output, None), slopes, columns)
    wanted = inspect.signature(residual).parameters
    result = residual(**{name: value for name, value in available.items() if name in wanted})
    parts = list(result) if isinstance(result, tuple | list) else [result]
    return [part.as_subclass(Tensor) if isinstance(part, _TensorTrial) else part for part in parts]


def _small(difference: Tensor, scale: Tensor) -> bool:
    return bool((difference.abs() <= 1e3 * torch.finfo(scale.dtype).eps * scale.max().clamp(min=1.0)).all())
