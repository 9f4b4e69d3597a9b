"""Trained networks as plain graphs of tensor operations, for programs that do not have pinnlab."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn

from pinnlab.equations.inputs import axis_names
from pinnlab.errors import UserError
from pinnlab.jets import Jet
from pinnlab.networks.composed.seen import bound
from pinnlab.solution.requests import Request, closure, requested
from pinnlab.training.pinn import PINN

METADATA = "pinnlab.json"
"""The extra file in an export: equation, columns of the points in order, values by name, unknowns, dtype."""


def check_name(path: Path) -> None:
    """Makes sure that a file's name promises what is written to it.

    Raises:
        UserError: if it does not end in .pt2.
    """
    if path.suffix != ".pt2":
        raise UserError(
            f"{path}: export writes a torch.export program, whose name ends in .pt2; "
            "predict writes values and derivatives as .npz, .csv or .vtk"
        )


class Derivatives(nn.Module):
    """A network's outputs and derivatives at points `(N, d)`: a dictionary of `(N,)`, along a vector `(N, dim)`."""

    def __init__(self, network: nn.Module, columns: Sequence[str], requests: Sequence[Request]) -> None:
        """Takes the network.

        Args:
            network: Maps `(N, d)` to `(N, len(columns))`.
            columns: The names of its columns.
            requests: What to return.
        """
        super().__init__()
        self.network = network
        self.indices = closure(requests)
        self.wanted = [(list(columns).index(request.output), request) for request in requests]

    def forward(self, points: Tensor) -> dict[str, Tensor]:
        """The outputs and derivatives at the points."""
        values = self.network(Jet.seed(points, self.indices))
        return {request.name: request.values(values[..., column]) for column, request in self.wanted}


def export(model: PINN, derivatives: Sequence[str], path: Path) -> list[str]:
    """Write a trained network and derivatives of it as a `torch.export` program.

    `torch.export.load(path).module()(points)` with points `(N, d)`, any N, returns a dictionary of `(N,)`, and of
    `(N, dim)` for all derivatives along a vector input. The program holds the parameters as they are and can be
    differentiated with respect to the points.

    Args:
        model: The trained module.
        derivatives: Names such as `u_xx`; the outputs themselves are always there.
        path: The file to write, which ends in .pt2.

    Returns:
        The names in the dictionary.

    Raises:
        UserError: if a name is wrong, or an operation of the network has no rule for jets.
    """
    check_name(path)
    equation = model.equation
    requests = requested(equation, derivatives)
    values = {name: unknown.value.detach() for name, unknown in equation.unknowns().items()}
    network = bound(model.residuals.network, values)
    program = Derivatives(_frozen(network), equation.outputs, requests).eval()
    dtype = next(model.residuals.network.parameters()).dtype
    points = torch.zeros(3, equation.dimension, dtype=dtype)
    try:
        graph = torch.export.export(program, (points,), dynamic_shapes=({0: torch.export.Dim("points", min=1)},))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"the network cannot be written as a graph for any number of points: {reason}") from error
    names = [request.name for request in requests]
    metadata = {
        "equation": equation.name,
        "inputs": axis_names(equation.inputs),
        "values": names,
        "unknowns": model.unknowns(),
        "dtype": str(dtype).removeprefix("torch."),
    }
    torch.export.save(graph, path, extra_files={METADATA: json.dumps(metadata)})
    return names


def _frozen(network: nn.Module) -> nn.Module:
    """A copy whose parameters are constants, so that values do not drag a graph of them along."""
    copied = deepcopy(network).cpu()
    for module in copied.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, parameter.detach())
    return copied
