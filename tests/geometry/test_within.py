"""Windows of regions: the part of a region where a coordinate, such as time, lies between two numbers."""

import itertools
import math

import pytest
import torch

from pinnlab.collocation import Grid, Sobol, Uniform
from pinnlab.errors import UserError
from pinnlab.geometry import (
    Box,
    Difference,
    Disc,
    Groups,
    Intersection,
    Interval,
    Nodes,
    Point,
    PointSet,
    Polygon,
    Union,
    size,
)
from pinnlab.operators import GaussLegendre

PLATE, HOLE, TIME = Box(x=(-1, 1), y=(-1, 1)), Disc((0, 0), 0.4), Interval(t=(0, 2))
TRIANGLE = Polygon([(0, 0), (1, 0), (0, 1)])
CUBOID = Box(t=(0, 2), x=(-1, 1), y=(-1, 1))

# regions whose coordinate t goes from 0 to 2
REGIONS = {
    "interval": TIME,
    "box": Box(x=(-1, 1), t=(0, 2)),
    "box with a vector": Box(t=(0, 2), z=([0.0, 1.0], [2.0, 4.0])),
    "time times disc": TIME * HOLE,
    "polygon times time": TRIANGLE * TIME,
    "one face": Box(t=(0, 2), x=(-1, 1)).face("x", 1),
    "faces": CUBOID.faces("x", "y"),
    "mantle": TIME * HOLE.boundary,
    "walls of a polygon": TIME * TRIANGLE.boundary,
    "union": Union(Box(t=(0, 2), x=(0, 1)), Box(t=(0, 2), x=(2, 5))),
    "union of different spans": Union(Box(t=(0, 0.5), x=(0, 1)), Box(t=(0.5, 2), x=(2, 5))),
    "plate with a hole": TIME * (PLATE - HOLE),
    "the other order": (PLATE - HOLE) * TIME,
    "its walls": TIME * (PLATE - HOLE).boundary,
    "hole in a part of the time": Box(t=(0, 2), x=(0, 1)) - Box(t=(0.5, 1.5), x=(0, 0.5)),
    "intersection": CUBOID & (TIME * HOLE),
    "overlapping": Box(t=(0, 2), x=(0, 2)) | Box(t=(0, 2), x=(1, 3)),
    "lines over points": PointSet(x=[0.2, 0.4], normal_x=[-1.0, 1.0]) * TIME,
}
CUTS = [(0.0, 0.7), (0.5, 1.5), (1.3, 2.0), (-3.0, 9.0)]
PARTS = {"exactly": [0, 0.25, 1.5, 2], "in many": [0, 0.01, 0.2, 0.9, 1.6, 2]}


@pytest.mark.parametrize("sampler", [Sobol(), Uniform(), Grid()], ids=repr)
@pytest.mark.parametrize(("low", "high"), CUTS)
@pytest.mark.parametrize("name", REGIONS)
def test_points_lie_in_the_region_between_the_numbers(name, low, high, sampler):
    region = REGIONS[name]
    part = region.within("t", low, high)
    assert (part.dimension, set(part.names)) == (region.dimension, set(region.names))
    points = sampler.sample(part, 60, seed=1)
    whole = sampler.sample(region, 60, seed=1)
    assert {key: column.shape[1:] for key, column in points.items()} == {
        key: column.shape[1:] for key, column in whole.items()
    }
    assert ((points["t"] >= low - 1e-12) & (points["t"] <= high + 1e-12)).all()
    coordinates = {key: points[key] for key in region.names}
    assert region.contains(coordinates).all() and part.contains(coordinates).all()
    if size(points) >= 60 and not isinstance(sampler, Grid):
        least, most = max(low, 0.0), min(high, 2.0)
        # the points fill the window: of 60 some lie in each quarter of it
        quarters = ((points["t"] - least) / (most - least) * 4).floor().clamp(0, 3).long()
        assert (torch.bincount(quarters, minlength=4) > 0).all()


