"""Functions with a derivative of their own, called without the cost of binding arguments by name."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function


class Operation(Function):
    """An autograd function of which all arguments are given by position and have no defaults.

    `Function.apply` works the signature of `forward` out in every call and binds the arguments to it. That takes longer
    than the arithmetic of a small batch, and changes nothing here.

    Example:
        >>> class Twice(Operation):
        ...     @staticmethod
        ...     def forward(x):
        ...         return 2 * x
        ...
        ...     @staticmethod
        ...     def setup_context(ctx, inputs, output):
        ...         pass
        ...
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         return 2 * g
        >>> Twice.apply(torch.ones(2))
        tensor([2., 2.])
    """

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """The function of these arguments, by the second half of `Function.apply`; all of it within a transform."""
        if torch._C._are_functorch_transforms_active():
            return super().apply(*args)
        # a graph that a transform built may hold its tensors beyond its end
        return super(Function, cls).apply(*torch._functorch.utils.unwrap_dead_wrappers(args))  # type: ignore[misc]
