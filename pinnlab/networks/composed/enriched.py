"""Networks with known functions added, such as the singular functions of a corner, each times an unknown factor."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pinnlab.construction import Constructed
from pinnlab.errors import UserError
from pinnlab.networks.columns import arguments, named, taken
from pinnlab.networks.composed.seen import Seen
from pinnlab.networks.mlp import MLP
from pinnlab.networks.transforms import Build


class Function(Constructed, ABC):
    """A function of named inputs that a configuration can name; a call with the inputs gives one number for each point.

    Example:
        >>> import torch
        >>> class Radius(Function):
        ...     def __call__(self, x, y):
        ...         return torch.sqrt(x * x + y * y)
        >>> Radius()(x=torch.tensor([3.0]), y=torch.tensor([4.0]))
        tensor([5.])
    """

    @abstractmethod
    def __call__(self, **coordinates: Any) -> Any:
        """The values, `(N,)`, at inputs by name: tensors or fields `(N,)`."""


class Enriched(nn.Module):
    """N(x) + Σ_k c_k φ_k(x): known functions φ_k with factors c_k that are trained, or have their least-squares values.

    A network represents a singular function badly. Where the form of the function is known, the network need not
    represent it: only the factor is unknown, as in enriched finite elements (Strang & Fix 1973, ch. 8). The functions
    are written over the inputs as a residual is, with torch functions, so that all their derivatives are exact.

    The factors begin at 0. Without names they are weights of the network, one for each function and output. With names
    they are unknowns of the equation, reported with their errors, and have their least-squares values where they
    are declared `linear=True`.

    Example:
        >>> import torch
        >>> from pinnlab.networks import Columns
        >>> network = Enriched(Columns(("x", "y")), 1, [lambda x, y: torch.sqrt(x * x + y * y)])
        >>> network(torch.ones(5, 2)).shape, network.factors.weight.shape
        (torch.Size([5, 1]), torch.Size([1, 1]))
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        functions: Sequence[Function | Callable[..., Any]],
        factors: Sequence[str] | None = None,
        network: Build = MLP,
    ) -> None:
        """Builds the inner network.

        Args:
            inputs: The inputs by name, as an equation gives them.
            outputs: Columns of the output.
            functions: Functions of inputs by name, such as `lambda x, y: …` or a `Corner`.
            factors: The unknowns of the equation that are the factors, one for each function; weights by default.
            network: The network N.

        Raises:
            UserError: if there is no function, a function asks for a name that is no input, the numbers of factors and
                functions differ, or there are factors by name and several outputs.
        """
        super().__init__()
        columns = named(inputs, "Enriched")
        if not functions:
            raise UserError("Enriched needs at least one function of the inputs, as lambda x, y: …")
        self.functions = list(functions)
        self.inputs = columns
        self.arguments = [arguments(function, columns, "Enriched") for function in self.functions]
        self.network = network(inputs, outputs)
        self.seen: Seen | None = None
        if factors is None:
            self.factors = nn.Linear(len(self.functions), int(outputs), bias=False)
            nn.init.zeros_(self.factors.weight)
            return
        names = [factors] if isinstance(factors, str) else list(factors)
        if len(names) != len(self.functions) or outputs != 1:
            raise UserError(
                f"Enriched needs one factor for each of its {len(self.functions)} function(s) and one output, got "
                f"{len(names)} and {int(outputs)}: for several outputs put it into Parts"
            )
        self.names = names
        self.seen = Seen(*dict.fromkeys(names))

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        pairs = zip(self.functions, self.arguments, strict=True)
        values = [self._value(function, wanted, x) for function, wanted in pairs]
        if self.seen is None:
            return self.network(x) + self.factors(torch.stack(values, -1))
        result = self.network(x)
        for name, value in zip(self.names, values, strict=True):
            result = result + getattr(self.seen, name) * value[..., None]
        return result

    def _value(self, function: Callable[..., Any], wanted: dict[str, list[int]], x: Tensor) -> Tensor:
        """A function at the points, `(N,)`."""
        value: Tensor = function(**{name: taken(x, positions, self.inputs, name) for name, positions in wanted.items()})
        if getattr(value, "shape", None) != x.shape[:-1]:
            name = getattr(function, "__name__", type(function).__name__)
            shape = tuple(getattr(value, "shape", ()))
            raise UserError(f"Enriched: the function {name} returned the shape {shape}, not a number for each point")
        return value


class Corner(Function):
    """r^λ sin λθ at a corner of angle ω, λ = kπ/ω: a harmonic function that is 0 on both sides of the corner.

    r and θ are polar coordinates around the corner, θ from the first side. With `free` the function is r^λ cos λθ,
    which has the normal derivative 0 on both sides. With `logarithm` it is the derivative with respect to λ,

        r^λ (log r sin λθ + θ cos λθ),

    which is harmonic as well. The solution contains it if λ is an integer and the right-hand side does not vanish at
    the corner, as for −Δu = 1 at a right angle.

    Example:
        r^{2/3} sin(2θ/3), at the re-entrant corner of an L:

        >>> import torch
        >>> corner = Corner(sides=(0, 270))
        >>> corner(x=torch.tensor([1.0, 0.0]), y=torch.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8660])
    """

    def __init__(
        self,
        at: tuple[float, float] = (0.0, 0.0),
        sides: tuple[float, float] = (0.0, 270.0),
        order: int = 1,
        free: bool = False,
        logarithm: bool = False,
        names: tuple[str, str] = ("x", "y"),
    ) -> None:
        """Takes the place and the sides.

        Args:
            at: The corner.
            sides: The directions of both sides in degrees; the region lies counter-clockwise between the first and
                the second.
            order: k.
            free: Take the cosine in place of the sine.
            logarithm: Take the derivative along λ.
            names: The names of the two coordinates.

        Raises:
            UserError: if the angle is not between 0 and 360 degrees, or the order not positive.
        """
        self.at = (float(at[0]), float(at[1]))
        first, last = float(sides[0]), float(sides[1])
        if not 0 < last - first <= 360 or order < 1:
            raise UserError(
                f"a Corner needs sides with 0 < second − first <= 360 and a positive order, got {list(sides)} and "
                f"{order}"
            )
        self.angle = math.radians(last - first)
        self.middle = math.radians((first + last) / 2)
        self.power = order * math.pi / self.angle
        self.free, self.logarithm = free, logarithm
        self.names = (str(names[0]), str(names[1]))
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in self.names])

    def __call__(self, **coordinates: Any) -> Any:
        """See `Function.__call__`."""
        x, y = (coordinates[name] - place for name, place in zip(self.names, self.at, strict=True))
        c, s = math.cos(self.middle), math.sin(self.middle)
        # the angle from the middle of the corner: where it jumps is outside
        theta = torch.atan2(c * y - s * x, c * x + s * y) + self.angle / 2
        square = x * x + y * y
        phase = self.power * theta
        even, odd = (torch.sin, torch.cos) if not self.free else (torch.cos, lambda v: -torch.sin(v))
        size = square ** (self.power / 2)
        if not self.logarithm:
            return size * even(phase)
        return size * (torch.log(square) / 2 * even(phase) + theta * odd(phase))
