"""The contract of a derivative engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from pinnlab.construction import Constructed
from pinnlab.engines.copies import OwnCopies
from pinnlab.errors import UserError
from pinnlab.jets import Algebra, Field


class Engine(Constructed, ABC):
    """Evaluates a network as fields: functions of the coordinates that can be differentiated.

    Engines differ in how they compute derivatives, and never in the values: every residual gives the same numbers
    under each. `NTP` and `Autograd` are the two that ship.
    """

    @abstractmethod
    def fields(
        self, network: nn.Module, coordinates: Mapping[str, Tensor], outputs: Sequence[str], indices: Algebra
    ) -> dict[str, Field]:
        """The coordinates and the network's outputs as fields.

        Args:
            network: Maps `(N, d)` to `(N, len(outputs))`.
            coordinates: The d inputs by name, each `(N,)` or, a vector, `(N, dim)`; in the order of the
                network's columns.
            outputs: The names of the network's output columns.
            indices: The derivatives that will be asked for: an algebra of d axes.

        Returns:
            A field for every coordinate, each carrying its axis, and for every output; values are `(N,)`,
            of a vector coordinate `(N, dim)`.

        Raises:
            UserError: if the network has another number of columns, or an operation that cannot be differentiated.
        """

    def fields_by_part(
        self,
        network: nn.Module,
        parts: Sequence[Mapping[str, Tensor]],
        outputs: Sequence[str],
        indices: Algebra,
    ) -> list[dict[str, Field]]:
        """The fields of several sets of points: one mapping of `fields` for each.

        An engine that can take the network's values at all points apart evaluates the network once.

        Args:
            network: See `fields`.
            parts: The coordinates of each set.
            outputs: See `fields`.
            indices: See `fields`.
        """
        return [self.fields(network, coordinates, outputs, indices) for coordinates in parts]

    def with_copies(self, network: nn.Module, names: Collection[str]) -> nn.Module | None:
        """The same network as a module that takes, for each point, a copy of some of its parameters.

        The gradients with respect to the copies are the rows of a Jacobian. By default the network is mapped over the
        points by `torch.func.vmap`, which suits every engine that calls a network with plain tensors.

        Args:
            network: The network.
            names: Names of its parameters and buffers that are `(N, ...)` where N points are evaluated.

        Returns:
            The network, which may be `Wrapped`; None if the engine cannot evaluate this network with copies.
        """
        return OwnCopies(network, names)


def by_name(columns: Any, outputs: Sequence[str]) -> dict[str, Any]:
    """The columns of what a network returned, a tensor or a field `(N, len(outputs))`, by output name.

    Raises:
        UserError: if there are more or fewer columns than names.
    """
    if columns.ndim != 2 or columns.shape[1] != len(outputs):
        raise UserError(
            f"the network returned the shape {tuple(columns.shape)}; the outputs {', '.join(outputs)} need "
            f"(N, {len(outputs)})"
        )
    return dict(zip(outputs, columns.unbind(-1), strict=True))
