"""Regions that are moved, turned, scaled, extruded and revolved."""

import math

import pytest
import torch
from scipy.special import ellipe

from pinnlab.collocation import Sobol
from pinnlab.errors import UserError
from pinnlab.geometry import Ball, Box, Cone, Cylinder, Disc, Interval, PointSet, Polygon, select
from tests.geometry.conformance import Conformance

CORNER = Polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])
PLATE = Box(x=(-1, 1), y=(-1, 1)) - Disc((0.5, 0), 0.3)


class TestTurnedBox(Conformance):
    region = Box(x=(0, 1), y=(-1, 1), z=(3, 6)).rotated(0.7, "x", "y").rotated(-0.4, "y", "z", about=(1, 2))
    volume, area = 6.0, 22.0


class TestShiftedCone(Conformance):
    region = Cone(3.0, (-1, 3)).rotated(1.1, "z", "x").translated(x=1, y=-2)
    volume, area = 12 * math.pi, 24 * math.pi


class TestFarCylinder(Conformance):
    region = Cylinder(0.5, (0, 1)).rotated(0.3, "x", "z").translated(x=1e4)
    volume, area = 0.25 * math.pi, 1.5 * math.pi


class TestSmallBall(Conformance):
    region, volume, area = Ball().scaled(1e-3), 4e-9 / 3 * math.pi, 4e-6 * math.pi


class TestEllipse(Conformance):
    region = Disc().scaled(x=3.0).rotated(0.3, "x", "y")
    volume, area, exact = 3 * math.pi, 12 * float(ellipe(1 - 1 / 9)), 1e-5


class TestSpheroid(Conformance):
    """Its area is 2π (1 + c / e · arcsin e), with e² = 1 − 1 / c²."""

    region = Ball().scaled(z=2.0)
    volume, exact = 8 / 3 * math.pi, 1e-4
    area = 2 * math.pi * (1 + 2 / math.sqrt(0.75) * math.asin(math.sqrt(0.75)))


class TestExtrudedPolygon(Conformance):
    lines = 1500
    region, volume, area = CORNER * Interval(z=(0, 0.5)), 1.5, 10.0


class TestExtrudedPlate(Conformance):
    region = PLATE.rotated(0.5, "x", "y") * Interval(z=(0, 2))
    volume, area, exact = 8 - 0.18 * math.pi, 24 + 1.02 * math.pi, 3e-3


class TestTorus(Conformance):
    region = Disc((2, 0), 0.5, names=("r", "z")).revolved("r")
    volume, area, exact = math.pi**2, 4 * math.pi**2, 1e-4


class TestBallOfHalfADisc(Conformance):
    region, volume, area, exact = Disc(names=("r", "z")).revolved("r"), 4 / 3 * math.pi, 4 * math.pi, 1e-4


class TestTurnedCorner(Conformance):
    lines = 1500
    region = Polygon(CORNER.shape.geoms[0].exterior.coords[:-1], names=("r", "z")).revolved("r").rotated(1, "x", "z")
    volume, area, exact = 5 * math.pi, (4 + 4 + 3 + 2 + 1) * math.pi, 1e-4


class TestHollowCylinder(Conformance):
    region = (Box(r=(0, 2), z=(0, 3)) - Disc((0, 1.5), 1.0, names=("r", "z"))).revolved("r")
    volume, area, exact = 12 * math.pi - 4 / 3 * math.pi, 24 * math.pi, 3e-3


def test_a_motion_of_a_combination_is_the_combination_of_motions():
    motion = [lambda r: r.rotated(0.4, "x", "y").translated(x=3, y=1).scaled(0.5), lambda r: r]
    region, moved = (change(PLATE) for change in motion[::-1])
    assert type(moved) is type(region) and moved.measure == pytest.approx(region.measure / 4)
    boundary = moved.boundary & motion[0](Disc((0.5, 0), 0.3))
    assert boundary.measure == pytest.approx(0.3 * math.pi)
    assert region.boundary.scaled(0.5).measure == pytest.approx(region.boundary.measure / 2)
    points = Sobol().sample(boundary, 50, seed=0)
    assert region.contains({"x": torch.zeros(1), "y": torch.zeros(1)}).all()
    assert moved.contains({"x": torch.tensor([1.5]), "y": torch.tensor([0.5])}).all()
    inwards = torch.stack([points["normal_x"], points["normal_y"]], 1)
    back = torch.tensor([[math.cos(0.4), math.sin(0.4)], [-math.sin(0.4), math.cos(0.4)]])
    place = (2 * torch.stack([points["x"], points["y"]], 1) - torch.tensor([3.0, 1.0])) @ back.T
    torch.testing.assert_close(inwards @ back.T, -(place - torch.tensor([0.5, 0.0])) / 0.3)