@pytest.mark.parametrize("ends", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("name", REGIONS)
def test_windows_next_to_each_other_have_the_measure_of_the_whole(name, ends):
    region = REGIONS[name]
    parts = [region.within("t", low, high) for low, high in itertools.pairwise(ends)]
    estimated = name in ("intersection", "hole in a part of the time")
    total = sum(part.measure for part in parts)
    assert total == pytest.approx(region.measure, rel=2e-3 if estimated else 1e-12)


def test_measures_of_windows():
    assert TIME.within("t", 0.5, 0.75).measure == 0.25
    assert CUBOID.within("t", 1.5, 4).measure == 2.0
    assert CUBOID.faces("x", "y").within("t", 0, 0.5).measure == 4.0
    assert REGIONS["plate with a hole"].within("t", 0, 0.5).measure == pytest.approx(2 - 0.08 * math.pi, rel=5e-3)
    assert REGIONS["union of different spans"].within("t", 0.25, 1).measure == 0.25 + 3 * 0.5
    # of the window [0.5, 1.5] the hole takes a half
    assert REGIONS["hole in a part of the time"].within("t", 0.5, 1.5).measure == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("name", REGIONS)
def test_a_window_of_a_window_is_the_smaller_one(name):
    region = REGIONS[name]
    twice = region.within("t", 0.25, 1.75).within("t", 0.75, 3).within("t", 0, 9)
    once = region.within("t", 0.75, 1.75)
    for key, (low, high) in once.extent.items():
        assert torch.equal(torch.stack(twice.extent[key]), torch.stack((low, high)))
    found, expected = (Sobol().sample(r, 40, seed=3) for r in (twice, once))
    for key, column in expected.items():
        assert torch.equal(found[key], column)


def test_the_extent_is_that_of_the_window():
    for region in REGIONS.values():
        low, high = region.within("t", 0.25, 1.75).extent["t"]
        assert (float(low), float(high)) == (0.25, 1.75)


def test_a_window_has_faces():
    start = REGIONS["plate with a hole"].within("t", 0.5, 1).face("t", 0.5)
    assert start.dimension == 2 and start.measure == pytest.approx(4 - 0.16 * math.pi, rel=5e-3)
    points = Sobol().sample(start, 30, seed=0)
    assert (points["t"] == 0.5).all() and not HOLE.contains(points).any()


@pytest.mark.parametrize(
    ("region", "outward"),
    [(TIME * (PLATE - HOLE), -1), (CUBOID - TIME * HOLE, -1), (CUBOID, 0), (TIME * HOLE, 1), (CUBOID & TIME * HOLE, 1)],
    ids=["plate with a hole", "cuboid with a hole", "cuboid", "cylinder", "intersection"],
)
def test_normals_are_kept(region, outward):
    """A window of the boundary has the region's walls, with their normals; the start and end are no part of it."""
    points = Sobol().sample(region.boundary.within("t", 0.5, 1.0), 200, seed=2)
    normal = {name: points[f"normal_{name}"] for name in region.names}
    torch.testing.assert_close(sum(n * n for n in normal.values()), torch.ones(size(points)))
    assert not normal["t"].any()
    on_hole = (points["x"] ** 2 + points["y"] ** 2 - 0.16).abs() < 1e-9
    assert bool(on_hole.any()) == (outward != 0)
    assert bool((~on_hole).any()) == (outward < 1)
    for name in ("x", "y"):
        torch.testing.assert_close(normal[name][on_hole], outward * points[name][on_hole] / 0.4)
        side = ~on_hole & (normal[name] != 0)
        torch.testing.assert_close(normal[name][side], points[name][side])


def test_given_points_keep_their_data():
    data = PointSet(t=[0.0, 0.5, 1.0, 1.5], u=[1.0, 2.0, 3.0, 4.0], z=[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]])
    part = Sobol().sample(data.within("t", 0.5, 1.0), 10, seed=0)
    assert part["t"].tolist() == [0.5, 1.0] and part["u"].tolist() == [2.0, 3.0]
    assert part["z"].tolist() == [[2.0, 3.0], [4.0, 5.0]]
    assert data.within("t", 0.5, 1.0).measure == 2
    assert data.within("t", 0.6, 0.9) is None
    assert data.within("t", 1.5, 1.5).measure == 1


