"""Shapes in the plane: uniform mappings, boundaries and exact set operations."""

import math

import pytest
import torch
from scipy.stats import chisquare

from pinnlab.collocation import Sobol, Uniform
from pinnlab.geometry import Disc, Polygon, select, size

DISC = Disc((1.0, -2.0), 0.5)
CONCAVE = Polygon([(0, 0), (4, 0), (4, 1), (1, 1), (1, 4), (0, 4)])
HOLED = Polygon([(0, 0), (3, 0), (3, 3), (0, 3)], holes=[[(1, 1), (2, 1), (2, 2), (1, 2)]])
SHAPES = {"disc": DISC, "concave": CONCAVE, "holed": HOLED}


def test_disc_mapping_is_uniform_in_radius_and_angle():
    points = Uniform().sample(DISC, 20000, seed=0)
    x, y = points["x"] - 1.0, points["y"] + 2.0
    ring = ((x**2 + y**2) / 0.25 * 8).floor().clamp(max=7)
    sector = ((torch.atan2(y, x) / (2 * math.pi) + 0.5) * 6).floor().clamp(max=5)
    counts = torch.bincount((6 * ring + sector).long(), minlength=48)
    assert chisquare(counts.numpy()).pvalue > 1e-3


def test_disc_mapping_is_a_bijection_of_constant_jacobian():
    unit = torch.rand(500, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def mapped(u):
        return torch.stack(list(DISC.map(u[None]).values()), -1)[0]

    determinants = torch.func.vmap(torch.func.jacrev(mapped))(unit).det().abs()
    torch.testing.assert_close(determinants, torch.full_like(determinants, DISC.measure), rtol=1e-9, atol=0)


def test_disc_maps_the_centre_and_the_corners():
    unit = torch.tensor([[0.5, 0.5], [0.0, 0.0], [1.0, 1.0], [1.0, 0.5]], dtype=torch.float64)
    distance = DISC.distance(DISC.map(unit))
    torch.testing.assert_close(distance, torch.tensor([0.0, 0.5, 0.5, 0.5], dtype=torch.float64))


@pytest.mark.parametrize("shape", [CONCAVE, HOLED], ids=["concave", "holed"])
def test_polygon_mapping_is_uniform(shape):
    points = Uniform().sample(shape, 20000, seed=1)
    extent = 4 if shape is CONCAVE else 3
    cell = points["x"].floor().clamp(max=extent - 1) * extent + points["y"].floor().clamp(max=extent - 1)
    counts = torch.bincount(cell.long(), minlength=extent**2)
    inside = torch.tensor([1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0])
    inside = inside if shape is CONCAVE else torch.tensor([1, 1, 1, 1, 0, 1, 1, 1, 1])
    assert (counts[inside == 0] == 0).all()
    assert chisquare(counts[inside == 1].numpy()).pvalue > 1e-3


def test_a_thin_polygon_costs_nothing_more():
    thin = Polygon([(0, 0), (1, 1), (1, 1 + 1e-7)])
    points = Sobol().sample(thin, 1000, seed=0)
    assert size(points) == 1000
    assert float(points["x"].mean()) == pytest.approx(2 / 3, abs=2e-3)


@pytest.mark.parametrize("name", SHAPES)
def test_quasi_random_integrals_converge(name):
    """The mean of x over a shape comes out faster than by random points."""
    shape = SHAPES[name]
    centroid = 1.0 if name == "disc" else float(shape.shape.centroid.x)
    errors = [abs(float(Sobol().sample(shape, n, seed=2)["x"].mean()) - centroid) for n in (64, 16384)]
    assert errors[1] < 3e-4
    assert errors[1] < errors[0] / 8


@pytest.mark.parametrize("name", SHAPES)
def test_normals_are_unit_outward_and_orthogonal(name):
    shape = SHAPES[name]
    boundary = shape.boundary
    u = torch.linspace(0.001, 0.999, 778, dtype=torch.float64)[:, None].clone()
    points = boundary.map(u)
    normal = torch.stack([points["normal_x"], points["normal_y"]], 1)
    torch.testing.assert_close(normal.norm(dim=1), torch.ones(778, dtype=torch.float64))

    u.requires_grad_()
    tangent = torch.cat([torch.autograd.grad(boundary.map(u)[c].sum(), u)[0] for c in ("x", "y")], 1)
    torch.testing.assert_close((tangent * normal).sum(1), torch.zeros(778, dtype=torch.float64), atol=1e-10, rtol=0)
    torch.testing.assert_close(tangent.norm(dim=1), torch.full((778,), boundary.measure, dtype=torch.float64))

    step = 1e-5
    outside = {c: points[c] + step * points[f"normal_{c}"] for c in ("x", "y")}
    inside = {c: points[c] - step * points[f"normal_{c}"] for c in ("x", "y")}
    assert not shape.contains(outside).any()
    assert shape.contains(inside).all()
    assert boundary.contains(points).all()
    assert not boundary.contains(inside).any()


@pytest.mark.parametrize("name", SHAPES)
def test_divergence_theorem(name):
    """The flux of (x, y) through the boundary is twice the area."""
    shape = SHAPES[name]
    unit = (torch.arange(20000, dtype=torch.float64)[:, None] + 0.5) / 20000
    p = shape.boundary.map(unit)
    flux = shape.boundary.measure * (p["x"] * p["normal_x"] + p["y"] * p["normal_y"]).mean()
    assert float(flux) == pytest.approx(2 * shape.measure, rel=1e-9)


def test_orientation_of_the_vertices_does_not_matter():
    clockwise = Polygon([(0, 4), (1, 4), (1, 1), (4, 1), (4, 0), (0, 0)])
    p = Uniform().sample(clockwise.boundary, 50, seed=0)
    outside = {c: p[c] + 1e-6 * p[f"normal_{c}"] for c in ("x", "y")}
    assert not clockwise.contains(outside).any()


def test_polygons_combine_exactly():
    left, right = (Polygon([(a, 0), (a + 2, 0), (a + 2, 1), (a, 1)]) for a in (0, 1))
    assert (left | right).measure == pytest.approx(3.0)
    assert (left & right).measure == pytest.approx(1.0)
    assert (left - right).measure == pytest.approx(1.0)
    assert isinstance(left - right, Polygon)
    pieces = Polygon([(0, 0), (3, 0), (3, 1), (0, 1)]) - Polygon([(1, -1), (2, -1), (2, 2), (1, 2)])
    points = Sobol().sample(pieces, 512, seed=0)
    assert int((points["x"] <= 1).sum()) == pytest.approx(256, abs=8)
    assert pieces.boundary.measure == pytest.approx(8.0)


def test_a_union_does_not_favour_the_overlap():
    a, b = Disc((0, 0), 1.0), Disc((1, 0), 1.0)
    points = Sobol().sample(a | b, 8000, seed=0)
    both = a.contains(points) & b.contains(points)
    share = (a & b).measure / (a | b).measure
    assert float(both.double().mean()) == pytest.approx(share, rel=0.03)


def test_cut_boundaries_keep_their_normals():
    plate, hole = Polygon([(0, 0), (2, 0), (2, 2), (0, 2)]), Disc((0, 0), 1.0)
    outer = Uniform().sample(plate.boundary - hole, 300, seed=0)
    arc = Uniform().sample(hole.boundary & plate, 300, seed=0)
    assert size(outer) == size(arc) == 300
    assert (torch.hypot(outer["x"], outer["y"]) >= 1).all()
    torch.testing.assert_close(arc["normal_x"], arc["x"])
    assert not (arc["x"] < -1e-9).any()
    # Sides that touch the hole are one half as long as the others.
    low = select(outer, outer["y"] == 0)
    assert size(low) == pytest.approx(50, abs=20)
