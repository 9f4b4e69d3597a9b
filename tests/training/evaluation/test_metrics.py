"""Metrics add up over batches to the plain functions of everything at once."""

import pytest
import torch

from pinnlab.training.evaluation.metrics import MaxError, RelativeL2, RootMeanSquare, max_error, relative_l2


@pytest.mark.parametrize(("metric", "function"), [(RelativeL2, relative_l2), (MaxError, max_error)])
def test_batches_add_up(metric, function):
    prediction, target = torch.randn(2, 100)
    whole = metric()
    for part in (slice(0, 7), slice(7, 60), slice(60, 100)):
        whole.update(prediction[part], target[part])
    assert whole.compute().item() == pytest.approx(function(prediction, target).item(), rel=1e-14)


def test_relative_l2_ignores_scale_and_max_error_does_not():
    prediction, target = torch.randn(2, 50)
    assert relative_l2(10 * prediction, 10 * target).item() == pytest.approx(relative_l2(prediction, target).item())
    assert max_error(10 * prediction, 10 * target).item() == pytest.approx(10 * max_error(prediction, target).item())


def test_root_mean_square_over_uneven_batches():
    metric = RootMeanSquare()
    metric.update(torch.tensor([3.0, 4.0, 5.0]))
    metric.update(torch.tensor([[0.0]]))
    assert metric.compute().item() == pytest.approx((50 / 4) ** 0.5)
