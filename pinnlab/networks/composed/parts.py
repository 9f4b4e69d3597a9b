"""One network for each output or group of outputs, and networks of some of the inputs alone."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError
from pinnlab.networks.columns import Columns, named
from pinnlab.networks.mlp import MLP
from pinnlab.networks.transforms import Build


class PerOutput(nn.Module):
    """A network of its own for every output, all of one kind: u_o(x) = N_o(x).

    Example:
        >>> import torch
        >>> network = PerOutput(2, 3)
        >>> len(network.parts), network(torch.zeros(5, 2)).shape
        (3, torch.Size([5, 3]))
    """

    def __init__(self, inputs: int, outputs: int, network: Build = MLP) -> None:
        """Builds `outputs` networks of one output each."""
        super().__init__()
        names = [Columns([name]) for name in outputs.names] if isinstance(outputs, Columns) else [1] * outputs
        self.parts = nn.ModuleList(network(inputs, name) for name in names)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        return torch.cat([part(x) for part in self.parts], -1)


class Parts(nn.Module):
    """Networks of named groups of outputs: `{"u, v": MLP, "p": partial(MLP, width=8)}`.

    For a field that does not depend on all inputs, such as a coefficient k(x) beside u(t, x), put the part into
    `DependsOn`.

    Example:
        >>> import torch
        >>> from pinnlab.networks import Columns
        >>> network = Parts(Columns("tx"), Columns("uvp"), {"u, v": MLP, "p": MLP})
        >>> network(torch.zeros(5, 2)).shape
        torch.Size([5, 3])
    """

    def __init__(self, inputs: int, outputs: int, parts: Mapping[str, Build]) -> None:
        """Builds a network for each part.

        Args:
            inputs: The inputs by name, as an equation gives them.
            outputs: The outputs by name.
            parts: Names of outputs, separated by commas ↦ the network of these.

        Raises:
            UserError: if an output is in no part or in two, a name is no output, or the columns have no names.
        """
        super().__init__()
        columns = named(outputs, "Parts")
        groups = [Columns(name.strip() for name in key.split(",")) for key in parts]
        given = [name for group in groups for name in group.names]
        for name in given:
            if name not in columns.names:
                raise UserError(f"Parts: there is no output {name!r}; the outputs are {', '.join(columns.names)}")
            if given.count(name) > 1:
                raise UserError(f"Parts: the output {name!r} is in more than one part")
        missing = [name for name in columns.names if name not in given]
        if missing:
            raise UserError(f"Parts: no part has the output {missing[0]!r}: give it a network, as {missing[0]}: MLP")
        self.parts = nn.ModuleList(build(inputs, group) for build, group in zip(parts.values(), groups, strict=True))
        self.widths = [int(group) for group in groups]
        # output ↦ its place among the columns of all parts
        self.order = [given.index(name) for name in columns.names]

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        found = []
        for part, width in zip(self.parts, self.widths, strict=True):
            values = part(x)
            if values.shape[-1] != width:
                raise UserError(f"Parts: a network of {width} output(s) returned {values.shape[-1]}")
            found += [values[..., i : i + 1] for i in range(width)]
        return torch.cat([found[i] for i in self.order], -1)


class DependsOn(nn.Module):
    """A network of some of the inputs alone: its derivatives along all others are 0 exactly.

    Example:
        u(t, x) and k(x):

        >>> from functools import partial
        >>> import torch
        >>> from pinnlab.networks import Columns
        >>> network = Parts(Columns("tx"), Columns("uk"), {"u": MLP, "k": partial(DependsOn, only=["x"])})
        >>> u, k = network(torch.tensor([[0.0, 0.5], [1.0, 0.5]])).unbind(1)
        >>> bool(u[0].isclose(u[1])), bool(k[0].isclose(k[1]))
        (False, True)
    """

    def __init__(self, inputs: int, outputs: int, only: Sequence[str], network: Build = MLP) -> None:
        """Builds the inner network.

        Args:
            inputs: The inputs by name, as an equation gives them.
            outputs: Columns of the output.
            only: The inputs that the network sees, in the order in which it sees them.
            network: The network.

        Raises:
            UserError: if a name is no input or given twice, there is none, or the columns have no names.
        """
        super().__init__()
        columns = named(inputs, "DependsOn")
        if isinstance(only, str):
            only = [only]
        for name in only:
            if not columns.positions(name):
                raise UserError(f"DependsOn: there is no input {name!r}; the inputs are {', '.join(columns.variables)}")
        seen = [position for name in only for position in columns.positions(name)]
        if not seen or len(set(seen)) < len(seen):
            raise UserError(f"DependsOn needs at least one input, each once, got {list(only)}")
        self.runs = _runs(seen)
        self.network = network(Columns(columns.names[position] for position in seen), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        parts = [x[..., first:last] for first, last in self.runs]
        return self.network(parts[0] if len(parts) == 1 else torch.cat(parts, -1))


def _runs(positions: Sequence[int]) -> list[tuple[int, int]]:
    """Consecutive positions taken together: [(first, last + 1), …]."""
    groups = itertools.groupby(enumerate(positions), lambda pair: pair[1] - pair[0])
    runs = [[position for _, position in group] for _, group in groups]
    return [(run[0], run[-1] + 1) for run in runs]
