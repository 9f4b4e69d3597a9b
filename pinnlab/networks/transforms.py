"""Output transforms: modules around a network that give it a symmetry, a scale or known values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError
from pinnlab.networks.mlp import MLP

Build = Callable[[int, int], nn.Module]
"""How a network is built: (inputs, outputs) ↦ module."""


class Odd(nn.Module):
    """(N(x) − N(−x)) / 2: the odd part of a network.

    Example:
        >>> import torch
        >>> network, x = Odd(1, 1), torch.linspace(0, 1, 5)[:, None]
        >>> torch.equal(network(-x), -network(x))
        True
    """

    def __init__(self, inputs: int, outputs: int, network: Build = MLP) -> None:
        """Builds the inner network."""
        super().__init__()
        self.network = network(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates the odd part at `(N, inputs)`."""
        return (self.network(x) - self.network(-x)) / 2


class Even(nn.Module):
    """(N(x) + N(−x)) / 2: the even part of a network.

    Example:
        >>> import torch
        >>> network, x = Even(1, 1), torch.linspace(0, 1, 5)[:, None]
        >>> torch.equal(network(-x), network(x))
        True
    """

    def __init__(self, inputs: int, outputs: int, network: Build = MLP) -> None:
        """Builds the inner network."""
        super().__init__()
        self.network = network(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates the even part at `(N, inputs)`."""
        return (self.network(x) + self.network(-x)) / 2


class Rescaled(nn.Module):
    """N((2x − a − b) / (b − a)): a network that sees the box [a, b] as [−1, 1] in every input.

    Example:
        >>> import torch
        >>> network = Rescaled(1, 1, low=[0.0], high=[10.0])
        >>> torch.equal(network(torch.tensor([[10.0]])), network.network(torch.tensor([[1.0]])))
        True
    """

    def __init__(
        self, inputs: int, outputs: int, low: Sequence[float], high: Sequence[float], network: Build = MLP
    ) -> None:
        """Sets the corners a = `low` and b = `high`, one number per input, and builds the inner network.

        Raises:
            UserError: if the corners do not have one number per input, in increasing order.
        """
        super().__init__()
        if len(low) != inputs or len(high) != inputs or not all(a < b for a, b in zip(low, high, strict=True)):
            raise UserError(f"Rescaled needs {inputs} increasing pairs of low and high, got {list(low)}, {list(high)}")
        self.centre: Tensor
        self.factor: Tensor
        self.register_buffer("centre", (torch.tensor(high) + torch.tensor(low)) / 2, persistent=False)
        self.register_buffer("factor", 2 / (torch.tensor(high) - torch.tensor(low)), persistent=False)
        self.network = network(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        return self.network((x - self.centre) * self.factor)


class Affine(nn.Module):
    """c + s N(x): a network whose outputs have a centre c and a size s, one number for each.

    Example:
        >>> import torch
        >>> network, x = Affine(1, 1, centre=[300.0], size=[50.0]), torch.zeros(1, 1)
        >>> torch.equal(network(x), 300 + 50 * network.network(x))
        True
    """

    def __init__(
        self, inputs: int, outputs: int, centre: Sequence[float], size: Sequence[float], network: Build = MLP
    ) -> None:
        """Sets c = `centre` and s = `size`, and builds the inner network.

        Raises:
            UserError: if there is not one number of each for every output, or a size is zero.
        """
        super().__init__()
        if len(centre) != outputs or len(size) != outputs or not all(size):
            raise UserError(f"Affine needs {outputs} centres and sizes other than 0, got {list(centre)}, {list(size)}")
        self.centre: Tensor
        self.size: Tensor
        self.register_buffer("centre", torch.tensor([float(c) for c in centre]), persistent=False)
        self.register_buffer("size", torch.tensor([float(s) for s in size]), persistent=False)
        self.network = network(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        return self.network(x) * self.size + self.centre


class Taylor(nn.Module):
    """c_0 + c_1 x + … + c_{p−1} x^{p−1} + x^p N(x): a network of one input with given first Taylor coefficients at 0.

    Example:
        u(0) = 1 and u'(0) = −2, whatever the network:

        >>> import torch
        >>> network = Taylor(1, 1, coefficients=[1.0, -2.0])
        >>> x = torch.tensor([[0.0]], requires_grad=True)
        >>> u = network(x)
        >>> u.item(), torch.autograd.grad(u.sum(), x)[0].item()
        (1.0, -2.0)
    """

    def __init__(self, inputs: int, outputs: int, coefficients: Sequence[float], network: Build = MLP) -> None:
        """Sets c_0, …, c_{p−1} and builds the inner network.

        Raises:
            UserError: if there is more than one input, or no coefficient.
        """
        super().__init__()
        if inputs != 1 or not coefficients:
            raise UserError("Taylor takes one input and at least one coefficient")
        self.coefficients = tuple(float(c) for c in coefficients)
        self.network = network(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, 1)`, by Horner's scheme."""
        result = self.network(x)
        for coefficient in reversed(self.coefficients):
            result = x * result + coefficient
        return result