def test_a_point_is_within_or_not():
    point = Point({"t": 1.0, "x": 2.0}, {"normal_x": 1.0})
    for low, high in ((0, 1), (1, 2), (0, 2)):
        assert point.within("t", low, high) is point
    assert point.within("t", 1.1, 2) is None and point.within("t", 0, 0.9) is None
    assert point.within("normal_x", 5, 6) is point


def test_faces_across_the_window_are_in_it_or_not():
    box = Box(t=(0, 2), x=(0, 1))
    start, ends = box.face("t", 0), box.faces("t")
    assert start.within("t", 0, 0.5).measure == 1 and start.within("t", 0.1, 2) is None
    assert ends.within("t", 0.5, 2).measure == 1 and ends.within("t", 0.5, 1.5) is None
    assert (Sobol().sample(ends.within("t", 0.5, 2), 8, seed=0)["t"] == 2).all()
    points = Sobol().sample(TIME.faces("t").within("t", 0, 1), 8, seed=0)
    assert points["t"].tolist() == [0.0]


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize(("low", "high"), [(2.5, 3), (-2, -1), (2, 3), (-1, 0), (1, 1), (1.5, 0.5)])
def test_an_empty_window_is_none(name, low, high):
    assert REGIONS[name].within("t", low, high) is None


def test_a_window_that_the_other_region_covers_is_none():
    hole = REGIONS["hole in a part of the time"]
    rest = hole & Box(t=(0, 2), x=(0, 0.5))
    assert rest.within("t", 0.6, 1.4) is None
    assert rest.within("t", 0.6, 1.6).measure == pytest.approx(0.05, rel=2e-2)
    walled = Difference(Box(t=(0, 2), x=(0, 1)).faces("x"), Box(t=(1, 2), x=(-1, 2)))
    assert walled.within("t", 1.2, 1.8) is None
    assert Intersection(TIME, Interval(t=(0, 1))).within("t", 1.5, 2) is None


@pytest.mark.parametrize(
    "region",
    [
        PLATE, HOLE, HOLE.boundary, PLATE - HOLE, TRIANGLE, PLATE.faces("x"), PointSet(x=[0.0, 1.0]),
        Point({"x": 1.0}), PLATE * Interval(z=(0, 1)), (PLATE - HOLE) * Interval(z=(0, 1)), Disc() | PLATE,
        Groups(Nodes(GaussLegendre(x=(0, 1), nodes=4))),
    ],
    ids=lambda region: type(region).__name__,
)  # fmt: skip
def test_a_region_without_the_coordinate_stays_whole(region):
    part = region.within("t", 0.5, 1)
    assert part.measure == region.measure
    found, expected = (Sobol().sample(r, 25, seed=4) for r in (part, region))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    ("region", "name", "message"),
    [
        (HOLE, "x", "a Disc cannot be cut along x"),
        (HOLE.boundary, "y", "a .* cannot be cut along y"),
        (TRIANGLE, "x", "a Polygon cannot be cut along x"),
        (TIME * HOLE, "x", "a Disc cannot be cut along x"),
        (HOLE - Disc((0, 0), 0.1), "x", "a Disc cannot be cut along x"),
        (Union(HOLE, Disc((3, 0), 0.4)), "x", "a Disc cannot be cut along x"),
        (Groups(Nodes(GaussLegendre(x=(0, 1), nodes=4))), "x", "a Groups cannot be cut along x"),
        (Box(z=([0.0, 0.0], [1.0, 1.0])), "z", "the axis z is a vector of 2"),
    ],
)
def test_what_cannot_be_cut_says_so_in_a_line(region, name, message):
    with pytest.raises(UserError, match=message) as raised:
        region.within(name, 0, 0.5)
    assert "\n" not in str(raised.value)
