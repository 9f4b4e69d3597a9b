"""Laws of the samplers."""

import math
import warnings

import numpy as np
import pytest
import torch

from pinnlab.collocation import Clustered, Grid, Halton, LatinHypercube, Sampler, Sobol, Uniform
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Interval, Polygon, size

RANDOM = [Uniform(), LatinHypercube(), Sobol(), Halton()]
ALL = [Grid(), *RANDOM, Clustered(0, towards=0.3)]
SQUARE = Box(x=(0.0, 1.0), y=(0.0, 1.0))
by_name = pytest.mark.parametrize


def stack(points):
    return torch.stack(list(points.values()), 1)


@by_name("sampler", ALL, ids=lambda s: type(s).__name__)
@by_name("n", [1, 2, 3, 31, 100, 301])
def test_exactly_n_points_in_one_dimension(sampler: Sampler, n):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points = sampler.sample(Interval(X=(-2, 2)), n, seed=0)
    assert points["X"].shape == (n,)
    assert points["X"].unique().numel() == n


@by_name("sampler", ALL, ids=lambda s: type(s).__name__)
def test_same_arguments_same_points(sampler):
    first, second = (stack(sampler.sample(SQUARE.faces(), 50, seed=4, draw=2)) for _ in range(2))
    assert torch.equal(first, second)


@by_name("sampler", ALL, ids=lambda s: type(s).__name__)
def test_the_global_generators_are_left_alone(sampler):
    torch.manual_seed(0)
    np.random.seed(0)
    before = (torch.get_rng_state(), np.random.get_state()[1].copy())
    sampler.sample(SQUARE - Polygon([(0, 0), (1, 0), (0, 1)]), 50, seed=4)
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()


@by_name("sampler", RANDOM, ids=lambda s: type(s).__name__)
def test_another_draw_or_seed_gives_fresh_points(sampler):
    drawn = [stack(sampler.sample(SQUARE, 64, seed, draw)) for seed, draw in [(0, 0), (0, 1), (1, 0), (0, 2)]]
    for i, one in enumerate(drawn):
        for other in drawn[i + 1 :]:
            assert not set(one.flatten().tolist()) & set(other.flatten().tolist())


def test_a_grid_is_the_same_each_draw():
    assert torch.equal(stack(Grid().sample(SQUARE, 64, 0, 0)), stack(Grid().sample(SQUARE, 64, 5, 3)))


@by_name("n", [7, 64, 301])
def test_latin_hypercube_has_one_point_in_each_slice(n):
    points = LatinHypercube().sample(Box(x=(0, 1), y=(0, 1), z=(0, 1)), n, seed=0)
    for column in points.values():
        assert sorted((column * n).floor().long().tolist()) == list(range(n))


def test_sobol_hits_each_dyadic_cell_once():
    """A two-dimensional Sobol sequence is a (0, m, 2)-net: every shape of dyadic cell of volume 2^-m."""
    m = 6
    points = Sobol().sample(SQUARE, 2**m, seed=0)
    for a in range(m + 1):
        cell = (points["x"] * 2**a).floor() * 2 ** (m - a) + (points["y"] * 2 ** (m - a)).floor()
        assert sorted(cell.long().tolist()) == list(range(2**m))


def test_halton_stratifies_in_bases_two_and_three():
    points = Halton().sample(SQUARE, 36, seed=0)
    cell = (points["x"] * 4).floor() * 9 + (points["y"] * 9).floor()
    assert sorted(cell.long().tolist()) == list(range(36))


@by_name("sampler", [Uniform(), Sobol(), Halton()], ids=lambda s: type(s).__name__)
def test_sequences_are_nested(sampler):
    short, long = (stack(sampler.sample(SQUARE, n, seed=0)) for n in (37, 90))
    assert torch.equal(short, long[:37])


@by_name("sampler", RANDOM, ids=lambda s: type(s).__name__)
def test_integration_error_matches_the_sampler(sampler):
    """A mean over 1024 points: n^-1/2 for random points, far better for the stratified ones."""
    points = sampler.sample(SQUARE, 1024, seed=5)
    error = abs(float(torch.exp(points["x"] + points["y"]).mean()) - (math.e - 1) ** 2)
    assert error < (0.15 if isinstance(sampler, Uniform) else 0.02)


