"""Boundaries of combined regions: uniform in measure, with the outward normal of the combination."""

import math

import numpy as np
import pytest
import shapely
import torch
from scipy.stats import chisquare

from pinnlab.collocation import Grid, Halton, LatinHypercube, Sobol, Uniform
from pinnlab.errors import UserError
from pinnlab.geometry import (
    Box,
    Circle,
    Disc,
    Interval,
    Parametrised,
    Point,
    PointSet,
    Polygon,
    Product,
    Union,
    select,
    size,
)
from pinnlab.geometry.border import beside

SAMPLERS = [Grid(), Grid(offset=0.5), Uniform(), LatinHypercube(), Sobol(), Halton()]
PLATE, HOLE = Box(x=(-1, 1), y=(-1, 1)), Disc((0, 0), 0.4)
TIME = Interval(t=(0, 1))
TRIANGLE = Polygon([(0, 0), (3, 0), (0, 3)])
LENS = 2 * math.pi / 3 - math.sqrt(3) / 2


def box(x, y):
    return Box(x=(x, x + 1), y=(y, y + 1))


# region, length or area of its boundary, area or volume
REGIONS = {
    "plate with a hole": (PLATE - HOLE, 8 + 0.8 * math.pi, 4 - 0.16 * math.pi),
    "two holes": (PLATE - Disc((-0.5, 0), 0.2) - Disc((0.5, 0), 0.3), 8 + math.pi, 4 - 0.13 * math.pi),
    "hole out of a hole": (PLATE - (HOLE - Disc((0, 0), 0.2)), 8 + 1.2 * math.pi, 4 - 0.12 * math.pi),
    "joined boxes": (box(0, 0) | box(1, 0), 6.0, 2.0),
    "joined up to rounding": (Box(x=(0, 0.1 + 0.2), y=(0, 1)) | Box(x=(0.3, 1), y=(0, 1)), 4.0, 1.0),
    "given as a union": (Union(box(0, 0), box(1, 0), box(0, 1)), 8.0, 3.0),
    "joined in part": (box(0, 0) | Box(x=(1, 2), y=(0, 2)), 8.0, 3.0),
    "overlapping, flush": (box(0, 0) | Box(x=(0.5, 2), y=(0, 1)), 6.0, 2.0),
    "one within the other": (PLATE | HOLE, 8.0, 4.0),
    "notch flush with the corner": (Box(x=(0, 2), y=(0, 2)) - Box(x=(1, 2), y=(1, 2)), 8.0, 3.0),
    "cut in two pieces": (Box(x=(0, 3), y=(0, 1)) - Box(x=(1, 2), y=(-1, 2)), 8.0, 2.0),
    "lens": (Disc((0, 0), 1) & Disc((1, 0), 1), 4 * math.pi / 3, LENS),
    "two discs": (Disc((0, 0), 1) | Disc((1, 0), 1), 8 * math.pi / 3, 2 * math.pi - LENS),
    "nested": (
        (box(0, 0) | box(1, 0)) - (Disc((1, 0.5), 0.3) & box(0, 0)),
        6 + 0.3 * math.pi + 0.6,
        2 - math.pi * 0.045,
    ),
    "polygon and disc": (TRIANGLE - Disc((0, 0), 1), 4 + 3 * math.sqrt(2) + math.pi / 2, 4.5 - math.pi / 4),
    "quarter": (Disc() & Box(x=(0, 2), y=(0, 2)), 2 + math.pi / 2, math.pi / 4),
    "small hole": (PLATE - Disc((0.3, 0.1), 1e-5), 8 + 2e-5 * math.pi, 4.0),
    "far away": (Box(x=(1e6, 1e6 + 2), y=(0, 2)) - Disc((1e6 + 1, 1), 0.4), 8 + 0.8 * math.pi, 4 - 0.16 * math.pi),
    "solid boxes": (Box(x=(0, 1), y=(0, 1), z=(0, 1)) | Box(x=(1, 2), y=(0, 1), z=(0, 2)), 14.0, 3.0),
    "box out of a box": (Box(x=(0, 2), y=(0, 2), z=(0, 2)) - Box(x=(1, 2), y=(1, 2), z=(1, 2)), 24.0, 7.0),
    "hole over time": (Box(t=(0, 1), x=(-1, 1), y=(-1, 1)) - HOLE, 16 + 0.48 * math.pi, 4 - 0.16 * math.pi),
    "time times plate": (TIME * (PLATE - HOLE), 16 + 0.48 * math.pi, 4 - 0.16 * math.pi),
    "cylinder": (Product(TIME, Disc()), 4 * math.pi, math.pi),
    "tube": (Product(TIME, Disc()) - Product(TIME, Disc(radius=0.5)), 4.5 * math.pi, 0.75 * math.pi),
    "in other units": (Box(t=(0, 1e6), x=(0, 1)) - Box(t=(2e5, 4e5), x=(0, 0.5)), 2e6 + 3, 9e5),
}


