"""Boxes, faces, products and given points."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pinnlab.collocation import Grid, Halton, LatinHypercube, Sobol, Uniform
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Disc, Interval, Point, PointSet, Polygon, Product, Union, select, size, subsample

SAMPLERS = [Grid(), Uniform(), LatinHypercube(), Sobol(), Halton()]
BOX = Box(t=(0.0, 1.0), x=(-1.0, 3.0))
SQUARE = Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], holes=[[(1, 1), (2, 1), (2, 2), (1, 2)]])
REGIONS = {
    "interval": Interval(X=(-2.0, 2.0)),
    "box": BOX,
    "vector": Box(t=(0, 1), x=([0.0] * 3, [1.0, 2.0, 3.0])),
    "face": BOX.face("t", 0),
    "interface": BOX.face("x", 0.3),
    "faces": BOX.faces("x"),
    "boundary": Box(x=(0, 1), y=(0, 1), z=(0, 2)).boundary,
    "ends": Interval(X=(-2.0, 2.0)).faces("X"),
    "given": PointSet(X=[-2.0, 2.0], U=[1.0, -1.0]),
    "disc": Disc((1.0, -2.0), 0.7),
    "circle": Disc((1.0, -2.0), 0.7).boundary,
    "polygon": SQUARE,
    "outline": SQUARE.boundary,
    "cylinder": Product(Interval(t=(0, 1)), Disc()),
    "start": Product(Point({"t": 0.0}), Disc()),
    "hole": Box(x=(0, 2), y=(0, 2)) - Disc((1, 1), 0.5),
    "lens": Disc((0, 0), 1.0) & Disc((1, 0), 1.0),
    "two discs": Disc((0, 0), 1.0) | Disc((1, 0), 1.0),
    "arc": Disc((0, 0), 1.0).boundary & Box(x=(0, 2), y=(0, 2)),
    "tube": Box(t=(0, 1), x=(0, 2), y=(0, 2)) - Disc((1, 1), 0.5),
    "walls": Box(x=(0, 2), y=(0, 2)).boundary - Disc((0, 0), 1.0),
}


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_points_lie_in_their_region(name, sampler, dtype):
    region = REGIONS[name]
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        points = sampler.sample(region, 150, seed=3)
    finally:
        torch.set_default_dtype(before)
    assert set(region.names) <= set(points)
    assert all(column.dtype == dtype and len(column) == size(points) for column in points.values())
    assert region.contains(points).shape == (size(points),)
    assert region.contains(points).all()
    if region.dimension and not isinstance(sampler, Grid):
        assert size(points) == 150


@pytest.mark.parametrize("name", [n for n, r in REGIONS.items() if r.dimension])
def test_points_elsewhere_are_not_in_the_region(name):
    region = REGIONS[name]
    points = Sobol().sample(region, 20, seed=0)
    assert not region.contains({column: values + 7.3 for column, values in points.items()}).any()


@pytest.mark.parametrize("name", [n for n, r in REGIONS.items() if r.dimension])
def test_points_are_uniform(name):
    """The share of points in any half of the region's extent is that of a second, independent sample."""
    region, n = REGIONS[name], 4096
    one, two = (sampler.sample(region, n, seed=1) for sampler in (Uniform(), Sobol()))
    for column in region.names:
        a, b = (points[column].reshape(n, -1)[:, -1] for points in (one, two))
        middle = b.median()
        p = (b < middle).double().mean()
        expected = 5 * math.sqrt(max(1e-12, float(p * (1 - p))) / n) + 1e-12
        assert abs(float((a < middle).double().mean() - p)) <= expected


def test_measures():
    assert REGIONS["box"].measure == 4.0
    assert REGIONS["vector"].measure == 6.0
    assert REGIONS["vector"].dimension == 4
    assert REGIONS["face"].measure == 4.0
    assert REGIONS["boundary"].measure == 10.0
    assert REGIONS["given"].measure == 2.0
    assert REGIONS["polygon"].measure == pytest.approx(15.0)
    assert REGIONS["outline"].measure == pytest.approx(20.0)
    assert REGIONS["cylinder"].measure == pytest.approx(math.pi)
    assert REGIONS["hole"].measure == pytest.approx(4 - math.pi / 4, rel=2e-3)
    lens = 2 * math.pi / 3 - math.sqrt(3) / 2
    assert REGIONS["lens"].measure == pytest.approx(lens, rel=5e-3)
    assert REGIONS["two discs"].measure == pytest.approx(2 * math.pi - lens, rel=5e-3)
    assert REGIONS["arc"].measure == pytest.approx(math.pi / 2, rel=2e-3)
    assert REGIONS["tube"].measure == pytest.approx(4 - math.pi / 4, rel=5e-3)
    assert REGIONS["walls"].measure == pytest.approx(6.0, rel=1e-3)


