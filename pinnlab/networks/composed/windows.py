"""Networks one after another along an input: each has its own window."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError
from pinnlab.networks.columns import named
from pinnlab.networks.transforms import Build


class Windows(nn.Module):
    """N_k(x) where t_{k−1} < t ≤ t_k, for an input t, usually time: what marching through windows finds.

    The first network also serves all smaller t, and the last one all larger t. A derivative is that of the network in
    whose window the point lies.

    Example:
        >>> import torch
        >>> from pinnlab.networks import MLP, Columns
        >>> network = Windows(Columns("tx"), Columns("u"), "t", ends=[1.0], networks=[MLP, MLP])
        >>> x = torch.tensor([[0.5, 0.0], [1.5, 0.0]])
        >>> first, second = (part(x) for part in network.networks)
        >>> torch.equal(network(x), torch.stack((first[0], second[1])))
        True
    """

    def __init__(self, inputs: int, outputs: int, along: str, ends: Sequence[float], networks: Sequence[Build]) -> None:
        """Builds the networks.

        Args:
            inputs: The inputs by name, as an equation gives them.
            outputs: Columns of the output.
            along: The input that the windows divide.
            ends: t_1 < t_2 < …, the ends of all windows but the last.
            networks: The network of each window.

        Raises:
            UserError: if the ends do not increase, there is not one network for each window, or no such input.
        """
        super().__init__()
        columns = named(inputs, "Windows")
        if along not in columns.names:
            raise UserError(f"Windows: there is no input {along!r}; the inputs are {', '.join(columns.names)}")
        if len(networks) != len(ends) + 1 or any(a >= b for a, b in itertools.pairwise(ends)):
            raise UserError(
                f"Windows needs increasing ends and one network more than ends, got {list(ends)} and {len(networks)} "
                "networks"
            )
        self.position = columns.names.index(along)
        self.ends = tuple(float(end) for end in ends)
        self.networks = nn.ModuleList(build(inputs, outputs) for build in networks)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        t = x[..., self.position : self.position + 1]
        result = self.networks[-1](x)
        for end, network in zip(reversed(self.ends), reversed(self.networks[:-1]), strict=True):
            result = torch.where(t <= end, network(x), result)
        return result
