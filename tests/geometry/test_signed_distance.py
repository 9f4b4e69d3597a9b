"""Regions from signed distances, at rest and moving."""

import math

import pytest
import torch
from scipy.special import ellipe

from pinnlab.collocation import Sobol, Uniform
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Cylinder, Interval, SignedDistance, select
from tests.geometry.conformance import Conformance

SPACE = Box(x=(-2, 2), y=(-1.5, 1.5), z=(-1.2, 1.2))
PLANE = Box(x=(-2, 2), y=(-2, 2))


def ball(x, y, z):
    return (x * x + y * y + z * z).sqrt() - 1


def capsule(x, y, z):
    return torch.stack([x - x.clamp(-0.8, 0.8), y, z]).norm(dim=0) - 0.6


def rounded(x, y, z):
    """A box with edges, by its distance."""
    q = torch.stack([x.abs() - 1, y.abs() - 0.5, z.abs() - 0.7])
    return q.clamp_min(0).square().sum(0).clamp_min(1e-30).sqrt() + q.amax(0).clamp_max(0)


def ellipse(x, y):
    """No distance: a level function over its gradient."""
    f = x * x / 2.25 + y * y / 0.64 - 1
    return f / (2 * torch.hypot(x / 2.25, y / 0.64) + 0.1)


def swinging(t, x, y):
    return torch.hypot(x - t.sin(), y) - 0.5 - 0.2 * t


class Estimated(Conformance):
    """Measures are those of 32768 points and 16384 lines."""

    exact, flux = 1e-2, 4e-3


class TestBall(Estimated):
    region, volume, area = SignedDistance(ball, SPACE), 4 / 3 * math.pi, 4 * math.pi


class TestCapsule(Estimated):
    region = SignedDistance(capsule, SPACE)
    volume, area = 0.36 * math.pi * 1.6 + 0.288 * math.pi, 1.92 * math.pi + 1.44 * math.pi


class TestBoxWithEdges(Estimated):
    region, volume, area = SignedDistance(rounded, SPACE), 2.8, 2 * (2 + 2.8 + 1.4)


class TestEllipse(Estimated):
    region = SignedDistance(ellipse, PLANE)
    volume, area = 1.2 * math.pi, 6 * float(ellipe(1 - 0.64 / 2.25))


class TestDrilledBall(Estimated):
    """A ball without a cylinder along its axis: a napkin ring of height h has the volume π h³ / 6."""

    region = SignedDistance(ball, SPACE) - Cylinder(0.5, (-2, 2))
    volume, exact = math.pi * 3**1.5 / 6, 2e-2


class TestTurnedCapsule(Estimated):
    region = SignedDistance(capsule, SPACE).rotated(0.6, "x", "y").scaled(0.5)
    volume, area = TestCapsule.volume / 8, TestCapsule.area / 4


def test_a_moving_body_is_uniform_in_time_and_space():
    """A disc of the radius r(t) = ½ + t / 5 about (sin t, 0): shares in time and within it are known."""
    region = SignedDistance(swinging, PLANE, over=Interval(t=(0, 2)))
    radius = 0.5 + 0.2 * torch.linspace(0, 2, 2001)
    assert region.measure == pytest.approx(float(torch.trapezoid(math.pi * radius**2, dx=1e-3)), rel=1e-2)
    assert region.side.measure == pytest.approx(float(torch.trapezoid(2 * math.pi * radius, dx=1e-3)), rel=1e-2)
    for part, power in ((region, 3), (region.side, 2)):
        points = Uniform().sample(part, 20000, seed=1)
        assert part.contains(points).all()
        middle = 0.5 + 0.2 * points["t"]
        # the share of points before t is that of the integral of r^{power − 1}
        share = (middle**power - 0.5**power) / (0.9**power - 0.5**power)
        assert float((share.sort().values - torch.linspace(0, 1, 20000)).abs().max()) < 1.63 / math.sqrt(20000)
        x, y = (points["x"] - points["t"].sin()) / middle, points["y"] / middle
        angle = (torch.atan2(y, x) / (2 * math.pi) + 0.5).sort().values
        assert float((angle - torch.linspace(0, 1, 20000)).abs().max()) < 1.63 / math.sqrt(20000)
        if part is not region:
            torch.testing.assert_close(points["normal_x"], x)
            torch.testing.assert_close(points["normal_y"], y)
            assert (points["normal_t"] == 0).all()


def test_a_moving_body_has_a_start_and_windows():
    region = SignedDistance(swinging, PLANE, over=Interval(t=(0, 2)))
    assert region.face("t", 0).measure == pytest.approx(0.25 * math.pi, rel=1e-2)
    assert (Sobol().sample(region.face("t", 0), 50, 0)["t"] == 0).all()
    assert region.within("t", 1, 3).extent["t"][0] == 1.0
    points = Sobol().sample(region.boundary, 2000, seed=0)
    start = select(points, points["t"] == 0)
    assert (start["normal_t"] == -1).all() and len(start["t"]) > 100
    around = Box(t=(0, 2), x=(-2, 2), y=(-2, 2)) - region
    hole = Sobol().sample(around.boundary & region.side, 200, seed=0)
    torch.testing.assert_close(hole["normal_y"], -hole["y"] / (0.5 + 0.2 * hole["t"]))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SignedDistance(lambda x, y: x * x + y * y + 1, PLANE), "negative at none of 4096 points"),
        (lambda: SignedDistance(lambda x, y: x - 0.3, PLANE), "negative at an end of its box .x = -2"),
        (lambda: SignedDistance(lambda x, y: 9 * torch.hypot(x, y) - 9, PLANE), "has the length 9 and not 1"),
        (lambda: SignedDistance(lambda x, y: 1.0, PLANE), "one number for each point, not float"),
        (lambda: SignedDistance(lambda x, y: torch.hypot(x, y).mean(), PLANE), r"for each point, not \(\)"),
        (lambda: SignedDistance(lambda x, y: (x - 1).sqrt(), PLANE), "or NaN"),
        (lambda: SignedDistance(lambda x: x.abs() - 1, Interval(x=(-2, 2))), "on a line take an Interval"),
        (lambda: SignedDistance(ball, SPACE).face("x", 0), "has no face x = 0"),
        (lambda: SignedDistance(swinging, PLANE, over=Interval(t=(0, 2))).face("t", 3), "t goes from 0 to 2"),
    ],
)
def test_bad_input_is_one_clear_line(build, message):
    with pytest.raises(UserError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)
