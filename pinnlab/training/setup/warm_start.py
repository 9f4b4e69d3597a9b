"""Beginning a run from the solution of another: continuation from an easier problem to a harder one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.networks import Staged
from pinnlab.training.pinn import PINN

_NETWORK, _EQUATION = "residuals.network.", "residuals.equation."
_INNER = f"{_NETWORK}network."
"""Where a network lies that conditions are built into."""


def warm_start(model: PINN, state: Mapping[str, Tensor], source: object) -> None:
    """Copies the network of a trained module into another module, and its unknowns where they fit.

    The two may solve different equations, or one equation with other numbers in it: profile k from k − 1, a viscosity
    from a larger one. An unknown of both equations keeps its trained value if the value lies within the bounds of
    the new equation. If the module has a network in stages and the trained one has not, the trained network becomes the
    first stage.

    Args:
        model: The module that is to be trained; changed in place.
        state: The `state_dict` of the trained one.
        source: Where it comes from, for messages.

    Raises:
        UserError: if the networks have other parameters, or conditions are built into one of them alone; nothing is
            changed then.
    """
    own = {name: value for name, value in model.state_dict().items() if name.startswith(_NETWORK)}
    given = _as_first_stage(model, {name: value for name, value in state.items() if name.startswith(_NETWORK)}, own)
    if model.built_in is not None and own.keys() == {_INNER + name.removeprefix(_NETWORK) for name in given}:
        raise UserError(
            f"the run cannot begin from {source}: its network N is the solution, and this one, with conditions "
            "built in, is the N of G + D N; take the same `hard` for both"
        )
    for name in [*own, *given]:
        if name not in own or name not in given or own[name].shape != given[name].shape:
            there, here = _shape(given.get(name)), _shape(own.get(name))
            raise UserError(
                f"the run cannot begin from {source}: its network has {there} {name.removeprefix(_NETWORK)}, the "
                f"configuration's has {here}; take the same network for both"
            )
    taken = dict(given)
    for name, unknown in model.equation.unknowns().items():
        key = f"{_EQUATION}{name}.parameter"
        if key in state and (unknown.bounds is None or unknown.bounds[0] < float(state[key]) < unknown.bounds[1]):
            taken[key] = state[key]
    with torch.no_grad():
        model.load_state_dict(taken, strict=False)


def _as_first_stage(model: PINN, given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The given parameters under the names of the first stage, beside the other stages as they are."""
    network = model.residuals.network
    where = [name for name, module in network.named_modules() if isinstance(module, Staged)]
    if not where:
        return dict(given)
    inside = f"{_NETWORK}{where[0]}." if where[0] else _NETWORK
    first = f"{inside}stages.0."
    if any(name.startswith(first) for name in given):
        return dict(given)
    renamed = {
        first + name.removeprefix(inside) if name.startswith(inside) else name: value for name, value in given.items()
    }
    rest = {name: value for name, value in own.items() if name.startswith(inside) and not name.startswith(first)}
    return rest | renamed


def _shape(value: Tensor | None) -> str:
    return "no" if value is None else f"a {'×'.join(map(str, value.shape)) or 'scalar'}"
