"""Held-out points are never the training points, whatever the region and the sampler; given points are given."""

import pytest
import torch

from pinnlab.collocation import Clustered, Grid, Halton, LatinHypercube, Sobol, Uniform
from pinnlab.collocation.datamodule import Collocation
from pinnlab.equations import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Disc, Interval, Parametrised, PointSet, Polygon, Product, Union, size
from pinnlab.geometry.columns import GOLDEN

PLATE, HOLE = Box(x=(-1, 1), y=(-1, 1)), Disc((0, 0), 0.4)
TRIANGLE = Polygon([(0, 0), (3, 0), (0, 3)])
TIME = Interval(t=(0, 1))
REGIONS = {
    "interval": Interval(x=(-2, 3)),
    "rod with a gap": Interval(x=(0, 1)) - Interval(x=(0.3, 0.5)),
    "two rods": Union(Interval(x=(2, 3)), Interval(x=(0, 1))),
    "box": PLATE,
    "disc": Disc(),
    "polygon": TRIANGLE,
    "plate with a hole": PLATE - HOLE,
    "one face": PLATE.face("x", -1),
    "faces with their corners": PLATE.faces(),
    "boundary of a box": PLATE.boundary,
    "circle": Disc().boundary,
    "outline with corners": TRIANGLE.boundary,
    "combined boundary": (PLATE - HOLE).boundary,
    "part of a boundary": (PLATE - HOLE).boundary & HOLE,
    "two circles": Union(Disc().boundary, Disc((3, 0), 1).boundary),
    "walls over a time": TIME * (PLATE - HOLE).boundary,
    "ends over a time": Interval(x=(0, 1)).boundary * TIME,
    "cylinder": Product(TIME, Disc()),
    "faces of a solid": Box(x=(0, 1), y=(0, 1), z=(0, 1)).boundary,
    "vector": Box(x=([0.0] * 3, [1.0] * 3)),
}
SAMPLERS = [
    Grid(),
    Grid(offset=0.5),
    Grid(offset=GOLDEN),
    Grid(offset=2 * GOLDEN % 1),
    Uniform(),
    LatinHypercube(),
    Sobol(),
    Halton(),
    Clustered(axis=0, sampler=Grid(offset=GOLDEN)),
]


def both(region, sampler, n, held_out=501, dtype=torch.float64):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        data = Collocation(sampler=sampler, held_out=held_out, seed=0)
        data.bind({"c": Constraint(region, lambda x, u: u, points=n)})
        return data.batch(0)["c"], data.held_out_batch()["c"]
    finally:
        torch.set_default_dtype(before)


def rows(region, points):
    columns = [points[name].reshape(size(points), -1) for name in region.names]
    return {tuple(row) for row in torch.cat(columns, 1).tolist()}


@pytest.mark.parametrize("n", [100, 501])
@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
@pytest.mark.parametrize("name", REGIONS)
def test_no_training_point_is_held_out(name, sampler, n):
    region = REGIONS[name]
    trained, held_out = both(region, sampler, n)
    assert not rows(region, trained) & rows(region, held_out)
    assert held_out.keys() == trained.keys()
    assert size(held_out) > 400
    assert region.contains(held_out).all()


@pytest.mark.parametrize("name", ["interval", "circle", "combined boundary", "box"])
def test_nor_in_single_precision_among_many_points(name):
    """Of 2²⁰ training points some coincide with points of any sample, for there are but 2²⁴ numbers."""
    region = REGIONS[name]
    trained, held_out = both(region, Uniform(), 2**17, dtype=torch.float32)
    assert not rows(region, trained) & rows(region, held_out)
    assert size(held_out) > 250


@pytest.mark.parametrize(
    "region",
    [
        PointSet(x=[0.0, 1.0], u=[2.0, 3.0]),
        Interval(x=(0, 1)).boundary,
        (Interval(x=(0, 1)) - Interval(x=(0.3, 0.5))).boundary,
        Union(PointSet(x=[0.0]), PointSet(x=[1.0])),
        PointSet(x=[0.0, 1.0, 5.0]) - Interval(x=(2, 9)),
    ],
)
def test_given_points_are_held_out_as_they_are(region):
    trained, held_out = both(region, Sobol(), 10)
    assert held_out.keys() == trained.keys()
    assert all(torch.equal(held_out[name], trained[name]) for name in trained)


class Corner(Parametrised):
    """A curve that is a single place."""

    names = ("x",)
    dimension = 1
    measure = 1.0

    def contains(self, points):
        return points["x"] == 2.0

    def map(self, unit):
        return {"x": 0 * unit[:, 0] + 2.0}


def test_a_region_of_training_points_alone_is_one_clear_line():
    with pytest.raises(UserError, match="hardly any points but those of training") as caught:
        both(Corner(), Sobol(), 10)
    assert "\n" not in str(caught.value)