def normals(region, points):
    return {name: points[f"normal_{name}"] for name in region.names}


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
@pytest.mark.parametrize("name", REGIONS)
def test_normals_are_unit_and_lead_out(name, sampler):
    region = REGIONS[name][0]
    points = sampler.sample(region.boundary, 120, seed=1)
    assert set(points) == {*region.names, *(f"normal_{axis}" for axis in region.names)}
    normal = normals(region, points)
    torch.testing.assert_close(sum(n**2 for n in normal.values()), torch.ones(size(points)))
    inside, outside = beside(region, points, normal)
    if isinstance(sampler, Grid):  # of its corners one may lie on the line that the step goes along
        assert float((inside & ~outside).double().mean()) > 0.9
    else:
        assert size(points) == 120
        assert inside.all() and not outside.any()
    alone = {axis: points[axis] for axis in region.names}
    assert region.boundary.contains(alone).all()
    if isinstance(sampler, Grid):  # corners move along another face
        return
    moved = {axis: points[axis] - 0.7e-6 * region.scales[axis] * normal[axis] for axis in region.names}
    assert not region.boundary.contains(moved).any()


@pytest.mark.parametrize("name", REGIONS)
def test_measures(name):
    region, surface, solid = REGIONS[name]
    assert region.boundary.dimension == region.dimension - 1
    assert region.boundary.measure == pytest.approx(surface, rel=1e-3)
    assert region.measure == pytest.approx(solid, rel=5e-3)


def test_measures_of_whole_surfaces_are_exact():
    for name in ("plate with a hole", "two holes", "hole out of a hole", "joined boxes", "small hole", "cylinder"):
        region, surface, _ = REGIONS[name]
        assert region.boundary.measure == pytest.approx(surface, rel=1e-14)


@pytest.mark.parametrize("name", REGIONS)
def test_divergence_theorem(name):
    """∮ F·n = ∫ div F for F_i = c_i + x_i² + x_i x_{i+1} of centred, scaled coordinates."""
    region, surface, solid = REGIONS[name]
    n = 2048
    ends = {axis: (float(lower), float(upper)) for axis, (lower, upper) in region.extent.items()}
    on, within = (Sobol().sample(r, n, seed=5) for r in (region.boundary, region))

    def scaled(points):
        return [(points[axis] - lower) / (upper - lower) for axis, (lower, upper) in ends.items()]

    widths = [upper - lower for lower, upper in ends.values()]
    p, q, normal = scaled(on), scaled(within), list(normals(region, on).values())
    field = [x**2 + x * p[i - 1] + 0.3 for i, x in enumerate(p)]
    divergence = sum((2 * x + q[i - 1]) / w for i, (x, w) in enumerate(zip(q, widths, strict=True)))
    flux = sum(f * m for f, m in zip(field, normal, strict=True)) * surface
    error = 5 * float(flux.std()) / n**0.7 + 5 * solid * float(divergence.std()) / n**0.7
    assert float(flux.mean()) == pytest.approx(float(divergence.mean()) * solid, abs=error + 1e-9)


def test_points_are_uniform_along_the_whole_boundary():
    """Chi-square over sixteen arcs of the hole and sixteen pieces of the plate's sides."""
    points = Uniform().sample((PLATE - HOLE).boundary, 20000, seed=3)
    x, y = points["x"], points["y"]
    arc = torch.hypot(x, y) < 0.5
    turn = torch.atan2(y, x) / (2 * math.pi) + 0.5
    place = torch.where(arc, (turn * 16).floor().clamp(max=15), 16 + (turn * 4 + 0.5).floor() % 4)
    counts = torch.bincount(place.long(), minlength=20).numpy()
    lengths = np.array([0.05 * math.pi] * 16 + [2.0] * 4)
    assert chisquare(counts, lengths / lengths.sum() * 20000).pvalue > 1e-3


