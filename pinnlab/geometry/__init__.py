"""Regions: sets of points that can be sampled and combined."""

from typing import TYPE_CHECKING, Any

from pinnlab.geometry.columns import Points, concatenate, select, size, subsample, tolerance
from pinnlab.geometry.combined import Difference, Intersection, Union
from pinnlab.geometry.implicit.mesh import Mesh
from pinnlab.geometry.implicit.signed_distance import SignedDistance
from pinnlab.geometry.product import Product
from pinnlab.geometry.region import Region
from pinnlab.geometry.scattered import Parametrised, Scattered
from pinnlab.geometry.shapes.ball import Ball, Circle, Disc, Sphere
from pinnlab.geometry.shapes.box import Box, Interval
from pinnlab.geometry.shapes.cylinder import Cone, Cylinder
from pinnlab.geometry.shapes.groups import Groups, Nodes, Rule
from pinnlab.geometry.shapes.points import Point, PointSet
from pinnlab.geometry.shapes.polygon import Outline, Polygon
from pinnlab.geometry.source import Source
from pinnlab.renamed import former

__all__ = [
    "Ball",
    "Box",
    "Circle",
    "Cone",
    "Cylinder",
    "Difference",
    "Disc",
    "Groups",
    "Intersection",
    "Interval",
    "Mesh",
    "Nodes",
    "Outline",
    "Parametrised",
    "Point",
    "PointSet",
    "Points",
    "Polygon",
    "Product",
    "Region",
    "Rule",
    "Scattered",
    "SignedDistance",
    "Source",
    "Sphere",
    "Union",
    "concatenate",
    "select",
    "size",
    "subsample",
    "tolerance",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The classes and functions of this module under their former names."""
        return former(__name__, name)