def test_grid_includes_its_ends():
    points = Grid().sample(Interval(X=(-2, 2)), 301, seed=0)["X"]
    torch.testing.assert_close(points, torch.linspace(-2, 2, 301, dtype=points.dtype))
    assert (points[0], points[-1]) == (-2.0, 2.0)


@by_name(("n", "expected"), [(100, 100), (128, 132), (2, 2), (1, 1), (30, 30)])
def test_grid_in_two_dimensions_is_near_n(n, expected):
    points = Grid().sample(SQUARE, n, seed=0)
    assert size(points) == expected
    assert points["x"].unique().numel() * points["y"].unique().numel() == expected
    if n > 3:
        assert {float(points[c].min()) for c in points} == {0.0}
        assert {float(points[c].max()) for c in points} == {1.0}


def test_grid_in_many_dimensions_stays_near_n():
    box = Box(x=([0.0] * 50, [1.0] * 50))
    points = Grid().sample(box, 100, seed=0)
    assert points["x"].shape == (128, 50)


def test_grid_with_an_offset_is_cell_centred():
    points = Grid(offset=0.5).sample(Interval(x=(0, 1)), 4, seed=0)
    assert points["x"].tolist() == [0.125, 0.375, 0.625, 0.875]


def test_grid_on_a_cut_region_fills_all_of_it():
    triangle = SQUARE - Polygon([(0, 0), (1, 0), (0, 1)])
    points = Grid().sample(triangle, 200, seed=0)
    assert 120 <= size(points) <= 280
    assert float(points["x"].max()) == float(points["y"].max()) == 1.0


@by_name(
    ("build", "message"),
    [
        (lambda: Grid(offset=1.0), "between 0 and 1"),
        (lambda: Sobol().sample(SQUARE, 0, 0), "must be positive, not 0"),
        (lambda: Sobol().sample(SQUARE, 1, -1), "must not be negative"),
    ],
)
def test_bad_input_is_one_clear_line(build, message):
    with pytest.raises(UserError, match=message):
        build()


@by_name("towards", [0.0, 0.3, 0.5, 1.0])
def test_graded_points_are_drawn_towards_the_place_by_the_power_of_their_distance(towards):
    plain, graded = (
        stack(sampler.sample(Box(t=(0.0, 1.0), x=(-1.0, 1.0)), 400, 0))
        for sampler in (Sobol(), Clustered(1, towards, power=3.0, share=0.25))
    )
    place = 2 * towards - 1
    assert torch.equal(plain[:, 0], graded[:, 0])
    assert torch.equal(plain[:300], graded[:300])
    before, after = plain[300:, 1] - place, graded[300:, 1] - place
    end = torch.where(before >= 0, 1 - place, 1 + place)
    assert torch.allclose(after.abs() / end, (before.abs() / end) ** 3, atol=1e-14)
    assert (after.sign() == before.sign()).all()


def test_a_power_of_one_and_a_share_of_none_leave_the_points_alone():
    plain = stack(Halton().sample(SQUARE, 50, 0))
    for graded in (Clustered(0, power=1.0, sampler=Halton()), Clustered(0, share=0.0, sampler=Halton())):
        assert torch.allclose(stack(graded.sample(SQUARE, 50, 0)), plain, rtol=0, atol=1e-15)


@by_name("options", [{"axis": -1}, {"axis": 0, "towards": 1.5}, {"axis": 0, "power": 0.5}, {"axis": 0, "share": 2.0}])
def test_bad_gradings_are_refused(options):
    with pytest.raises(UserError, match="Clustered: axis from 0, towards and share between 0 and 1, power at least 1"):
        Clustered(**options)


def test_a_grading_along_an_axis_that_is_not_there_is_refused():
    with pytest.raises(UserError, match="no axis 2"):
        Clustered(2).sample(SQUARE, 5, 0)