def test_a_motion_leaves_time_alone():
    tube = (Interval(t=(0, 2)) * PLATE).rotated(0.4, "x", "y").translated(y=5)
    start = tube.face("t", 0)
    points = Sobol().sample(start, 40, seed=0)
    assert (points["t"] == 0).all() and float(points["y"].min()) > 3 and start.measure == pytest.approx(PLATE.measure)
    assert tube.within("t", 0, 1).measure == pytest.approx(PLATE.measure, rel=2e-3)
    walls = Interval(t=(0, 2)) * PLATE.rotated(0.4, "x", "y").boundary
    assert (Sobol().sample(walls, 40, seed=0)["normal_t"] == 0).all()


def test_given_points_move_with_their_normals():
    points = PointSet(x=[1.0], y=[0.0], normal_x=[1.0], normal_y=[0.0], u=[7.0])
    moved = Sobol().sample(points.rotated(math.pi / 2, "x", "y").translated(x=2), 1, 0)
    expected = {"x": 2.0, "y": 1.0, "normal_x": 0.0, "normal_y": 1.0, "u": 7.0}
    assert {name: round(float(column), 12) for name, column in moved.items()} == expected


def test_the_ends_of_a_moved_interval_are_two_points():
    ends = Sobol().sample(Interval(x=(0, 1)).translated(x=2).scaled(-2.0).boundary, 9, 0)
    assert dict(zip(ends["x"].tolist(), ends["normal_x"].tolist(), strict=True)) == {-4.0: 1.0, -6.0: -1.0}


def test_a_revolution_over_a_time_and_of_a_time():
    """The time may be multiplied before or after."""
    profile, time = Disc((2, 0), 0.5, names=("r", "z")), Interval(t=(0, 1))
    for region in (profile.revolved("r") * time, (profile * time).revolved("r")):
        assert region.measure == pytest.approx(math.pi**2, rel=1e-4)
        assert region.boundary.measure == pytest.approx(6 * math.pi**2, rel=1e-4)
        assert set(Sobol().sample(region.face("t", 0), 5, 0)) == {"x", "y", "z", "t"}


def test_the_walls_of_a_stretched_region_are_uniform():
    """Faces of a box keep their shares when it is stretched, though some of their points are dropped."""
    points = Sobol().sample(Box(x=(0, 1), y=(0, 1)).scaled(x=3.0).boundary, 800, seed=0)
    assert len(select(points, points["normal_x"] != 0)["x"]) == 200


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Disc().translated(z=1), "no coordinate 'z'; its coordinates are x, y"),
        (lambda: Disc().translated(x="a"), "shift of x must be a number"),
        (lambda: Disc().rotated(1.0, "x", "z"), "no coordinate 'z'"),
        (lambda: Disc().rotated(1.0, "x", "x"), "not x and x"),
        (lambda: Disc().rotated(1.0, "x", "y", about=3), "pair of numbers"),
        (lambda: Disc().rotated(math.inf, "x", "y"), "must be finite"),
        (lambda: Disc().scaled(), "scaled takes one factor"),
        (lambda: Disc().scaled(2.0, x=1.0), "scaled takes one factor"),
        (lambda: Disc().scaled(0.0), "factor of 0"),
        (lambda: Disc().scaled(z=2.0), "no coordinate 'z'"),
        (lambda: Ball([0.0] * 3, names="x").scaled(2.0), "x is a vector"),
        (lambda: Box(x=(0, 1), y=(0, 1)).faces("x").scaled(y=2.0), "cannot be stretched unevenly"),
        (lambda: (PLATE - Interval(x=(0, 1))).rotated(1.0, "x", "y"), "a region of x alone cannot be turned"),
        (lambda: Disc().rotated(1.0, "x", "y").face("x", 0), "has no face x = 0"),
        (lambda: Disc((-3, 0), names=("r", "z")).revolved("r"), "must reach r > 0"),
        (lambda: Disc().revolved("r"), "no coordinate 'r'"),
        (lambda: Disc(names=("r", "x")).revolved("r"), "two new coordinate names"),
        (lambda: Disc(names=("r", "z")).boundary.revolved("r").boundary, "has no outward normal"),
    ],
)
def test_bad_input_is_one_clear_line(build, message):
    with pytest.raises(UserError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)
