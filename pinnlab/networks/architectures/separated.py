"""Sums of products of networks of different inputs, as DeepONet's branch and trunk."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError
from pinnlab.networks.mlp import MLP
from pinnlab.networks.transforms import Build


class Product(nn.Module):
    """u_o(x, y) = Σ_r B_{or}(x) T_{or}(y) + b_o: branch and trunk networks (Lu et al. 2021).

    Example:
        t goes into the branch, (x, y) into the trunk:

        >>> import torch
        >>> Product(3, 1, split=1, rank=8)(torch.zeros(5, 3)).shape
        torch.Size([5, 1])
    """

    def __init__(
        self, inputs: int, outputs: int, split: int = 1, rank: int = 16, branch: Build = MLP, trunk: Build = MLP
    ) -> None:
        """Builds both networks.

        Args:
            inputs: Columns of the input, at least 2.
            outputs: Columns of the output.
            split: How many of the columns the branch takes.
            rank: Terms r of the sum.
            branch: The network of the first `split` columns.
            trunk: The network of the others.

        Raises:
            UserError: if a network is left without inputs, or the rank is not positive.
        """
        super().__init__()
        if not 0 < split < inputs or rank < 1:
            raise UserError(f"Product splits {inputs} columns into two parts and needs a rank, got {split} and {rank}")
        self.split = split
        self.outputs = outputs
        self.branch = branch(split, outputs * rank)
        self.trunk = trunk(inputs - split, outputs * rank)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        terms = self.branch(x[..., : self.split]) * self.trunk(x[..., self.split :])
        return terms.reshape(*terms.shape[:-1], self.outputs, -1).sum(-1) + self.bias