def test_box_maps_its_corners_exactly():
    ends = Box(x=(-0.1, 0.7), y=(1e-3, 1e3)).map(torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.float64))
    assert ends["x"].tolist() == [-0.1, 0.7]
    assert ends["y"].tolist() == [1e-3, 1e3]


def test_face_holds_one_coordinate():
    points = Sobol().sample(BOX.face("t", 0), 64, seed=0)
    assert (points["t"] == 0).all()
    assert points["x"].unique().numel() == 64


def test_faces_share_points_by_area():
    box = Box(x=(0.0, 1.0), y=(0.0, 3.0))
    points = Sobol().sample(box.faces(), 80, seed=0)
    count = {
        (name, end): int((points[name] == end).sum()) for name, end in [("x", 0.0), ("x", 1.0), ("y", 0.0), ("y", 3.0)]
    }
    assert size(points) == 80
    # Faces x = const have length 3 of 8, faces y = const length 1 of 8.
    assert count == {("x", 0.0): 30, ("x", 1.0): 30, ("y", 0.0): 10, ("y", 3.0): 10}


def test_a_small_face_is_not_forgotten():
    points = Uniform().sample(Box(x=(0.0, 1e-6), y=(0.0, 1.0)).faces(), 7, seed=0)
    assert size(points) == 7
    assert (points["y"] == 0).any()
    assert (points["y"] == 1).any()


def test_faces_have_independent_points():
    points = Sobol().sample(BOX.faces("x"), 64, seed=0)
    low, high = (points["t"][points["x"] == end] for end in (-1.0, 3.0))
    assert not set(low.tolist()) & set(high.tolist())


def test_box_boundary_has_outward_normals():
    box = Box(x=(-1.0, 1.0), y=(-1.0, 1.0))
    points = Uniform().sample(box.boundary, 40, seed=0)
    outside = {name: points[name] + 1e-6 * points[f"normal_{name}"] for name in ("x", "y")}
    assert torch.hypot(points["normal_x"], points["normal_y"]).tolist() == [1.0] * 40
    assert not box.contains(outside).any()


def test_ends_of_an_interval_are_two_points():
    points = Uniform().sample(Interval(X=(-2, 2)).faces("X"), 50, seed=0)
    assert points["X"].tolist() == [-2.0, 2.0]
    boundary = Uniform().sample(Interval(X=(-2, 2)).boundary, 1, seed=0)
    assert boundary["normal_X"].tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("n", [1, 2, 500])
def test_given_points_are_all_given_points(n):
    points = Sobol().sample(PointSet(X=[-2.0, 2.0], U=[1.0, -1.0], v=[[1, 2], [3, 4]]), n, seed=9)
    assert points["X"].tolist() == [-2.0, 2.0]
    assert points["U"].tolist() == [1.0, -1.0]
    assert points["v"].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_given_points_can_be_cut():
    points = Sobol().sample(PointSet(x=[0.0, 1.0, 2.0], y=[0.0, 0.0, 0.0]) - Disc(), 5, seed=0)
    assert points["x"].tolist() == [2.0]


@given(total=st.integers(1, 300), n=st.integers(0, 320))
def test_indices_of_a_subsample_are_in_order_and_one_of_each_part(total, n):
    index = subsample(total, n)
    assert len(index) == min(n, total)
    assert set(index.tolist()) <= set(range(total)) and bool((index.diff() > 0).all())
    if n:
        assert bool((index.diff() <= 2 * math.ceil(total / n)).all())


