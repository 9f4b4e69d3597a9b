"""Jacobians point by point against reverse mode of the whole block, for every way there is to build them."""

import pytest
import torch
from torch import nn

from pinnlab.engines import NTP, Autograd
from pinnlab.networks import MLP, Even, Staged
from pinnlab.problems import Poisson, SelfSimilarBurgers
from pinnlab.residuals import Residuals, Weights
from pinnlab.residuals.jacobian.linearisation import Linearisation


class Scaled(nn.Module):
    """A network with a parameter outside of linear layers."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(1.3))
        self.network = MLP(1, 1, width=5, depth=1)

    def forward(self, x):
        return self.network(self.slope * x)


def burgers(network, engine, interior=3, origin=2):
    residuals = Residuals(network, SelfSimilarBurgers(1), engine, {"interior": Weights([1.0, 0.1])})
    points = {
        "interior": {"X": torch.linspace(-2, 2, interior)},
        "origin": {"X": torch.linspace(0, 0.1, origin)},
        "ends": {"X": torch.tensor([-2.0, 2.0])},
    }
    return residuals, points


def trained(residuals):
    return {name: p.detach() for name, p in residuals.named_parameters() if p.requires_grad}


def dense(residuals, points):
    """∂r/∂θ at fixed unknowns, one row at a time."""
    blocks = residuals(points)
    rows = torch.cat([block.flatten() for block in blocks.values()])
    parameters = [p for p in residuals.parameters() if p.requires_grad]
    gradients = [
        torch.autograd.grad(row, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
        for row in rows
    ]
    return rows.detach(), torch.stack([torch.cat([g.flatten() for g in gradient]) for gradient in gradients])


@pytest.mark.parametrize(
    ("network", "engine", "interior"),
    [
        (lambda: MLP(1, 1, width=6, depth=2), NTP(), 4),
        (lambda: MLP(1, 1, width=6, depth=2), NTP(), 300),  # too many points to repeat: a pass per row
        (Scaled, NTP(), 4),
        (lambda: MLP(1, 1, width=6, depth=2), Autograd(), 4),
        (Scaled, Autograd(), 4),
    ],
    ids=["linear layers", "many points", "other parameters", "autograd", "autograd, other parameters"],
)
def test_agrees_with_reverse_mode_of_the_whole_block(network, engine, interior):
    residuals, points = burgers(network(), engine, interior)
    r, jacobian = dense(residuals, points)
    found = Linearisation(residuals, trained(residuals), points, held=True)
    torch.testing.assert_close(found.vector, r, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(found.jacobian().dense(), jacobian, rtol=1e-10, atol=1e-12)


def staged(first, second):
    network = Staged(1, 1, [first, second])
    network.scales = [1.0, 0.3]
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return network


def small(inputs, outputs):
    return MLP(inputs, outputs, width=5, depth=2)


def scaled(inputs, outputs):
    return Scaled()


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["jets", "autograd"])
@pytest.mark.parametrize(
    ("build", "frozen", "interior"),
    [
        (lambda: staged(small, small), 0, 4),
        (lambda: staged(small, small), 0, 300),
        (lambda: staged(small, small), 1, 4),
        (lambda: Even(1, 1, lambda i, o: staged(small, small)), 0, 4),
        (lambda: staged(scaled, small), 0, 4),  # other parameters than linear layers', frozen
        (lambda: staged(small, scaled), 0, 4),  # and trained
    ],
    ids=["first frozen", "many points", "second frozen", "inside Even", "other frozen", "other trained"],
)
def test_frozen_parameters_have_no_columns(build, frozen, interior, engine):
    network = build()
    residuals, points = burgers(network, engine, interior)
    (inner,) = [module for module in network.modules() if isinstance(module, Staged)]
    inner.stages[frozen].requires_grad_(False)
    r, jacobian = dense(residuals, points)
    found = Linearisation(residuals, trained(residuals), points, held=True)
    torch.testing.assert_close(found.vector, r, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(found.jacobian().dense(), jacobian, rtol=1e-10, atol=1e-12)


def test_frozen_layers_have_one_weight_for_all_points():
    """Their products are those of an ordinary pass, and no gradient of theirs is computed."""
    network = staged(small, small)
    residuals, points = burgers(network, NTP(), 300)
    network.stages[0].requires_grad_(False)
    seen = []
    for stage in network.stages:
        layer = next(module for module in stage.modules() if isinstance(module, nn.Linear))
        layer.register_forward_hook(lambda layer, x, y: seen.append((layer.weight.ndim, y.coefficients.requires_grad)))
    Linearisation(residuals, trained(residuals), {"interior": points["interior"]}, held=True)
    assert seen == [(2, False), (3, True)]


def test_two_inputs_with_the_numbers_of_points_of_all_ranks():
    residuals = Residuals(MLP(2, 1, width=5), Poisson(), NTP())
    points = {
        "interior": {"x": torch.rand(7), "y": torch.rand(7)},
        "boundary": {"x": torch.rand(3), "y": torch.zeros(3)},
    }
    weighting = residuals.weighting.over({"interior": 14, "boundary": 9})
    half = Linearisation(residuals, trained(residuals), points, weighting)
    blocks = residuals(points, weighting)
    torch.testing.assert_close(half.vector, torch.cat([b.flatten() for b in blocks.values()]).detach())


def test_linear_unknowns_leave_residuals_that_no_change_of_them_lowers():
    residuals, points = burgers(MLP(1, 1, width=6), NTP())
    found = Linearisation(residuals, trained(residuals), points)
    low, high = residuals.equation.lam.bounds
    value = found.values["lam"]
    assert low <= value <= high
    losses = []
    for shift in (-1e-4, 0.0, 1e-4):
        with torch.no_grad():
            residuals.equation.lam.parameter.fill_(min(max(value + shift, low), high))
        losses.append(float(residuals.loss(residuals(points)).detach()))
    assert losses[1] <= min(losses) + 1e-15
    assert float(found.vector @ found.vector) == pytest.approx(losses[1], rel=1e-12)


def test_the_jacobian_is_orthogonal_to_the_slopes_of_free_unknowns():
    equation = SelfSimilarBurgers(1, bounds=(-100.0, 100.0))
    residuals = Residuals(MLP(1, 1, width=6), equation, NTP())
    _, points = burgers(MLP(1, 1, width=6), NTP())
    found = Linearisation(residuals, trained(residuals), points)
    jacobian = found.jacobian().dense()
    affine = [residuals.affine(name, p, residuals.over(points)[name]) for name, p in points.items()]
    slope = torch.cat([piece.slopes["lam"].detach().flatten() for piece in affine])
    assert float(slope.norm()) > 0.1
    assert float((slope @ jacobian).abs().max()) < 1e-10
    assert float(slope @ found.vector) == pytest.approx(0, abs=1e-10)


def test_the_graph_serves_one_jacobian():
    residuals, points = burgers(MLP(1, 1, width=4), NTP())
    found = Linearisation(residuals, trained(residuals), points)
    found.jacobian().dense()
    with pytest.raises(RuntimeError, match="handed over"):
        found.jacobian()
