"""The multilayer perceptron."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Literal

from torch import nn

from pinnlab.errors import UserError
from pinnlab.networks.activations import Adaptive, Exp, Gaussian, Sine
from pinnlab.networks.hidden import Layers

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "tanh": nn.Tanh,
    "sin": Sine,
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "mish": nn.Mish,
    "exp": Exp,
    "gaussian": Gaussian,
    "softsign": nn.Softsign,
    "relu": nn.ReLU,
}
"""Activations by name."""

Initialisation = Literal["xavier_uniform", "xavier_normal", "lecun_normal", "kaiming_uniform"]


def activation(name: str) -> nn.Module:
    """A new activation module by name; `adaptive_` before a name gives it a trainable slope.

    Raises:
        UserError: for an unknown name.

    Example:
        >>> activation("tanh"), type(activation("adaptive_sin")).__name__
        (Tanh(), 'Adaptive')
    """
    if name.startswith("adaptive_"):
        return Adaptive(activation(name.removeprefix("adaptive_")))
    if name not in ACTIVATIONS:
        raise UserError(f"no activation is called {name!r}; choose one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()


def initialise(layer: nn.Linear, how: Initialisation) -> nn.Linear:
    """Draws the weights of a layer and zeroes its bias (`kaiming_uniform` is torch's own default for both)."""
    if how == "xavier_uniform":
        nn.init.xavier_uniform_(layer.weight)
    elif how == "xavier_normal":
        nn.init.xavier_normal_(layer.weight)
    elif how == "lecun_normal":
        nn.init.normal_(layer.weight, std=1 / math.sqrt(layer.in_features))
    elif how == "kaiming_uniform":
        layer.reset_parameters()
        return layer
    else:
        raise UserError(f"no initialisation is called {how!r}")
    nn.init.zeros_(layer.bias)
    return layer


class MLP(Layers):
    """A fully connected network: `depth` hidden layers σ(W h + b) of one width, then a linear layer.

    Example:
        >>> import torch
        >>> MLP(2, 1, width=16, depth=2, activation="sin")(torch.zeros(5, 2)).shape
        torch.Size([5, 1])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int = 24,
        depth: int = 3,
        activation: str = "tanh",
        initialisation: Initialisation = "xavier_uniform",
    ) -> None:
        """Builds the layers, with parameters of the default dtype.

        Args:
            inputs: Columns of the input, `(N, inputs)`.
            outputs: Columns of the output, `(N, outputs)`.
            width: Units in a hidden layer.
            depth: Hidden layers.
            activation: One of `ACTIVATIONS`.
            initialisation: How weights are drawn.

        Raises:
            UserError: if a size is not positive, or a name is unknown.
        """
        if min(inputs, outputs, width, depth) < 1:
            raise UserError(f"an MLP needs positive sizes, got {inputs}, {outputs}, width {width}, depth {depth}")
        sizes = [inputs, *[width] * depth]
        layers: list[nn.Module] = []
        for fan_in, fan_out in itertools.pairwise(sizes):
            layers += [initialise(nn.Linear(fan_in, fan_out), initialisation), _activation(activation)]
        super().__init__(*layers, initialise(nn.Linear(width, outputs), initialisation))


_activation = activation
