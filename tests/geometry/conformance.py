"""The suite that every solid must pass; a subclass supplies the region and, where they are known, its measures.

Samples are compared with what membership alone says: points of the box around the region that it contains, and the
places where random lines enter and leave it. Uniformly random lines meet a surface uniformly in its measure, and as
often as half its measure over that of the sphere around it says (Cauchy and Crofton). Neither uses the region's own
sampler.
"""

from functools import cache

import pytest
import torch
from scipy.stats import chi2_contingency

from pinnlab.collocation import Grid, Halton, LatinHypercube, Sobol, Uniform
from pinnlab.geometry import Ball, Box, select, size
from pinnlab.geometry.columns import stack, unstack

SAMPLERS = [Grid(), Grid(offset=0.5), Uniform(), LatinHypercube(), Sobol(), Halton()]
ROUGHEST = 1e-3


def around(region):
    """The centre of a region's box and half its widths, `(d,)` each, a little enlarged."""
    lower, upper = (torch.cat([ends[i].reshape(-1) for ends in region.extent.values()]) for i in range(2))
    return (lower + upper) / 2, (upper - lower) / 2 * (1 + 1e-3)


@cache
def inside(region, n, seed):
    """Points of the region out of n in the box around it, and the measure that their share tells."""
    middle, half = around(region)
    places = middle + half * (2 * torch.rand(n, len(middle), generator=torch.Generator().manual_seed(seed)) - 1)
    kept = region.contains(unstack(places, region.names))
    return places[kept], float(kept.double().mean() * (2 * half).prod())


@cache
def crossings(region, lines, seed, steps=80):
    """Places where random lines enter and leave a region, `(N, d)`, and the measure of its boundary that they tell."""
    middle, half = around(region)
    radius, d = float(half.norm()), len(middle)
    generator = torch.Generator().manual_seed(seed)
    way = torch.nn.functional.normalize(torch.randn(lines, d, generator=generator), dim=1)
    # a point of the disc across the way: uniform in the ball of d − 1 dimensions
    across = torch.randn(lines, d, generator=generator)
    across = across - (across * way).sum(1, keepdim=True) * way
    across = across / across.norm(dim=1, keepdim=True) * torch.rand(lines, 1, generator=generator) ** (1 / (d - 1))
    chord = (1 - across.square().sum(1, keepdim=True)).sqrt()
    start, end = (middle + radius * (across + side * chord * way) for side in (-1, 1))

    def within(share, row):
        return region.contains(unstack(torch.lerp(start[row], end[row], share[:, None]), region.names))

    share = torch.linspace(0, 1, steps + 1)
    every = torch.arange(lines)
    found = torch.stack([within(s.expand(lines), every) for s in share], dim=1)
    row, step = (found[:, 1:] != found[:, :-1]).nonzero(as_tuple=True)
    low, high, first = share[step], share[step + 1], found[row, step]
    for _ in range(40):
        centre = (low + high) / 2
        same = within(centre, row) == first
        low, high = torch.where(same, centre, low), torch.where(same, high, centre)
    sphere = Ball([0.0] * d, radius, [f"x{i}" for i in range(d)])
    return torch.lerp(start[row], end[row], low[:, None]), len(row) / lines * sphere.measure * d / radius / 2


def check_likeness(first, second, region):
    """A χ² test that two samples `(N, d)` are of one distribution, in cells of the box."""
    middle, half = around(region)
    d = len(middle)
    cells = {2: 6, 3: 4, 4: 3}.get(d, 2)
    # cells of unequal widths, so that symmetric ones do not all look the same
    edges = torch.linspace(-1, 1, cells + 1)[1:-1] + 0.07
    columns = [((places - middle) / half).unbind(1) for places in (first, second)]
    codes = [sum(cells**i * torch.bucketize(c.contiguous(), edges) for i, c in enumerate(each)) for each in columns]
    counts = torch.stack([torch.bincount(code, minlength=cells**d) for code in codes])
    order = counts.sum(0).argsort(descending=True)
    counts = counts[:, order]
    large = (counts.double() * len(first) / max(1, len(second))).amin(0) >= 8
    rest = counts[:, ~large].sum(1, keepdim=True)
    table = torch.cat([counts[:, large], rest], 1) if int(rest.min()) >= 8 else counts[:, large]
    assert table.shape[1] > 1, "one cell tells nothing"
    pvalue = float(chi2_contingency(table.numpy(), correction=False).pvalue)
    assert pvalue > ROUGHEST, f"a sample that is not uniform: p = {pvalue:.1e}"


