"""Multi-stage networks: a frozen solution plus small corrections, each trained on the residual of the sum before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError
from pinnlab.networks.hidden import Hidden
from pinnlab.networks.transforms import Build


class Staged(nn.Module):
    """A sum of stages, N_1(x) + ε_2 N_2(z) + ε_3 N_3(z) + …, with z = x (Wang & Lai 2024, arXiv 2307.08934).

    Each training phase trains one stage (its option `stage`). Before stage s begins, ε_s is 0 and N_s is not evaluated.
    When it begins, training sets ε_s to the square root of the loss at that time, so that N_s is of order 1. The last
    linear layer of every N_s but the first starts at zero, so that the solution is continuous when a stage begins.

    With `reuse` the corrections are functions of z = h(x), the last hidden layer of N_1, which is frozen while they are
    trained. The features h change quickly where the solution does, and slowly elsewhere. Some hundred `RandomFeatures`
    of h can therefore represent the error of N_1; features of x would have to be placed and scaled by hand.

    The ε are Python numbers, because the choice of the stages that are evaluated must not depend on a tensor. An
    exported graph could not make that choice, and a GPU would have to synchronise for it. The module's state has them
    as one tensor.

    Attributes:
        stages: The networks N_s.
        scales: The factors ε_s, of which the first is 1.
        reuse: Whether the corrections see the last hidden layer of the first stage in place of x.

    Example:
        >>> import torch
        >>> from pinnlab.networks import MLP, RandomFeatures
        >>> network = Staged(2, 1, stages=[MLP, RandomFeatures], reuse=True)
        >>> network.scales
        [1.0, 0.0]
        >>> network(torch.zeros(5, 2)).shape
        torch.Size([5, 1])
    """

    def __init__(self, inputs: int, outputs: int, stages: Sequence[Build], reuse: bool = False) -> None:
        """Builds all stages.

        Args:
            inputs: Columns of the input.
            outputs: Columns of the output.
            stages: The network of every stage.
            reuse: Whether the corrections see the last hidden layer of the first stage in place of x.

        Raises:
            UserError: if there is no stage, one after the first cannot begin at zero, or the first has no hidden
                layer to reuse.
        """
        super().__init__()
        if not stages:
            raise UserError("Staged needs at least one stage, for example {class_path: MLP}")
        first = stages[0](inputs, outputs)
        seen = _hidden(first).last.in_features if reuse else inputs
        self.stages = nn.ModuleList([first, *(build(seen, outputs) for build in stages[1:])])
        self.scales = [1.0] + [0.0] * (len(stages) - 1)
        self.reuse = reuse
        for number, stage in enumerate(self.stages[1:], 2):
            _begin_at_zero(number, stage, seen)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates the stages that have begun at `(N, inputs)`."""
        first, *corrections = self.stages
        last: nn.Module = first
        if self.reuse:
            reused = cast(Hidden, first)  # as it was found to be when it was built
            x, last = reused.hidden(x), reused.last
        result: Tensor = last(x)
        for stage, scale in zip(corrections, self.scales[1:], strict=True):
            if scale:
                result = result + scale * stage(x)
        return result

    def drop(self, after: int) -> None:
        """Resets all stages after stage `after`, counted from 1, to their start."""
        for number in range(after, len(self.stages)):
            if self.scales[number]:
                self.scales[number] = 0.0
                _zero(self.stages[number])

    def get_extra_state(self) -> Tensor:
        """The ε, for the module's state."""
        return torch.tensor(self.scales, dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Takes the ε of a stored state."""
        self.scales = state.tolist()

    def extra_repr(self) -> str:
        """The ε."""
        return f"scales={self.scales}"


def _hidden(first: nn.Module) -> Hidden:
    if not isinstance(first, Hidden):
        raise UserError(
            f"Staged cannot reuse {type(first).__name__}, which does not end in a linear layer of its own: put "
            "transforms around Staged, or leave reuse out"
        )
    return first


def _begin_at_zero(number: int, stage: nn.Module, inputs: int) -> None:
    if not any(isinstance(module, nn.Linear) for module in stage.modules()):
        raise UserError(f"Staged: stage {number} has no linear layer that could start at zero")
    _zero(stage)
    with torch.no_grad():
        values = stage(torch.linspace(0.1, 0.9, 3)[:, None].expand(3, inputs))
    if values.any():
        raise UserError(
            f"Staged: stage {number} does not begin at zero, for its last linear layer is not all of its output: put "
            "transforms such as Taylor around Staged"
        )


def _zero(stage: nn.Module) -> None:
    *_, last = (module for module in stage.modules() if isinstance(module, nn.Linear))
    for parameter in last.parameters():
        nn.init.zeros_(parameter)
