"""Regions: what points can be sampled from."""

from pinnlab.geometry.box import Box, Interval
from pinnlab.geometry.disc import Circle, Disc
from pinnlab.geometry.groups import Groups, Nodes, Rule
from pinnlab.geometry.points import At, Point
from pinnlab.geometry.polygon import Outline, Polygon
from pinnlab.geometry.product import Product
from pinnlab.geometry.region import Parametrised, Points, Region, Source, concatenate, select, size, spaced
from pinnlab.geometry.sets import Difference, Intersection, Union

__all__ = [
    "At",
    "Box",
    "Circle",
    "Difference",
    "Disc",
    "Groups",
    "Intersection",
    "Interval",
    "Nodes",
    "Outline",
    "Parametrised",
    "Point",
    "Points",
    "Polygon",
    "Product",
    "Region",
    "Rule",
    "Source",
    "Union",
    "concatenate",
    "select",
    "size",
    "spaced",
]