def test_points_of_a_nested_boundary_are_as_many_as_its_parts_are_long():
    """The union of two discs, cut: its arcs and the cut, each of a length that is known."""
    region = (Disc((0, 0), 1) | Disc((1, 0), 1)) & Box(x=(-2, 3), y=(0, 2))
    points = Uniform().sample(region.boundary, 20000, seed=0)
    cut, left = points["y"] < 1e-9, points["x"] < 0.5
    counts = [int((cut).sum()), int((~cut & left).sum()), int((~cut & ~left).sum())]
    lengths = np.array([3.0, 2 * math.pi / 3, 2 * math.pi / 3])
    assert chisquare(counts, lengths / lengths.sum() * 20000).pvalue > 1e-3
    torch.testing.assert_close(points["normal_x"][~cut & left], points["x"][~cut & left])


def random_region(rng, depth):
    """A combination of boxes and polygons on half integers and discs anywhere, and the same in shapely."""
    if depth:
        (a, exact_a), (b, exact_b) = random_region(rng, depth - 1), random_region(rng, rng.integers(depth))
        combine = [lambda p, q: p | q, lambda p, q: p - q, lambda p, q: p & q][rng.integers(3)]
        return combine(a, b), combine(exact_a, exact_b)
    x, y = rng.integers(0, 4, 2) / 2
    kind = rng.integers(3)
    if kind == 0:
        w, h = rng.integers(1, 5, 2) / 2
        return Box(x=(x, x + w), y=(y, y + h)), shapely.box(x, y, x + w, y + h)
    if kind == 1:
        radius = rng.uniform(0.3, 1.2)
        return Disc((x, y), radius), shapely.Point(x, y).buffer(radius, quad_segs=128)
    corners = [(x, y), (x + 2, y + 0.5), (x + 0.5, y + 2)]
    return Polygon(corners), shapely.Polygon(corners)


@pytest.mark.parametrize("seed", range(24))
def test_random_combinations_have_the_boundary_that_shapely_finds(seed):
    rng = np.random.default_rng(seed)
    try:
        region, exact = random_region(rng, 3)
        boundary = region.boundary
        points = Sobol().sample(boundary, 150, seed=0)
    except UserError as error:
        assert "empty" in str(error)
        return
    # what is left of touching shapes, points and lines, has no inside
    exact = shapely.union_all([part for part in shapely.get_parts(exact) if part.area > 0])
    assert boundary.measure == pytest.approx(exact.length, rel=3e-3)
    place, normal = (np.stack([points[k] for k in keys], 1) for keys in (("x", "y"), ("normal_x", "normal_y")))
    assert shapely.distance(exact.boundary, shapely.points(place)).max() < 1e-4
    inside, outside = (shapely.contains_xy(exact, place + s * 1e-3 * normal) for s in (-1, 1))
    # the step of 1e-3 leaves thin corners
    assert (inside & ~outside).mean() > 0.97


@pytest.mark.parametrize("turn", [0.1, 0.7, 1.3, 2.9, 4.4])
def test_polygons_that_share_a_side_up_to_rounding_have_none_inside(turn):
    """Turned, so that no corner is where it should be exactly."""

    def turned(*corners):
        c, s = math.cos(turn), math.sin(turn)
        return Polygon([(c * x - s * y + 0.3, s * x + c * y - 0.7) for x, y in corners])

    square = turned((0, 0), (1, 0), (1, 1), (0, 1))
    beside_it = turned((1, -0.5), (2, -0.5), (2, 1.3), (1, 1.3))
    joined = square | beside_it
    assert joined.boundary.measure == pytest.approx(7.6)
    assert (square - beside_it).boundary.measure == pytest.approx(4.0)
    notch = turned((0, 0), (2, 0), (2, 2), (0, 2)) - turned((1, 0), (2, 0), (2, 1.3), (1, 1.3))
    assert notch.boundary.measure == pytest.approx(8.0)
    with pytest.raises(UserError, match="is empty"):
        square & beside_it


