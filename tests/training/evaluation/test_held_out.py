"""Metrics on held-out points."""

import logging

import pytest
import torch
from torch import nn

from pinnlab.engines import NTP, Autograd
from pinnlab.geometry import select
from pinnlab.networks import MLP
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.residuals import Residuals
from pinnlab.training.evaluation.held_out import Evaluation


def batch():
    x = torch.linspace(-2, 2, 41)
    return {"interior": {"X": x}, "origin": {"X": x / 20}, "ends": {"X": x[[0, -1]]}}


def figures(residuals, *batches):
    evaluation = Evaluation(residuals, torch.device("cpu"))
    for part in batches:
        evaluation.update(part, residuals.over(batch()))
    return {name: float(value) for name, value in evaluation.compute().items()}


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=lambda engine: type(engine).__name__)
def test_precise_figures_are_those_of_the_residuals(engine):
    torch.manual_seed(0)
    residuals = Residuals(MLP(1, 1, 6, 2), SelfSimilarBurgers(2), engine)
    found = figures(residuals, batch())
    names = [name.removesuffix("_precise") for name in found if name.endswith("_precise")]
    assert sorted(names) == ["held_out_loss", "residual_ends", "residual_interior", "residual_origin"]
    for name in names:
        assert found[f"{name}_precise"] == pytest.approx(found[name], rel=1e-10)
    assert found["held_out_loss"] == pytest.approx(float(Residuals.loss(residuals(batch())).detach()), rel=1e-12)


def test_precise_figures_at_some_of_many_points_are_those_at_all():
    """The residual in floating point is known at all of them."""
    torch.manual_seed(0)
    residuals = Residuals(MLP(1, 1, 6, 2), SelfSimilarBurgers(2), NTP())
    x = torch.linspace(-2, 2, 450) ** 3 / 4  # most of them near 0
    found = figures(residuals, {"interior": {"X": x}, "origin": {"X": x / 20}, "ends": {"X": x[[0, -1]]}})
    for name in ("residual_interior", "residual_origin", "held_out_loss"):
        assert found[f"{name}_precise"] == pytest.approx(found[name], rel=1e-9)


def test_batches_add_up():
    torch.manual_seed(0)
    residuals = Residuals(MLP(1, 1, 6, 2), SelfSimilarBurgers(2), NTP())
    whole = batch()
    halves = [{name: select(points, part) for name, points in whole.items()} for part in (slice(0, 1), slice(1, None))]
    # an estimate is made of each batch on its own
    one, two = (
        {name: value for name, value in found.items() if not name.startswith("uncertainty")}
        for found in (figures(residuals, whole), figures(residuals, *halves))
    )
    assert one == pytest.approx(two, rel=1e-10)


def test_an_operation_without_a_rule_leaves_precise_figures_and_estimates_out_and_says_so(caplog):
    class Strange(nn.Module):
        def forward(self, x):
            return torch.erfinv(x / 4)

    with caplog.at_level(logging.WARNING, "pinnlab"):
        found = figures(Residuals(Strange(), SelfSimilarBurgers(1), Autograd()), batch())
    assert not any(name.endswith("_precise") or name.startswith("uncertainty") for name in found)
    assert found["residual_interior"] > 0
    (record,) = caplog.records
    assert "errors are not estimated, nor residuals precise: erfinv" in record.message