@pytest.mark.parametrize("step", [2, 3, 4, 8])
def test_a_subsample_of_a_sequence_lies_everywhere(step):
    """Of every other point of a Sobol sequence none lies in one half."""
    points = Sobol().sample(Box(x=(0, 1), y=(0, 1)), 4096, 0)
    some = select(points, subsample(4096, 4096 // step))
    cells = (4 * (some["x"] * 4).long() + (some["y"] * 4).long()).bincount(minlength=16)
    assert size(some) == 4096 // step
    assert float(cells.min()) > 0.7 * size(some) / 16


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Interval(X=(2, -2)), "lower bound of X must be less"),
        (lambda: Interval(X=(1, 1)), "lower bound of X must be less"),
        (lambda: Interval(X=(0, math.inf)), "must be finite"),
        (lambda: Interval(X=("a", 1)), "must be numbers"),
        (lambda: Interval(X=3), "must be a pair"),
        (lambda: Interval(x=(0, 1), y=(0, 1)), "an interval has one axis"),
        (lambda: Box(), "at least one axis"),
        (lambda: Box(x=([0, 0], [1, 1, 1])), "vectors of one length"),
        (lambda: BOX.face("y", 0), "no axis 'y'; its axes are t, x"),
        (lambda: BOX.face("t", 2), "t goes from 0 to 1"),
        (lambda: BOX.face("t", math.nan), "must be finite"),
        (lambda: BOX.faces("y"), "no axis 'y'"),
        (lambda: REGIONS["vector"].faces("x"), "only scalar axes have faces"),
        (lambda: PointSet(), "at least one column"),
        (lambda: PointSet(x=[1.0], u=[1.0, 2.0]), "one length"),
        (lambda: PointSet(x=[]), "no points given"),
        (lambda: PointSet(x=[math.nan]), "not finite"),
        (lambda: PointSet(x=["a"]), "the column x must be numbers.*strings"),
        (lambda: PointSet(x=[[1, 2], [3]]), "list of numbers"),
        (lambda: PointSet(x=[1j, 2]), "complex"),
        (lambda: PointSet(x=torch.tensor([1j])), "complex"),
        (lambda: PointSet(x=np.array([1.0, None], dtype=object)), "objects"),
        (lambda: PointSet(x=np.ma.array([1.0, 2.0], mask=[False, True])), "masked"),
        (lambda: PointSet(x=np.array(["2020-01-01"], dtype="datetime64[D]")), "dates"),
        (lambda: PointSet(x=np.array([2**53 + 1])), "beyond 2.53"),
        (lambda: PointSet(x=[10**30]), "beyond 2.53"),
        (lambda: PointSet(x=(i for i in range(3))), "objects"),
        (lambda: Box(x=(0, 1j)), "the bounds of x.*complex"),
        (lambda: Box(x=("0", "1")), "strings"),
        (lambda: Disc((0, np.complex128(1))), "complex"),
        (lambda: Disc(radius="1"), "must be a number"),
        (lambda: Disc(radius=0), "must be positive"),
        (lambda: Disc(center=3), "pair of numbers"),
        (lambda: Disc(names=("x", "x")), "two different"),
        (lambda: Polygon([(0, 0), (1, 1)]), "make no polygon"),
        (lambda: Polygon([(0, 0), (1, 1), (2, 2)]), "make no polygon"),
        (lambda: Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "Self-intersection"),
        (lambda: SQUARE & Polygon([(9, 9), (10, 9), (9, 10)]), "is empty"),
        (lambda: Union(BOX, Disc()), "same coordinates"),
        (lambda: Union(Disc(), Disc().boundary), "same dimension"),
        (lambda: BOX - Disc(), "different coordinates: y"),
        (lambda: Product(Disc(), Interval(x=(0, 1))), "occurs twice"),
        (lambda: Product(REGIONS["hole"], Interval(t=(0, 1))), "cannot be a factor"),
        (lambda: Sobol().sample(Disc() & Disc((5, 5)), 10, 0), "is it empty"),
        (lambda: Grid().sample(Disc() & Disc((5, 5)), 10, 0), "is it empty"),
        (lambda: Sobol().sample(PointSet(x=[0.0], y=[0.0]) - Disc(), 10, 0), "is it empty"),
        (lambda: Sobol().sample(BOX.faces(), 3, 0), "cannot cover a region of 4 parts"),
        (lambda: Sobol().sample(Union(BOX.faces("x"), BOX.boundary), 30, 0), "different columns"),
    ],
)
def test_bad_input_is_one_clear_line(build, message):
    with pytest.raises(UserError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)


class Frame:
    """A column of a data frame whose labels are not 0, 1, 2, …"""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, label):
        raise KeyError(label)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(3),
        np.arange(3.0)[:, None],
        np.arange(3, dtype=np.float32)[::-1][::-1],
        np.array([0, 1, 2], dtype=object),
        np.ma.array([0, 1, 2], mask=False),
        torch.arange(3.0, requires_grad=True)[:, None],
        [torch.tensor(0), torch.tensor(1), torch.tensor(2)],
        range(3),
        Frame([0, 1, 2]),
    ],
)
def test_a_column_may_be_of_any_library(values):
    column = PointSet(x=values).place(1, None)["x"]
    assert column.tolist() == [0, 1, 2] and column.dtype == torch.get_default_dtype()


@pytest.mark.parametrize(
    "bounds", [np.array([-1, 2]), torch.tensor([-1.0, 2.0]), (np.float64(-1), np.array(2)), (torch.tensor(-1), 2)]
)
def test_bounds_and_centres_may_be_of_any_library(bounds):
    assert [float(end) for end in Interval(x=bounds).bounds["x"]] == [-1, 2]
    assert Disc(bounds, np.float32(2)).center == (-1, 2)
    assert Box(x=(np.zeros(3), torch.ones(3)), y=bounds).dimension == 4
