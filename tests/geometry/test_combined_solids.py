"""Unions, differences and intersections of solids in space."""

import math

import pytest
import torch

from pinnlab.collocation import Sobol
from pinnlab.errors import UserError
from pinnlab.geometry import Ball, Box, Cone, Cylinder, select
from tests.geometry.conformance import Conformance

CUBE = Box(x=(-1, 1), y=(-1, 1), z=(-1, 1))
ROD = Cylinder(0.5, (-2, 2))
SHARE = 1e-2
"""Measures of combinations are those of 4096 points."""


class TestCubeWithAHole(Conformance):
    region, volume, area, exact = CUBE - ROD, 8 - 0.5 * math.pi, 24 + 1.5 * math.pi, 3e-3


class TestCubeWithASlantedHole(Conformance):
    """A rod of the slope 0.3 takes √1.09 times the length of an upright one."""

    region = CUBE - ROD.rotated(math.atan(0.3), "z", "x")
    volume, exact = 8 - 0.5 * math.pi * math.sqrt(1.09), SHARE
    area = 24 - 0.5 * math.pi * math.sqrt(1.09) + 2 * math.pi * math.sqrt(1.09)


class TestTwoBalls(Conformance):
    """A lens has two caps of height ½: π h² (3 − h) / 3 and 2πh each."""

    region = Ball() | Ball((1, 0, 0))
    volume, area, exact = 8 / 3 * math.pi - 5 / 12 * math.pi, 6 * math.pi, SHARE


class TestLens(Conformance):
    region, volume, area, exact = Ball() & Ball((1, 0, 0)), 5 / 12 * math.pi, 2 * math.pi, SHARE


class TestShell(Conformance):
    region, volume, area, exact = Ball() - Ball(radius=0.5), 7 / 6 * math.pi, 5 * math.pi, SHARE


class TestCrossedRods(Conformance):
    """Steinmetz's solid, 16 r³ / 3, with the area 16 r²; a fifth of a rod, and so known less well from 4096 points."""

    region, volume, area, exact, flux = ROD & ROD.rotated(math.pi / 2, "z", "x"), 2 / 3, 4.0, 3e-2, 4e-3


class TestPencil(Conformance):
    """A rod with a tip on its flush end: no face where they meet."""

    region = Cylinder(0.5, (0, 2)) | Cone(0.5, (2, 3))
    volume, exact = 0.5 * math.pi + 0.25 * math.pi / 3, SHARE
    area = 0.25 * math.pi + 2 * math.pi + 0.5 * math.pi * math.sqrt(1.25)


class TestTurnedCombination(Conformance):
    region, volume, exact = ((CUBE - ROD) | Ball((0, 0, 1), 0.4)).rotated(0.5, "y", "z"), None, SHARE


def test_parts_of_a_surface_in_space_keep_its_normals():
    wall = (CUBE - ROD).boundary & ROD
    points = Sobol().sample(wall, 100, seed=0)
    assert wall.measure == pytest.approx(2 * math.pi)
    torch.testing.assert_close(points["normal_x"], -2 * points["x"])
    assert (points["normal_z"] == 0).all()
    outside = Sobol().sample((CUBE - ROD).boundary - ROD, 100, seed=0)
    assert (torch.stack([outside[f"normal_{name}"].abs() for name in "xyz"]).amax(0) == 1).all()


def test_faces_that_touch_are_inside():
    joined = Cylinder(1.0, (0, 1)) | Cylinder(1.0, (1, 3))
    assert joined.boundary.measure == pytest.approx(8 * math.pi)
    points = Sobol().sample(joined.boundary, 500, seed=0)
    assert not len(select(points, points["z"] == 1)["z"])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: (Ball() & Ball((3, 0, 0))).boundary, "intersection of regions has no boundary; is it empty"),
        (lambda: Ball() & Ball((3, 0, 0)), "intersection of regions has .almost. no points; is it empty"),
        (lambda: Ball() - CUBE, "difference of regions has .almost. no points; is it empty"),
    ],
)
def test_empty_combinations_say_so(build, message):
    with pytest.raises(UserError, match=message):
        Sobol().sample(build(), 10, seed=0)