@pytest.mark.parametrize(
    ("region", "ends", "normal"),
    [
        (Interval(x=(0, 1)) - Interval(x=(0.3, 0.5)), [0, 0.3, 0.5, 1], [-1, 1, -1, 1]),
        (Interval(x=(0, 1)) | Interval(x=(1, 2)), [0, 2], [-1, 1]),
        (Interval(x=(1, 2)) | Interval(x=(0, 1.5)), [0, 2], [-1, 1]),
        (Interval(x=(0, 1)) - Interval(x=(0.5, 1)), [0, 0.5], [-1, 1]),
        (Interval(x=(0, 1)) & Interval(x=(0.25, 3)), [0.25, 1], [-1, 1]),
        (Interval(x=(0, 1)) - PointSet(x=[0.5]), [0, 1], [-1, 1]),
        (Union(Interval(x=(2, 3)), Interval(x=(0, 1))), [0, 1, 2, 3], [-1, 1, -1, 1]),
    ],
)
def test_ends_of_intervals(region, ends, normal):
    points = Sobol().sample(region.boundary, 1, seed=0)
    assert points["x"].tolist() == ends
    assert points["normal_x"].tolist() == normal


def test_a_curve_that_is_cut_out_bounds_nothing():
    assert (PLATE - HOLE.boundary).boundary.measure == 8.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_single_precision_finds_the_same_boundary(dtype):
    region = box(0, 0) | box(1, 0) - Disc((1.5, 0.5), 1e-3)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        points = Sobol().sample(region.boundary, 200, seed=0)
        measure = region.boundary.measure
    finally:
        torch.set_default_dtype(before)
    assert measure == pytest.approx(6 + 2e-3 * math.pi, rel=1e-6)
    assert all(column.dtype == dtype for column in points.values())
    assert not ((points["x"] == 1) & (points["y"] > 0) & (points["y"] < 1)).any()


def test_parts_of_a_boundary_keep_its_normals():
    outline = (PLATE - HOLE).boundary
    for part in (outline & HOLE, outline & HOLE.boundary, outline - PLATE.boundary):
        points = Sobol().sample(part, 60, seed=0)
        assert part.measure == pytest.approx(0.8 * math.pi)
        torch.testing.assert_close(points["normal_x"], -points["x"] / 0.4)
    right = Sobol().sample(outline & Box(x=(0, 1), y=(-1, 1)), 200, seed=0)
    assert (right["x"] >= 0).all()
    assert size(right) == 200


def test_walls_over_a_time():
    walls = TIME * (PLATE - HOLE).boundary
    points = Sobol().sample(walls, 300, seed=0)
    assert walls.measure == pytest.approx(8 + 0.8 * math.pi)
    assert (points["normal_t"] == 0).all()
    arc = select(points, torch.hypot(points["x"], points["y"]) < 0.5)
    torch.testing.assert_close(arc["normal_x"], -arc["x"] / 0.4)
    assert 0 < float(arc["t"].min()) < 0.1 < 0.9 < float(arc["t"].max()) < 1
    ends = Interval(x=(0, 1)).boundary * TIME
    points = Sobol().sample(ends, 20, seed=0)
    assert ends.measure == 2.0
    torch.testing.assert_close(points["normal_x"], 2 * points["x"] - 1)
    assert points["t"].unique().numel() == 20
    inner = Sobol().sample((TIME * (PLATE - HOLE)).boundary - PLATE.boundary, 500, seed=0)
    caps = (inner["t"] == 0) | (inner["t"] == 1)
    torch.testing.assert_close(inner["normal_t"][caps], 2 * inner["t"][caps] - 1)
    torch.testing.assert_close(inner["normal_x"][~caps], -inner["x"][~caps] / 0.4)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (PLATE - HOLE, TIME),
        (TIME, Disc() | Disc((1, 0), 1)),
        (TIME, Disc() & Disc((1, 0), 1)),
        (Disc() | Disc((1, 0), 1), Interval(t=(0, 2)) - Interval(t=(0.5, 1))),
        (PointSet(x=[0.0, 1.0], y=[0.0, 2.0]), TIME),
        (Disc(), TIME),
    ],
)
def test_products_of_combined_regions(first, second):
    region = first * second
    assert set(region.names) == {*first.names, *second.names}
    assert region.measure == pytest.approx(first.measure * second.measure, rel=5e-3)
    points = Sobol().sample(region, 200, seed=0)
    assert first.contains(points).all() and second.contains(points).all() and region.contains(points).all()


