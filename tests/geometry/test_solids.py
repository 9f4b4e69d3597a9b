"""Elementary solids: balls, cylinders, cones and what they are made of."""

import math

import pytest
import torch

from pinnlab.collocation import Sobol, Uniform
from pinnlab.errors import UserError
from pinnlab.geometry import Ball, Box, Cone, Cylinder, Disc, Interval, Polygon, Sphere
from tests.geometry.conformance import Conformance, check_parts


class TestBox(Conformance):
    region, volume, area = Box(x=(0, 1), y=(-1, 1), z=(3, 6)), 6.0, 22.0


class TestDisc(Conformance):
    region, volume, area = Disc((1.0, -2.0), 0.7), 0.49 * math.pi, 1.4 * math.pi


class TestPolygon(Conformance):
    lines = 1500
    region = Polygon([(0, 0), (4, 0), (4, 1), (1, 1), (1, 4), (0, 4)], [[(0.2, 0.2), (0.8, 0.2), (0.8, 0.8)]])
    volume, area = 7 - 0.18, 16 + 1.2 + 0.6 * math.sqrt(2)


class TestBall(Conformance):
    region, volume, area = Ball((0.5, 0, -3), 2.0), 32 / 3 * math.pi, 16 * math.pi


class TestBallOfFive(Conformance):
    region = Ball([0.0, 0.0, 1.0, 0.0, 0.0], names=[f"x{i}" for i in range(5)])
    volume, area = 8 * math.pi**2 / 15, 8 * math.pi**2 / 3


class TestBallOfAVector(Conformance):
    region, volume, area = Ball([0.0, 0.0, 1.0, 0.0], 1.5, names="x"), math.pi**2 / 2 * 1.5**4, 2 * math.pi**2 * 1.5**3


class TestCylinder(Conformance):
    region, volume, area = Cylinder(0.5, (1, 3), (2, 0)), 0.5 * math.pi, 2.5 * math.pi


class TestCone(Conformance):
    region, volume, area = Cone(3.0, (-1, 3)), 12 * math.pi, 24 * math.pi


class TestConeOnItsTip(Conformance):
    region, volume, area = Cone(0.0, (0, 4), top_radius=3.0, names=("y", "z", "x")), 12 * math.pi, 24 * math.pi


class TestFrustum(Conformance):
    region = Cone(2.0, (0, 1), (1, 1), top_radius=1.5)
    volume, area = math.pi * 9.25 / 3, math.pi * (4 + 2.25 + 3.5 * math.sqrt(1.25))


def test_a_ball_of_one_coordinate_is_an_interval():
    ball = Ball([1.0], 2.0, ["x"])
    points = Sobol().sample(ball, 64, seed=0)["x"]
    assert ball.measure == pytest.approx(4.0) and float(points.min()) < -0.9 and float(points.max()) > 2.9
    ends = Sobol().sample(ball.boundary, 5, seed=0)
    assert ends["x"].tolist() == [-1.0, 3.0] and ends["normal_x"].tolist() == [-1.0, 1.0]
    assert Sobol().sample((ball - Interval(x=(0, 1))).boundary, 5, 0)["x"].tolist() == [-1.0, 0.0, 1.0, 3.0]


def test_a_disc_is_a_ball_of_two_coordinates():
    disc, ball = Disc((1, 2), 3.0), Ball((1, 2), 3.0, ("x", "y"))
    for one, other in ((disc, ball), (disc.boundary, ball.boundary)):
        points, same = (Sobol().sample(part, 50, seed=0) for part in (one, other))
        assert points.keys() == same.keys() and all(torch.equal(points[name], same[name]) for name in points)


@pytest.mark.parametrize("region", [Cylinder(2.0, (0, 3)), Cone(2.0, (0, 3), top_radius=1.0)], ids=["cylinder", "cone"])
def test_faces_are_the_parts_of_the_boundary(region):
    check_parts(region, [region.side, region.bottom, region.top])
    assert float(Uniform().sample(region.bottom, 4, 0)["normal_z"][0]) == -1.0
    assert float(Uniform().sample(region.top, 4, 0)["normal_z"][0]) == 1.0


def test_a_frustum_becomes_a_cylinder_without_a_jump():
    """Formulas that divide by the difference of the radii lose all digits here."""
    cone, cylinder = Cone(1.0, (0, 2), top_radius=1 - 1e-12), Cylinder(1.0, (0, 2))
    unit = torch.rand(100, 3, dtype=torch.float64)
    torch.testing.assert_close(cone.map(unit), {k: v for k, v in cylinder.map(unit).items()}, rtol=0, atol=1e-9)
    sides = cone.side.map(unit[:, :2]), cylinder.side.map(unit[:, :2])
    torch.testing.assert_close(sides[0], {name: sides[1][name] for name in sides[0]}, rtol=0, atol=1e-9)


@pytest.mark.parametrize("d", [3, 4, 6, 9])
def test_moments_of_a_sphere(d):
    """⟨n_i n_j⟩ = δ_ij / d and ⟨n_i⁴⟩ = 3 / (d (d + 2))."""
    points = Sobol().sample(Ball([0.0] * d, names="x").boundary, 2**14, seed=0)["x"].double()
    torch.testing.assert_close(points.T @ points / 2**14, torch.eye(d).double() / d, rtol=0, atol=1e-3)
    torch.testing.assert_close(points.pow(4).mean(0), torch.full((d,), 3 / (d * (d + 2))).double(), rtol=0, atol=2e-3)


class CrowdedBall(Ball):
    """Shells of equal thickness, and zones of equal angle: more points in the middle and at the poles."""

    def map(self, unit):
        return super().map(torch.cat([unit[:, :1] ** 1.2, unit[:, 1:]], dim=1))

    def surfaces(self):
        return [CrowdedSphere(self)]


class CrowdedSphere(Sphere):
    def map(self, unit):
        return super().map(torch.cat([unit[:, :1] * 0.95, unit[:, 1:]], dim=1))


@pytest.mark.parametrize("name", ["inside", "boundary"])
def test_the_suite_finds_a_biased_sampler(name):
    class Biased(Conformance):
        region = CrowdedBall()

    class Fair(Conformance):
        region = Ball()

    getattr(Fair(), f"test_the_{name}_is_uniform")()
    with pytest.raises(AssertionError, match=r"not uniform: p = .*e-"):
        getattr(Biased(), f"test_the_{name}_is_uniform")()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Ball(radius=-1.0), "radius of a ball must be positive, not -1"),
        (lambda: Ball(3.0), "centre of a ball must be a list of numbers"),
        (lambda: Ball((0, 0)), "a shape of 2 coordinate.* needs two different coordinate name"),
        (lambda: Ball((0, 0, 0), names=("x", "y", "x")), "three different"),
        (lambda: Cylinder(radius=0), "radius of a disc must be positive"),
        (lambda: Cylinder(height=(1, 0)), "lower bound of z must be less"),
        (lambda: Cylinder(names=("x", "y")), "three different"),
        (lambda: Cone(-1.0), "radii of a cone must not be negative"),
        (lambda: Cone(0.0), "one of them positive"),
        (lambda: Cone().top, "no disc at its tip"),
    ],
)
def test_bad_input_is_one_clear_line(build, message):
    with pytest.raises(UserError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)
