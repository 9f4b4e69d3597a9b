"""Where a function is largest, found between the points of any fixed sample."""

import pytest
import torch

from pinnlab.geometry import Box, Disc, Interval
from pinnlab.training.evaluation.worst_points import worst_points


@pytest.mark.parametrize("width", [1e-2, 1e-3])
def test_a_peak_narrower_than_the_candidates_distance_is_climbed(width):
    box = Box(x=(0, 1), y=(0, 2))
    found = worst_points(box, lambda p: 1 / ((p["x"] - 0.3) ** 2 + (p["y"] - 1.7) ** 2 + width**2).sqrt())
    assert abs(found["x"][0] - 0.3) < 5e-3 and abs(found["y"][0] - 1.7) < 1e-2
    assert box.contains(found).all()


def test_points_stay_in_a_region_with_a_hole():
    region = Box(x=(-1, 1), y=(-1, 1)) - Disc(radius=0.5)
    found = worst_points(region, lambda p: -(p["x"] ** 2 + p["y"] ** 2))
    assert region.contains(found).all()
    assert 0.5 <= torch.hypot(found["x"], found["y"])[0] < 0.505


def test_singular_points_are_left_out_and_the_same_are_found_again():
    def magnitude(p):
        return torch.where(p["x"] < 0.5, torch.nan, p["x"])

    one, two = (worst_points(Interval(x=(0, 1)), magnitude) for _ in range(2))
    assert torch.equal(one["x"], two["x"]) and one["x"].isfinite().all() and one["x"][0] > 0.999
