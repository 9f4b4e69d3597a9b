"""Which input of an equation is its time, and how many derivatives start it."""

import math

import pytest
import torch

from pinnlab.equations import Constraint, Equation, Shift, Unknown, Vector, Whole, periodic
from pinnlab.geometry import Box, Disc, Interval, PointSet
from pinnlab.jets.operators import biharmonic, laplacian
from pinnlab.operators import GaussLegendre
from pinnlab.strategy.structure.evolution import evolution

RECTANGLE, LINE = Box(t=(0, 2), x=(0, 1)), Interval(t=(0, 2))
SQUARE = Box(x=(0, 1), y=(0, 1))


def stated(inputs, outputs, **constraints):
    """An equation with these constraints, each a region and a residual."""
    named = {name: c if isinstance(c, Constraint) else Constraint(*c) for name, c in constraints.items()}
    members = {"inputs": inputs, "outputs": outputs, "constraints": lambda self: dict(named)}
    return type("Stated", (Equation,), members)()


def of_line(*residuals, **more):
    return stated(("t",), ("u",), **dict(zip(("ode", "start"), residuals, strict=False)), **more)


def heat_residual(t, x, u):
    return u.d(t) - u.d(x, x)


def wave_residual(t, x, u):
    return u.d(t, t) - u.d(x, x)


INITIAL, WALLS = (RECTANGLE.face("t", 0), lambda x, u: u - torch.sin(math.pi * x)), (RECTANGLE.faces("x"), lambda u: u)
TWO_INITIAL = (RECTANGLE.face("t", 0), lambda t, x, u: (u - torch.sin(math.pi * x), u.d(t)))


def lorenz(t, x, y, z):
    return x.d(t) - 10 * (y - x), y.d(t) - x * (28 - z) + y, z.d(t) - x * y + 8 / 3 * z


def taylor_green(t, x, y, u, v, p):
    return (
        u.d(t) + u * u.d(x) + v * u.d(y) + p.d(x) - 0.1 * laplacian(u, x, y),
        v.d(t) + u * v.d(x) + v * v.d(y) + p.d(y) - 0.1 * laplacian(v, x, y),
        u.d(x) + v.d(y),
    )


