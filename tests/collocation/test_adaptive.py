"""Residual-based adaptive distribution."""

import pytest
import torch
from scipy.stats import chisquare

from pinnlab.collocation import residual_adaptive
from pinnlab.errors import UserError


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def candidates(n):
    return {"x": torch.arange(n, dtype=torch.float64), "y": -torch.arange(n, dtype=torch.float64)}


def test_density_follows_the_formula():
    """Few of many candidates in four classes: p = |r|^k / mean(|r|^k) + c."""
    n = 40000
    r = torch.tensor([0.0, 1.0, 2.0, 3.0], dtype=torch.float64).repeat(n // 4)
    chosen = residual_adaptive(candidates(n), r, 2000, k=2, c=0.5, generator=generator())
    counts = torch.bincount((chosen["x"] % 4).long(), minlength=4).double()
    p = torch.tensor([0.0, 1.0, 4.0, 9.0]).double() / 3.5 + 0.5
    assert chisquare(counts.numpy(), (2000 * p / p.sum()).numpy()).pvalue > 1e-3


def test_rows_stay_together_and_do_not_repeat():
    chosen = residual_adaptive(candidates(100), torch.rand(100), 60, generator=generator())
    assert torch.equal(chosen["x"], -chosen["y"])
    assert chosen["x"].unique().numel() == 60


def test_reproducible_and_scale_free():
    r = torch.rand(100, dtype=torch.float64, generator=generator(3))
    one, two, scaled, other = (
        residual_adaptive(candidates(100), r * scale, 30, k=40, generator=generator(seed))["x"]
        for scale, seed in [(1, 0), (1, 0), (2.0**-60, 0), (1, 1)]
    )
    assert torch.equal(one, two)
    assert torch.equal(one, scaled)
    assert not torch.equal(one, other)


def test_no_residual_means_uniform():
    chosen = residual_adaptive(candidates(10), torch.zeros(10), 10, generator=generator())
    assert sorted(chosen["x"].tolist()) == list(range(10))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"magnitude": torch.ones(9)}, "each of 10 candidates"),
        ({"magnitude": torch.full((10,), torch.nan)}, "finite and not negative"),
        ({"magnitude": -torch.ones(10)}, "finite and not negative"),
        ({"n": 11}, "cannot choose 11 of 10"),
        ({"magnitude": torch.eye(10)[0], "c": 0.0}, "cannot choose 5 of 1"),
        ({"c": -1.0}, "must not be negative"),
    ],
)
def test_bad_input_is_one_clear_line(arguments, message):
    with pytest.raises(UserError, match=message):
        residual_adaptive(candidates(10), **{"magnitude": torch.ones(10), "n": 5, **arguments})
