"""Normals that point into the equation's region are refused, where they matter."""

from types import MappingProxyType

import pytest
import torch

import pinnlab
from pinnlab.collocation.datamodule import Collocation
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Disc, Interval, PointSet, Union
from pinnlab.jets.operators import laplacian
from pinnlab.networks import MLP
from pinnlab.training import Adam, GaussNewton
from pinnlab.training.pinn import PINN
from pinnlab.training.setup.settings import bind, check, default_dtype

PLATE, HOLE = Box(x=(-1, 1), y=(-1, 1)), Disc((0, 0), 0.4)
ENGINES = pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["NTP", "Autograd"])


class Flux(Equation):
    """Δu = 0 on some regions, and a flux (or another condition) on a curve."""

    inputs, outputs = ("x", "y"), ("u",)

    def __init__(self, regions, curve, condition):
        super().__init__()
        self.regions, self.curve, self.condition = MappingProxyType(regions), curve, condition

    def constraints(self):
        inside = {name: Constraint(region, self.inside, points=200) for name, region in self.regions.items()}
        return inside | {
            "outer": Constraint(PLATE.boundary, lambda x, y, u: u - torch.log(x * x + y * y) / 2, points=80),
            "flux": Constraint(self.curve, self.condition, points=40),
        }

    def inside(self, x, y, u):
        return laplacian(u, x, y)

    def exact(self, x, y):
        return torch.log(x * x + y * y) / 2


def given_flux(u, x, y, normal_x, normal_y):
    return normal_x * u.d(x) + normal_y * u.d(y) + 1 / 0.4


def no_flux(u, x, y, normal_x, normal_y):
    return normal_x * u.d(x) + normal_y * u.d(y)


def robin(u, x, y, normal_x, normal_y):
    return normal_x * u.d(x) + normal_y * u.d(y) + 3 * u, u - 1


def value(u):
    return u - 1


def run(equation, engine):
    """What comes before the first step."""
    with default_dtype(torch.float64):
        model, data = PINN(equation, MLP, engine, [Adam(1)]), Collocation(seed=0)
        bind(model, data)
        check(model, data)


@ENGINES
@pytest.mark.parametrize(
    ("curve", "condition"),
    [
        (HOLE.boundary, given_flux),
        (HOLE.boundary, robin),
        (Union(PLATE.boundary, HOLE.boundary), given_flux),
        (HOLE.boundary & Box(x=(0, 1), y=(-1, 1)), given_flux),
        (PointSet(x=[0.4, 1.0], y=[0.0, 0.0], normal_x=[1.0, 1.0], normal_y=[0.0, 0.0]), given_flux),
    ],
    ids=["flux", "robin", "with the outer boundary", "half", "given points"],
)
def test_the_normal_of_a_hole_is_refused(engine, curve, condition):
    with pytest.raises(UserError, match="constraint 'flux': its normals point into the region of 'pde'") as caught:
        run(Flux({"pde": PLATE - HOLE}, curve, condition), engine)
    assert "\n" not in str(caught.value)


@ENGINES
@pytest.mark.parametrize(
    ("regions", "curve", "condition"),
    [
        ({"pde": PLATE - HOLE}, (PLATE - HOLE).boundary, given_flux),
        ({"pde": PLATE - HOLE}, (PLATE - HOLE).boundary & HOLE, robin),
        ({"pde": PLATE - HOLE}, PLATE.boundary, robin),
        ({"pde": PLATE - HOLE}, HOLE.boundary, no_flux),
        ({"pde": PLATE - HOLE}, HOLE.boundary, value),
        ({"pde": PLATE}, HOLE.boundary, given_flux),
        ({"around": PLATE - HOLE, "within": HOLE}, HOLE.boundary, given_flux),
        ({"pde": Disc()}, Disc().boundary, robin),
    ],
    ids=["right", "right on the hole", "outer", "no flux", "values", "a curve inside", "interface", "disc"],
)
def test_what_is_right_or_makes_no_difference_passes(engine, regions, curve, condition):
    run(Flux(regions, curve, condition), engine)


class Rod(Equation):
    """A rod with a gap, whose gap has a flux at both ends."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, ends):
        super().__init__()
        self.ends = ends

    def constraints(self):
        rod = Interval(x=(0, 1)) - Interval(x=(0.4, 0.6))
        return {
            "pde": Constraint(rod, lambda x, u: u.d(x, x)),
            "flux": Constraint(self.ends, lambda x, u, normal_x: normal_x * u.d(x) - 1),
        }


@ENGINES
def test_the_ends_of_a_gap(engine):
    rod, gap = Interval(x=(0, 1)), Interval(x=(0.4, 0.6))
    with pytest.raises(UserError, match="normals point into the region"):
        run(Rod(gap.boundary), engine)
    run(Rod((rod - gap).boundary), engine)


@pytest.mark.slow
def test_the_flux_through_a_hole_is_found():
    """Flux out of the plate through the hole; u = log r."""
    flux = Flux({"pde": PLATE - HOLE}, (PLATE - HOLE).boundary & HOLE, given_flux)
    solution = pinnlab.solve(flux, phases=[GaussNewton(30)])
    assert solution.metrics["max_error"] < 1e-2