FLOW = Box(t=(0, 1), x=(0, 1), y=(0, 1))
# equation, its time, the orders of its outputs, its initial conditions
WITH_TIME = {
    "heat": (
        stated(("t", "x"), ("u",), inside=(RECTANGLE, heat_residual), start=INITIAL, walls=WALLS),
        ("t", 0, 2), {"u": 1}, ("start",),
    ),
    "wave": (
        stated(("t", "x"), ("u",), inside=(RECTANGLE, wave_residual), start=TWO_INITIAL, walls=WALLS),
        ("t", 0, 2), {"u": 2}, ("start",),
    ),
    "wave, its conditions one by one": (
        stated(
            ("x", "t"), ("u",), velocity=(RECTANGLE.face("t", 0), lambda t, u: u.d(t)), walls=WALLS, place=INITIAL,
            inside=(RECTANGLE, wave_residual),
        ),
        ("t", 0, 2), {"u": 2}, ("velocity", "place"),
    ),
    "periodic": (
        stated(
            ("t", "x"), ("u",), inside=(RECTANGLE, heat_residual), start=INITIAL, around=periodic(RECTANGLE, "x", "u")
        ),
        ("t", 0, 2), {"u": 1}, ("start",),
    ),
    "beam": (
        stated(
            ("t", "x"), ("u",), inside=(RECTANGLE, lambda t, x, u: u.d(t, t) + u.d(x, x, x, x)), start=TWO_INITIAL,
            ends=(RECTANGLE.faces("x"), lambda x, u: (u, u.d(x, x))),
        ),
        ("t", 0, 2), {"u": 2}, ("start",),
    ),
    "a hole in the plate": (
        stated(
            ("t", "x", "y"), ("u",),
            inside=(LINE * (SQUARE - Disc((0.5, 0.5), 0.2)), lambda t, x, y, u: u.d(t) - laplacian(u, x, y)),
            start=((LINE * (SQUARE - Disc((0.5, 0.5), 0.2))).face("t", 0), lambda u: u - 1),
            walls=(LINE * (SQUARE - Disc((0.5, 0.5), 0.2)).boundary, lambda u: u),
        ),
        ("t", 0, 2), {"u": 1}, ("start",),
    ),
    "Lorenz": (
        stated(("t",), ("x", "y", "z"), ode=(LINE, lorenz),
               start=(LINE.face("t", 0), lambda x, y, z: (x - 1, y - 1, z - 1))),
        ("t", 0, 2), {"x": 1, "y": 1, "z": 1}, ("start",),
    ),
    "a spring and a force that decays": (
        stated(("t",), ("u", "f"), ode=(LINE, lambda t, u, f: (u.d(t, t) + u - f, f.d(t) + f)),
               start=(PointSet(t=[0.0]), lambda t, u, f: (u, u.d(t), f - 1))),
        ("t", 0, 2), {"u": 2, "f": 1}, ("start",),
    ),
    "with an algebraic equation": (
        stated(("t",), ("a", "b"), ode=(LINE, lambda t, a, b: (a.d(t) + b, a + b - 1)),
               start=(LINE.face("t", 0), lambda a: a - 1)),
        ("t", 0, 2), {"a": 1, "b": 0}, ("start",),
    ),
    "a pressure without initial condition": (
        stated(("t", "x", "y"), ("u", "v", "p"), inside=(FLOW, taylor_green),
               start=(FLOW.face("t", 0), lambda x, y, u, v: (u - torch.sin(x), v + torch.sin(y))),
               walls=(FLOW.faces("x", "y"), lambda u, v: (u, v))),
        ("t", 0, 1), {"u": 1, "v": 1, "p": 0}, ("start",),
    ),
    "from a centre outwards": (
        stated(("r",), ("w",), ode=(Interval(r=(0, 6)), lambda r, w: r * w.d(r, r) + 2 * w.d(r) + r * w**3),
               centre=(Interval(r=(0, 6)).face("r", 0), lambda r, w: (w - 1, w.d(r)))),
        ("r", 0, 6), {"w": 2}, ("centre",),
    ),
    "backwards from zero": (
        of_line((Interval(t=(-2, 2)), lambda t, u: u.d(t) + t * u), (PointSet(t=[-2.0]), lambda u: u - 1)),
        ("t", -2, 2), {"u": 1}, ("start",),
    ),
    "a coefficient that vanishes in the middle": (
        of_line((Interval(t=(-2, 2)), lambda t, u: t * u.d(t, t) + u),
                (PointSet(t=[-2.0]), lambda t, u: (u - 1, u.d(t)))),
        ("t", -2, 2), {"u": 2}, ("start",),
    ),
    "a power of a derivative": (
        of_line((LINE, lambda t, u: u.d(t) ** 3 - u), (LINE.face("t", 0), lambda u: u - 1)),
        ("t", 0, 2), {"u": 1}, ("start",),
    ),
    "measurements do not start it": (
        of_line((LINE, lambda t, u: u.d(t) + u), (LINE.face("t", 0), lambda u: u - 1),
                data=(PointSet(t=[0.5, 1.0], m=[0.6, 0.4]), lambda u, m: u - m)),
        ("t", 0, 2), {"u": 1}, ("start",),
    ),
    "vectors before the time": (
        stated((Vector("x", 3), "t"), ("u",),
               inside=(Box(x=([0.0] * 3, [1.0] * 3), t=(0, 1)), lambda x, t, u: u.d(t, t) + u),
               start=(Box(x=([0.0] * 3, [1.0] * 3), t=(0, 1)).face("t", 0), lambda t, u: (u - 1, u.d(t)))),
        ("t", 0, 1), {"u": 2}, ("start",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WITH_TIME)
def test_the_time_of_initial_value_problems(name):
    equation, (along, start, end), orders, initial = WITH_TIME[name]
    equation.check()
    found = evolution(equation)
    assert found is not None
    assert (found.along, found.start, found.end) == (along, start, end)
    assert dict(found.orders) == orders
    assert set(found.initial) == set(initial)


class Decaying(Equation):
    """u' = −k u with a k that is sought."""

    inputs, outputs = ("t",), ("u",)

    def __init__(self):
        super().__init__()
        self.k = Unknown(0.5)

    def constraints(self):
        return {
            "ode": Constraint(LINE, lambda t, u, k: u.d(t) + k * u),
            "start": Constraint(LINE.face("t", 0), lambda u: u - 1),
            "end": Constraint(PointSet(t=[1.0], m=[0.5]), lambda u, m: u - m),
        }


# each would be an initial value problem but for one thing
WITHOUT_TIME = {
    "boundary values on a line": of_line((LINE, lambda t, u: u.d(t, t) + 1), (LINE.faces("t"), lambda u: u)),
    "boundary values, one by one": of_line(
        (LINE, lambda t, u: u.d(t, t) + 1), (LINE.face("t", 0), lambda u: u), end=(LINE.face("t", 2), lambda u: u)
    ),
    "Poisson": stated(
        ("x", "y"), ("u",), inside=(SQUARE, lambda x, y, u: laplacian(u, x, y) + 1),
        walls=(SQUARE.boundary, lambda u: u),
    ),
    "Poisson, one wall missing": stated(
        ("x", "y"), ("u",), inside=(SQUARE, lambda x, y, u: laplacian(u, x, y) + 1),
        left=(SQUARE.face("x", 0), lambda u: u), others=(SQUARE.faces("y"), lambda u: u),
    ),
    "plate, clamped at the left, supported elsewhere": stated(
        ("x", "y"), ("u",), inside=(SQUARE, lambda x, y, u: biharmonic(u, x, y) - 1),
        left=(SQUARE.face("x", 0), lambda x, u: (u, u.d(x))), right=(SQUARE.face("x", 1), lambda x, u: (u, u.d(x, x))),
        others=(SQUARE.faces("y"), lambda y, u: (u, u.d(y, y))),
    ),
    "an unknown": Decaying(),
    "sideways heat: nothing at the start and one wall": stated(
        ("t", "x"), ("u",), inside=(RECTANGLE, heat_residual), wall=(RECTANGLE.face("x", 1), lambda u: u)
    ),
    "heat backwards": stated(
        ("t", "x"), ("u",), inside=(RECTANGLE, heat_residual), end=(RECTANGLE.face("t", 2), lambda u: u), walls=WALLS
    ),
    "too few initial conditions": stated(
        ("t", "x"), ("u",), inside=(RECTANGLE, wave_residual), start=INITIAL, walls=WALLS
    ),
    "too many initial conditions": stated(
        ("t", "x"), ("u",), inside=(RECTANGLE, heat_residual), start=TWO_INITIAL, walls=WALLS
    ),
    "a condition at the end too": stated(
        ("t", "x"), ("u",), inside=(RECTANGLE, heat_residual), start=INITIAL, walls=WALLS,
        end=(RECTANGLE.face("t", 2), lambda x, u: u - torch.sin(x)),
    ),
    "the mean over time": stated(
        ("t",), ("u",), ode=(LINE, lambda t, u: u.d(t) + u), start=(LINE.face("t", 0), lambda u: u - 1),
        mean=Whole(GaussLegendre(t=(0, 2), nodes=5), lambda u, weight: (weight * u).sum() - 1),
    ),
    "a delay": stated(
        ("t",), ("u",),
        ode=Constraint(LINE, lambda t, u, then: u.d(t) + then.u, places={"then": Shift(t=-0.1)}),
        start=(LINE.face("t", 0), lambda u: u - 1),
    ),
    "a periodic orbit": stated(
        ("t",), ("u",), ode=(LINE, lambda t, u: u.d(t) + u - torch.sin(t)),
        start=Constraint(LINE.face("t", 0), lambda u, later: u - later.u, places={"later": Shift(t=2.0)}),
    ),
    "a region that cannot be cut": stated(
        ("x", "y"), ("u",), inside=(Disc(), lambda x, y, u: u.d(x) + u),
        start=(PointSet(x=[-1.0], y=[0.0]), lambda u: u),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WITHOUT_TIME)
def test_other_problems_have_none(name):
    WITHOUT_TIME[name].check()
    assert evolution(WITHOUT_TIME[name]) is None


@pytest.mark.parametrize("stiffness", [1e-8, 1.0, 1e5, 1e12])
def test_large_and_small_coefficients_hide_no_derivative(stiffness):
    found = evolution(
        of_line((LINE, lambda t, u: u.d(t) + stiffness * (u - t.cos())), (LINE.face("t", 0), lambda u: u - 1))
    )
    assert found is not None and found.orders == {"u": 1}


@pytest.mark.parametrize("second", [1e-15, 1e-6, 1.0, 1e9])
@pytest.mark.parametrize("factor", [1e-12, 1.0, 1e12])
def test_units_make_no_difference(second, factor):
    """The wave equation of speed 1/second on [0, 1], over the time of one way, with residuals in any unit."""
    box = Box(t=(0, second), x=(0, 1))
    found = evolution(
        stated(
            ("t", "x"), ("u",), walls=(box.faces("x"), lambda u: u),
            inside=(box, lambda t, x, u: factor * (second**2 * u.d(t, t) - u.d(x, x))),
            start=(box.face("t", 0), lambda t, x, u: (u - torch.sin(math.pi * x), u.d(t))),
        )
    )  # fmt: skip
    assert found is not None
    assert (found.along, found.end, found.orders) == ("t", second, {"u": 2})


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_orders_up_to_four(order):
    found = evolution(
        of_line(
            (LINE, lambda t, u: u.d(*(t,) * order) - u),
            (LINE.face("t", 0), lambda t, u: tuple(u.d(*(t,) * k) if k else u for k in range(order))),
        )
    )
    assert found is not None and found.orders == {"u": order}


def test_time_comes_before_other_inputs():
    """u_t + u_x = 0 with values at t = 0 and at x = 0 goes on along both."""
    for inputs, along in ((("x", "t"), "t"), (("t", "x"), "t"), (("x", "y"), "x"), (("y", "x"), "y")):
        box = Box(**{name: (0, 1) for name in inputs})
        first, second = inputs
        found = evolution(
            stated(
                inputs, ("u",), inside=(box, TRANSPORT[inputs]),
                one=(box.face(first, 0), lambda u: u), two=(box.face(second, 0), lambda u: u),
            )
        )  # fmt: skip
        assert found is not None and found.along == along


TRANSPORT = {
    ("x", "t"): lambda x, t, u: u.d(t) + u.d(x),
    ("t", "x"): lambda x, t, u: u.d(t) + u.d(x),
    ("x", "y"): lambda x, y, u: u.d(y) + u.d(x),
    ("y", "x"): lambda x, y, u: u.d(y) + u.d(x),
}


def test_the_equation_is_left_alone():
    equation = WITH_TIME["heat"][0]
    before = torch.random.get_rng_state()
    assert evolution(equation) == evolution(equation)
    assert torch.equal(torch.random.get_rng_state(), before)
    decaying = Decaying()
    evolution(decaying)
    assert float(decaying.k.value.detach()) == 0.5