@pytest.mark.parametrize(
    ("region", "measure"),
    [
        (Box(t=(0, 1), x=(-1, 1), y=(-1, 1)) - HOLE, 4 - 0.16 * math.pi),
        (TIME * (PLATE - HOLE), 4 - 0.16 * math.pi),
        (TIME * (Disc() | Disc((1, 0), 1)), 2 * math.pi - LENS),
        (Product(TIME, Disc()), math.pi),
        (Box(t=(0, 1), x=(0, 1), y=(0, 1)) | Box(t=(0, 2), x=(0, 2), y=(0, 1)), 2.0),
        (Box(t=(0, 1), x=(0, 2), y=(0, 1)) | Box(t=(1, 2), x=(0, 1), y=(0, 1)), 2.0),
    ],
)
def test_a_combined_region_begins_at_a_face(region, measure):
    points = Sobol().sample(region.face("t", 0), 50, seed=0)
    assert (points["t"] == 0).all()
    assert region.face("t", 0).measure == pytest.approx(measure, rel=5e-3)
    assert region.contains(points).all()


def test_a_region_within_another_adds_nothing_to_it():
    assert size(Sobol().sample(PLATE | HOLE, 64, seed=0)) == 64


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (PLATE - PLATE, "the difference of regions has no boundary; is it empty"),
        (PLATE & box(1, 0), "the intersection of regions has no boundary; is it empty"),
        (PLATE - Disc(radius=9), "has no boundary; is it empty"),
        (Interval(x=(0, 1)) - Interval(x=(-1, 2)), "the difference of intervals has no boundary"),
        (PointSet(x=[1.0, 2.0]), "given points have no boundary"),
        (Product(Point({"x": 0.0})), "given points have no boundary"),
        (Disc().boundary, "dimension 1 in the coordinates x, y has no outward normal"),
        (TRIANGLE.boundary, "dimension 1 in the coordinates x, y"),
        (PLATE.face("x", 1), "dimension 1 in the coordinates"),
        (PLATE.faces(), "dimension 1 in the coordinates"),
        (PLATE.boundary - HOLE, "dimension 1 in the coordinates"),
        (REGIONS["solid boxes"][0].boundary, "dimension 2 in the coordinates x, y, z"),
        (Product(TIME, Circle(Disc())), "dimension 2 in the coordinates t, x, y"),
        (Box(x=([0.0] * 2, [1.0] * 2)), "only scalar axes have faces"),
        (Box(x=([0.0] * 2, [1.0] * 2), t=(0, 1)) - Interval(t=(0.2, 0.4)), "only scalar axes have faces"),
    ],
)
def test_what_has_no_boundary_says_so(region, message):
    with pytest.raises(UserError, match=message) as caught:
        Sobol().sample(region.boundary, 40, seed=0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Disc().face("x", 0), "a Disc has no face x = 0: boxes have"),
        (lambda: (PLATE - HOLE).faces("x"), "a Difference has no pairs of faces"),
        (lambda: (PLATE - HOLE).face("x", 3), "x goes from -1 to 1"),
        (lambda: (box(0, 0) | box(1, 0)).face("x", 3), "no part of the union has a face x = 3"),
        (lambda: Product(TIME, Disc()).face("z", 0), "the product has no coordinate 'z'"),
        (lambda: Product(TIME, PLATE - HOLE), r"a Difference cannot be a factor of a Product; write `\*`"),
        (lambda: (PLATE - HOLE) * Interval(x=(0, 1)), "occurs twice in the product"),
        (lambda: PointSet(v=[[1.0, 2.0]]) * TIME, "the column v is a vector"),
    ],
)
def test_bad_input_is_one_clear_line(build, message):
    with pytest.raises(UserError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)


class Own(Parametrised):
    """A region of a user's own: a disc again."""

    names, dimension, measure = ("x", "y"), 2, math.pi

    def contains(self, points):
        return points["x"] ** 2 + points["y"] ** 2 <= 1 + 1e-14

    def map(self, unit):
        return Disc().map(unit)


class Bounded(Own):
    def surfaces(self):
        return [Circle(Disc())]


def test_a_region_of_a_users_own_is_combined_where_it_says_what_bounds_it():
    with pytest.raises(UserError, match=r"a Own does not say what bounds it: give it a method surfaces\(\)"):
        Own().boundary  # noqa: B018
    plate = Box(x=(-3, 3), y=(-2, 2))
    with pytest.raises(UserError, match="does not say what bounds it"):
        Sobol().sample((plate - Own()).boundary, 10, 0)
    assert (plate - Bounded()).boundary.measure == pytest.approx(20 + 2 * math.pi)
    points = Sobol().sample((plate - Bounded()).boundary, 300, seed=0)
    hole = select(points, torch.hypot(points["x"], points["y"]) < 1.1)
    torch.testing.assert_close(hole["normal_x"], -hole["x"])
