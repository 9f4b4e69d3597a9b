"""What maps are drawn on: points of the region and triangles that cover it, and nothing else."""

import math

import numpy as np
import pytest
import torch

from pinnlab.geometry import Box, Disc, Interval, Parametrised, PointSet, Polygon, Product, Union
from pinnlab.reporting.figures.space.mesh import broken, lattice, triangles

NOTCH = Box(x=(0, 2), y=(0, 2)) - Box(x=(1, 2), y=(1, 2))
REGIONS = {
    "box": (Box(x=(0, 2), y=(0, 1)), 2.0),
    "other units": (Box(t=(0, 1e7), x=(0, 1e-3)), 1e4),
    "disc": (Disc((1, 1), 0.7), 0.49 * math.pi),
    "rectangle as a product": (Product(Interval(x=(0, 2)), Interval(y=(0, 1))), 2.0),
    "notch": (NOTCH, 3.0),
    "joined": (Box(x=(0, 1), y=(0, 2)) | Box(x=(1, 2), y=(0, 1)), 3.0),
    "polygon": (Polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]), 3.0),
    "hole": (Box(x=(0, 2), y=(0, 2)) - Disc((1.5, 1.5), 0.4), 4 - 0.16 * math.pi),
    "small hole": (Box(x=(0, 2), y=(0, 2)) - Disc((1, 1), 0.02), 4 - 4e-4 * math.pi),
    "slit": (Box(x=(0, 1), y=(0, 1)) - Box(x=(0.5, 0.501), y=(0.3, 1)), 1 - 7e-4),
    "pieces": (Union(Box(x=(0, 2), y=(0, 0.5)), Disc((0.5, 1.5), 0.5)), 1 + 0.25 * math.pi),
    "rod with a gap over a time": (Interval(t=(0, 1)) * (Interval(x=(0, 3)) - Interval(x=(1, 2))), 2.0),
    "triangle and disc": (Polygon([(0, 0), (3, 0), (0, 3)]) - Disc((0, 0), 1), 4.5 - math.pi / 4),
}


@pytest.mark.parametrize("name", REGIONS)
def test_triangles_cover_the_region_and_nothing_else(name):
    region, area = REGIONS[name]
    points = lattice(region, 2500)
    corners = torch.from_numpy(triangles(region, points))
    x, y = (points[axis][corners] for axis in region.names)
    centres = {axis: points[axis][corners].mean(1) for axis in region.names}
    assert region.contains(centres).all()
    size = ((x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])).abs().sum() / 2
    assert float(size) == pytest.approx(area, rel=4e-3)


class Ellipse(Parametrised):
    """A region of a user's own, which knows nothing of its boundary."""

    names, dimension, measure = ("x", "y"), 2, 2 * math.pi

    def contains(self, points):
        return points["x"] ** 2 / 4 + points["y"] ** 2 <= 1 + 1e-12

    def map(self, unit):
        disc = Disc().map(unit)
        return {"x": 2 * disc["x"], "y": disc["y"]}


@pytest.mark.parametrize("region", [Ellipse(), Ellipse() - Disc(radius=0.1)], ids=["whole", "combined"])
def test_a_region_that_knows_no_boundary_is_drawn_all_the_same(region):
    points = lattice(region, 900)
    assert len(triangles(region, points)) > 1000


@pytest.mark.parametrize(
    "region", [Disc().boundary, PointSet(x=[0.0, 1.0, 2.0], y=[0.0, 1.0, 0.0], u=[1.0, 2.0, 3.0]), NOTCH.boundary]
)
def test_curves_and_given_points_have_no_triangles(region):
    points = lattice(region, 100)
    assert triangles(region, points).shape == (0, 3)
    assert "u" not in region.names or "u" in points


def test_lines_break_in_gaps():
    x = np.array([0.1, 0.5, 0.9, 2.1, 2.5, 4.0])
    arrays = {"x": x, "u": np.stack([x, x**2]), "residual": x[None]}
    region = Union(Interval(x=(0, 1)), Interval(x=(2, 3)), Interval(x=(3.8, 4)))
    found = broken(region, arrays)
    np.testing.assert_allclose(found["x"], [0.1, 0.5, 0.9, 1.5, 2.1, 2.5, 3.25, 4.0])
    np.testing.assert_array_equal(np.isnan(found["u"][1]), [0, 0, 0, 1, 0, 0, 1, 0])
    assert found["residual"].shape == (1, 8)
    whole = broken(Interval(x=(0, 5)), arrays)
    assert all(np.array_equal(whole[name], arrays[name]) for name in arrays)