class Conformance:
    """What holds of every solid; `volume` and `area` are known numbers, of the accuracy `exact`."""

    region = None
    volume = area = None
    exact = 1e-9
    """The accuracy of the region's own measures."""
    flux = 1e-3
    """The accuracy of flux and divergence, over ∮ |F|."""
    sharp = 0.98
    """The least share of boundary points that are further from edges than a thousandth of the region's size."""
    points = 8000
    lines = 4000

    @pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
    def test_points_lie_where_they_should(self, sampler):
        for part in (self.region, self.region.boundary):
            points = sampler.sample(part, 120, seed=2)
            assert part.contains(points).all()
            assert isinstance(sampler, Grid) or size(points) == 120

    def test_single_precision_gives_the_same_points(self):
        for part in (self.region, self.region.boundary):
            exact = Sobol().sample(part, 200, seed=4)
            torch.set_default_dtype(torch.float32)
            rough = Sobol().sample(part, 200, seed=4)
            torch.set_default_dtype(torch.float64)
            assert all(column.dtype == torch.float32 for column in rough.values())
            assert part.contains(rough).all()
            off = (stack(rough, part.names).double() - stack(exact, part.names)).norm(dim=1)
            # a rounded test may drop another point, after which rows no longer correspond
            assert float(off.median()) < 1e-4 * max(part.scales.values())

    def test_the_inside_is_uniform(self):
        expected, measure = inside(self.region, 4 * self.points, seed=1)
        sample = stack(Uniform().sample(self.region, self.points, seed=1), self.region.names)
        check_likeness(sample, expected, self.region)
        assert self.region.measure == pytest.approx(measure, rel=0.03)

    def test_the_boundary_is_uniform(self):
        expected, measure = crossings(self.region, self.lines, seed=1)
        sample = stack(Uniform().sample(self.region.boundary, self.points, seed=1), self.region.names)
        check_likeness(sample, expected, self.region)
        assert self.region.boundary.measure == pytest.approx(measure, rel=0.03 + 4 / len(expected) ** 0.5)

    def test_quasi_random_points_are_uniform(self):
        for part, reference in ((self.region, inside), (self.region.boundary, crossings)):
            expected, _ = reference(self.region, self.lines, seed=2)
            sample = stack(Sobol().sample(part, self.points, seed=1), self.region.names)
            check_likeness(sample, expected, self.region)

    def test_measures(self):
        for known, own in ((self.volume, self.region.measure), (self.area, self.region.boundary.measure)):
            if known is not None:
                assert own == pytest.approx(known, rel=self.exact)

    def test_normals_are_unit_outward_and_perpendicular(self):
        """Beside a point, along any tangent, the region ends within half a percent of the way."""
        names = self.region.names
        points = Uniform().sample(self.region.boundary, 600, seed=6)
        place, normal = stack(points, names), stack(points, [f"normal_{name}" for name in names])
        torch.testing.assert_close(normal.norm(dim=1), torch.ones(600))
        step = 1e-3 * float(around(self.region)[1].max())
        tangent = torch.randn(600, place.shape[1], generator=torch.Generator().manual_seed(0))
        tangent = tangent - (tangent * normal).sum(1, keepdim=True) * normal
        tangent = torch.nn.functional.normalize(tangent, dim=1)
        within, without = (
            self.region.contains(unstack(place + step * (tangent + side * normal), names)) for side in (-5e-3, 5e-3)
        )
        assert float((within & ~without).double().mean()) >= self.sharp

    def test_divergence_theorem(self):
        """∮ F·n = ∫ div F for F_i = a_i + x_i² + x_i x_{i+1} of centred coordinates."""
        middle, half = around(self.region)
        names, n = self.region.names, 2**14
        volume, area = self.volume or self.region.measure, self.area or self.region.boundary.measure
        on, within = (Sobol().sample(part, n, seed=5) for part in (self.region.boundary, self.region))
        x, q = ((stack(points, names) - middle) / half.max() for points in (on, within))
        normal = stack(on, [f"normal_{name}" for name in names])
        field = 0.3 + x**2 + x * x.roll(-1, 1)
        divergence = (2 * q + q.roll(-1, 1)).sum(1) / half.max()
        flux = float((field * normal).sum(1).mean()) * area
        assert flux == pytest.approx(
            float(divergence.mean()) * volume, abs=self.flux * area * float(field.norm(dim=1).mean())
        )

    def test_a_time_makes_walls_and_ends(self):
        region = Box(s=(0, 2)) * self.region
        points = Sobol().sample(region.boundary, 400, seed=0)
        walls = select(points, points["normal_s"] == 0)
        assert 0 < size(walls) < 400
        assert self.region.boundary.contains(walls).all()
        caps = select(points, points["normal_s"] != 0)
        torch.testing.assert_close(caps["s"], 1 + caps["normal_s"])
        expected = 2 * self.region.boundary.measure + 2 * self.region.measure
        assert region.boundary.measure == pytest.approx(expected, rel=max(self.exact, 1e-9))


def check_parts(region, parts):
    """The parts of a boundary have its points, and its measure together."""
    assert sum(part.measure for part in parts) == pytest.approx(region.boundary.measure)
    for part in parts:
        points = Sobol().sample(part, 64, seed=0)
        assert region.boundary.contains(points).all()
        assert {f"normal_{name}" for name in region.names} <= set(points)
