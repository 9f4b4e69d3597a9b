"""Corrections from rows with noise of unknown size, against least squares and their own statistics."""

import math

import pytest
import torch

from pinnlab.training.evaluation.linear_gaussian import Rows, infer


def none(corrections):
    """No rows of an equation."""
    return Rows(torch.zeros(0), torch.zeros(0, corrections))


def test_exact_rows_give_the_correction_and_no_deviation():
    slope, z = torch.randn(60, 4), torch.tensor([0.3, -0.1, 0.02, 0.5])
    found = infer(Rows(-slope @ z, slope), [], torch.eye(4))
    torch.testing.assert_close(found.corrections, z, rtol=1e-10, atol=1e-12)
    assert found.deviation.max() < 1e-10 and found.explained == pytest.approx(1)


@pytest.mark.parametrize("noise", [1e-6, 1e-2])
def test_the_deviation_is_that_of_least_squares(noise):
    slope, z = torch.randn(200, 4), torch.tensor([0.3, -0.1, 0.02, 0.5])
    found = infer(none(4), [Rows(noise * torch.randn(200) - slope @ z, slope)], torch.eye(4))
    covariance = torch.linalg.inv(slope.mT @ slope)
    assert found.noises[0] == pytest.approx(noise, rel=0.2)
    torch.testing.assert_close(found.deviation / found.noises[0], covariance.diagonal().sqrt(), rtol=0.02, atol=0)


def test_an_exact_equation_restrains_what_noisy_measurements_say():
    """z₁ = z₂ exactly: the deviation is that of one parameter measured by all rows."""
    equation = Rows(torch.zeros(50), torch.randn(50, 1) * torch.tensor([[1.0, -1.0]]))
    slope = torch.randn(80, 2)
    measured = Rows(0.05 * torch.randn(80) - slope @ torch.tensor([0.2, 0.2]), slope)
    found = infer(equation, [measured], torch.eye(2))
    alone = found.noises[0] / float(slope.sum(1).norm())
    torch.testing.assert_close(found.deviation, torch.full((2,), alone), rtol=0.02, atol=0)
    torch.testing.assert_close(found.corrections[0], found.corrections[1], rtol=0, atol=1e-4)


def test_each_group_of_measurements_has_its_own_noise():
    slope = torch.randn(300, 4)
    groups = [Rows(noise * torch.randn(300) - slope[:, 0], slope) for noise in (1e-3, 1e-1)]
    found = infer(none(4), groups, torch.eye(4))
    assert found.noises[0] == pytest.approx(1e-3, rel=0.2) and found.noises[1] == pytest.approx(1e-1, rel=0.2)


def test_what_rows_do_not_tell_keeps_its_prior():
    slope = torch.randn(40, 1) * torch.tensor([[1.0, 1.0]])  # of a sum alone
    found = infer(Rows(-slope.sum(1) * 0.1, slope), [], torch.eye(2))
    assert torch.allclose(found.deviation, torch.full((2,), math.sqrt(0.5)))


def test_no_rows_and_no_corrections():
    assert torch.equal(infer(none(4), [], torch.eye(4)).deviation, torch.ones(4))
    assert infer(Rows(torch.ones(3), torch.zeros(3, 0)), [], torch.zeros(1, 0)).deviation.tolist() == [0.0]


def test_deviations_are_those_of_repeated_measurements():
    slope = torch.randn(30, 2)
    results = [infer(none(2), [Rows(0.1 * torch.randn(30), slope)], torch.eye(2)) for _ in range(200)]
    spread = torch.stack([found.corrections for found in results]).std(0)
    said = torch.stack([found.deviation for found in results]).mean(0)
    torch.testing.assert_close(said, spread, rtol=0.15, atol=0)
