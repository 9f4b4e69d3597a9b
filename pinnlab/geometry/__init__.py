"""Regions: what points can be sampled from."""

from pinnlab.geometry.groups import Groups, Nodes, Rule
from pinnlab.geometry.product import Product
from pinnlab.geometry.region import Parametrised, Points, Region, Source, concatenate, select, size, spaced
from pinnlab.geometry.sets import Difference, Intersection, Union
from pinnlab.geometry.shapes.box import Box, Interval
from pinnlab.geometry.shapes.disc import Circle, Disc
from pinnlab.geometry.shapes.points import At, Point
from pinnlab.geometry.shapes.polygon import Outline, Polygon

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
