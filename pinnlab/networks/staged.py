"""Networks in stages: a frozen solution plus small corrections, each trained on what the stages before left."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError
from pinnlab.networks.transforms import Build


class Staged(nn.Module):
    """N_1(x) + ε_2 N_2(x) + ε_3 N_3(x) + …: multi-stage networks (Wang & Lai 2024, arXiv 2307.08934).

    A phase says which stage it trains (`stage`). ε_s is 0, and N_s is not evaluated, until stage s begins; training
    then sets ε_s to the square root of the loss that is left, so that N_s is of order 1. The last linear layer of
    every N_s but the first starts at zero: nothing changes where a stage begins.

    The ε are plain numbers, since whether a stage takes part must not depend on a tensor: an exported graph could not
    tell, and a GPU would have to be waited for. They are in the module's state as one tensor.

    Attributes:
        stages: The networks N_s.
        scales: The factors ε_s, of which the first is 1.
    """

    def __init__(self, inputs: int, outputs: int, stages: Sequence[Build]) -> None:
        """Builds all stages.

        Args:
            inputs: Columns of the input.
            outputs: Columns of the output.
            stages: The network of every stage.

        Raises:
            UserError: if there is no stage, or one after the first cannot begin at zero.
        """
        super().__init__()
        if not stages:
            raise UserError("Staged needs at least one stage, for example {class_path: MLP}")
        self.stages = nn.ModuleList(build(inputs, outputs) for build in stages)
        self.scales = [1.0] + [0.0] * (len(stages) - 1)
        for number, stage in enumerate(self.stages[1:], 2):
            _begin_at_zero(number, stage, inputs)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates the stages that have begun at `(N, inputs)`."""
        first, *corrections = self.stages
        result: Tensor = first(x)
        for stage, scale in zip(corrections, self.scales[1:], strict=True):
            if scale:
                result = result + scale * stage(x)
        return result

    def get_extra_state(self) -> Tensor:
        """The ε, for the module's state."""
        return torch.tensor(self.scales, dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Takes the ε of a stored state."""
        self.scales = state.tolist()

    def extra_repr(self) -> str:
        """The ε."""
        return f"scales={self.scales}"


def _begin_at_zero(number: int, stage: nn.Module, inputs: int) -> None:
    linear = [module for module in stage.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise UserError(f"Staged: stage {number} has no linear layer that could start at zero")
    for parameter in linear[-1].parameters():
        nn.init.zeros_(parameter)
    with torch.no_grad():
        values = stage(torch.linspace(0.1, 0.9, 3)[:, None].expand(3, inputs))
    if values.any():
        raise UserError(
            f"Staged: stage {number} does not begin at zero, for its last linear layer is not all of its output: put "
            "transforms such as Taylor around Staged"
        )
