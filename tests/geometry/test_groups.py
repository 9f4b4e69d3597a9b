"""Nodes that belong together, and copies of them for each point of another region."""

import math

import pytest
import torch

from pinnlab.collocation import Sobol
from pinnlab.collocation.datamodule import Collocation
from pinnlab.collocation.held_out import held_out
from pinnlab.equations import Constraint, Whole
from pinnlab.equations.constraints import domain
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Disc, Groups, Interval, Nodes, PointSet, select, size
from pinnlab.operators import GaussHermite, GaussLegendre


def rule(nodes=5):
    return GaussLegendre(x=(0, 2), nodes=nodes)


def test_the_nodes_of_a_rule_are_points_with_weights():
    points = Sobol().sample(Nodes(rule()), 100, 0)
    assert set(points) == {"x", "weight"} and size(points) == 5
    assert math.isclose(float((points["weight"] * points["x"] ** 2).sum()), 8 / 3, rel_tol=1e-6)


def test_groups_are_what_points_are_elsewhere():
    """Each group has all nodes, and one value of the other coordinates."""
    groups = Groups(Nodes(rule()), Box(t=(0, 1), s=(3, 4)))
    points = Sobol().sample(groups, 7, 0)
    assert {name: column.shape for name, column in points.items()} == dict.fromkeys(("t", "s", "x", "weight"), (7, 5))
    assert torch.equal(points["t"], points["t"][:, :1].expand(7, 5))
    assert torch.equal(points["x"], points["x"][:1].expand(7, 5))
    assert groups.names == ("x", "t", "s") and groups.dimension == 3 and math.isclose(groups.measure, 2, rel_tol=1e-12)
    constraint = Whole(rule(), lambda u: u, each=Box(t=(0, 1)))
    assert [size(part) for part in constraint.parts(select(points, slice(2)))] == [5, 5]
    flat = constraint.flat(points)
    assert size(flat) == 35 and groups.contains(flat).all()
    assert not groups.contains({name: column + 10 for name, column in flat.items()}).any()


def test_held_out_groups_have_the_nodes_of_a_finer_rule():
    trained = Sobol().sample(Groups(Nodes(rule()), Interval(t=(0, 1))), 8, 0)
    points = held_out(Groups(Nodes(rule()), Interval(t=(0, 1))), 200, 1, trained)
    finer = rule().finer()
    assert points["x"].shape[1] == len(finer.weights) > 5
    assert size(points) == 200 // len(finer.weights)
    assert not set(points["t"][:, 0].tolist()) & set(trained["t"][:, 0].tolist())


@pytest.mark.parametrize("nodes", [PointSet(x=[0.0, 0.5, 1.0]), Box(x=(0, 1))], ids=["given", "sampled"])
def test_other_regions_are_one_group(nodes):
    groups = Groups(nodes)
    points = Sobol().sample(groups, 9, 0)
    assert points["x"].shape == (1, 3 if nodes.given else 9)
    assert groups.given == nodes.given


def test_the_hull_is_a_region_of_single_points():
    hull = Groups(Nodes(rule()), Interval(t=(0, 1))).hull
    assert hull.contains({"x": torch.tensor([0.0, 2.0, 2.1]), "t": torch.tensor([0.0, 1.0, 0.5])}).tolist() == [
        True,
        True,
        False,
    ]
    assert size(Sobol().sample(hull, 12, 0)) == 12
    line = Groups(Nodes(GaussHermite(x=(0, 1), nodes=10)))
    lower, upper = line.extent["x"]
    assert math.isfinite(lower) and math.isfinite(upper)
    assert line.contains({"x": torch.tensor([1e6])}).all()


def test_the_domain_is_a_region_of_single_points_where_there_is_one():
    inside = Constraint(Box(t=(0, 1), x=(0, 1)), lambda u: u)
    groups = Whole(rule(), lambda u: u, each=Box(t=(0, 5)))
    assert domain({"groups": groups, "inside": inside}) == "inside"
    assert domain({"groups": groups, "start": Constraint(Box(x=(0, 1)), lambda u: u)}) == "groups"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Whole(Box(x=(0, 1)), lambda u: u, each=Box(t=(0, 1))), "must be given"),
        (lambda: Whole(rule(), lambda u: u, each=Box(x=(0, 1))), "'x' occurs in the nodes"),
        (lambda: Whole(Disc(), lambda u: u, operators={"S": lambda r: r}), "built from a quadrature rule"),
    ],
    ids=["sampled", "twice", "no rule"],
)
def test_groups_that_cannot_be_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


def test_a_number_of_given_nodes_has_no_effect():
    data = Collocation(points={"norm": 7})
    with pytest.raises(UserError, match="has no effect"):
        data.bind({"norm": Whole(rule(), lambda u: u)})
    data = Collocation(points={"norm": 7})
    data.bind({"norm": Whole(rule(), lambda u: u, each=Interval(t=(0, 1)))})
    assert data.totals == {"norm": 7}
