"""The arguments of `solve`: converted to the types that training takes, or refused in one line with an example."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from torch import nn

from pinnlab.collocation import Sampler
from pinnlab.engines import Engine
from pinnlab.equations import Equation
from pinnlab.errors import UserError
from pinnlab.residuals import Sobolev
from pinnlab.residuals.balancing import Balancing
from pinnlab.training.failures import reason
from pinnlab.training.phases import Phase

T = TypeVar("T")

Network = Callable[[int, int], nn.Module]
"""Called with the numbers of inputs and outputs."""


def instance(value: Any, kind: type[T], example: str) -> T:
    """The value, if it is one of a kind.

    Raises:
        UserError: if it is something else: the class itself, its name.
    """
    if isinstance(value, kind):
        return value
    got = f"the class {value.__name__}" if isinstance(value, type) else f"{value!r:.60}"
    raise UserError(f"solve takes {_article(kind.__name__)}, such as {example}, not {got}")


def network_builder(network: Any) -> Network:
    """The function that builds the network, with errors of one line.

    Raises:
        UserError: if it is no function; when it is called, if it cannot build a network of these numbers.
    """
    if isinstance(network, nn.Module):
        raise UserError(
            f"network builds a network from the numbers of inputs and outputs, and {type(network).__name__} is one "
            "already: give a class, partial(MLP, width=32), or a function such as lambda inputs, outputs: Sequential(…)"
        )
    if not callable(network):
        raise UserError(
            f"network must be a class or a function of the numbers of inputs and outputs, not {network!r:.60}"
        )

    def build(inputs: int, outputs: int) -> nn.Module:
        try:
            built = network(inputs, outputs)
        except TypeError as error:
            raise UserError(
                f"network({inputs}, {outputs}), which builds the network, fails: {reason(error)}"
            ) from error
        if not isinstance(built, nn.Module):
            raise UserError(f"network({inputs}, {outputs}) must return a torch module, not {type(built).__name__}")
        return built

    return build


def phases_of(phases: Any) -> list[Phase]:
    """The phases; one alone is a list of one.

    Raises:
        UserError: if one of them is none.
    """
    listed = list(phases) if isinstance(phases, Sequence) and not isinstance(phases, str) else [phases]
    return [instance(phase, Phase, "Adam(2000)") for phase in listed]  # type: ignore[type-abstract]


def equation_of(equation: Any) -> Equation:
    """The equation.

    Raises:
        UserError: if it is none.
    """
    name = equation.__name__ if isinstance(equation, type) and issubclass(equation, Equation) else "Poisson"
    return instance(equation, Equation, f"{name}()")  # type: ignore[type-abstract]


def engine_of(engine: Any) -> Engine:
    """The engine.

    Raises:
        UserError: if it is none.
    """
    return instance(engine, Engine, "NTP()")  # type: ignore[type-abstract]


def sampler_of(sampler: Any) -> Sampler | dict[str, Sampler] | None:
    """The sampler, or those by constraint.

    Raises:
        UserError: if it is none.
    """
    if sampler is None:
        return None
    if isinstance(sampler, Mapping):
        return {name: instance(one, Sampler, "Sobol()") for name, one in sampler.items()}  # type: ignore[type-abstract]
    return instance(sampler, Sampler, "Sobol()")  # type: ignore[type-abstract]


def sobolev_of(sobolev: Any) -> dict[str, Sobolev] | None:
    """The Sobolev weightings by constraint.

    Raises:
        UserError: if they are none.
    """
    found = by_constraint("sobolev", sobolev)
    if found is None:
        return None
    return {k: instance(v, Sobolev, "Weights([1.0, 0.1])") for k, v in found.items()}  # type: ignore[type-abstract]


def balancing_of(balancing: Any) -> Balancing | None:
    """The balancing.

    Raises:
        UserError: if it is none.
    """
    return None if balancing is None else instance(balancing, Balancing, "GradNorm()")  # type: ignore[type-abstract]


def points_of(points: Any) -> dict[str, int] | None:
    """The numbers of points by constraint.

    Raises:
        UserError: if they are no whole numbers.
    """
    found = by_constraint("points", points)
    return None if found is None else {name: whole(f"points[{name!r}]", count) for name, count in found.items()}


def weights_of(weights: Any) -> dict[str, float] | None:
    """The weights by constraint.

    Raises:
        UserError: if they are no numbers.
    """
    found = by_constraint("weights", weights)
    if found is None:
        return None
    try:
        return {name: float(weight) for name, weight in found.items()}
    except (TypeError, ValueError):
        raise UserError(f"weights are numbers by constraint, as {{'interior': 10.0}}, not {weights!r:.60}") from None


def hard_of(hard: Any) -> bool | list[str]:
    """Whether conditions are built in, or the constraints that are.

    Raises:
        UserError: if it is something else.
    """
    if isinstance(hard, bool):
        return hard
    if isinstance(hard, Sequence) and not isinstance(hard, str) and all(isinstance(name, str) for name in hard):
        return list(hard)
    raise UserError(f"hard is True, False or a list of constraints, as ['initial', 'walls'], not {hard!r:.60}")


def by_constraint(option: str, given: Any) -> dict[str, Any] | None:
    """A dictionary by constraint, or None.

    Raises:
        UserError: if it is something else.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise UserError(f"{option} is a dictionary by constraint, as {{'interior': …}}, not {given!r:.60}")
    return dict(given)


def whole(option: str, value: Any) -> int:
    """A whole number.

    Raises:
        UserError: if it is none.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise UserError(f"{option} must be a whole number, not {value!r:.60}") from None


def seed_of(seed: Any, option: str = "seed") -> int:
    """A seed that all generators take.

    Raises:
        UserError: if it is no whole number, or numpy cannot be seeded with it.
    """
    found = whole(option, seed)
    if not 0 <= found < 2**32:
        raise UserError(f"{option}: a seed lies between 0 and {2**32 - 1}, not {found}")
    return found


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
