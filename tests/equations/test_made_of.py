"""A field knows what it is made of: what has no derivative is not taken for a constant, under any engine."""

import math

import numpy as np
import pytest
import torch

from pinnlab.collocation.datamodule import Collocation
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown, Vector
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Disc, PointSet
from pinnlab.jets.operators import biharmonic, directional, div, grad, laplacian
from pinnlab.networks import MLP
from pinnlab.residuals import Residuals

ENGINES = [NTP(), Autograd()]
GRID = np.linspace(0.1, 1, 20)
DATA = PointSet(x=GRID, y=GRID[::-1], k=np.exp(GRID), m=np.sin(GRID)[:, None], v=np.stack([GRID, -GRID], -1))


class Example(Equation):
    inputs, outputs = ("x", "y"), ("u",)

    def __init__(self, residual, region=DATA, **options):
        super().__init__()
        self.given = residual, region, options
        self.nu = Unknown(0.5)

    def constraints(self):
        residual, region, options = self.given
        return {"flux": Constraint(region, residual, points=20, **options)}


def blocks(residual, region=DATA, **options):
    """The rows under each engine, which must agree, or the refusal, which must be the same."""
    found = []
    for engine in ENGINES:
        torch.manual_seed(0)
        equation = Example(residual, region, **options)

        data = Collocation()
        data.bind(equation.constraints())
        found.append(Residuals(MLP(2, 1, 6, 2), equation, engine)(data.batch(0))["flux"].detach())
    torch.testing.assert_close(found[0], found[1])
    return found[0]


def refusal(residual, region=DATA, **options):
    messages = set()
    for engine in ENGINES:
        with pytest.raises(UserError) as caught:
            Residuals(MLP(2, 1, 6, 2), Example(residual, region, **options), engine)
        messages.add(str(caught.value))
    assert len(messages) == 1
    (message,) = messages
    assert "\n" not in message and message.startswith("Example, constraint 'flux'")
    return message


NO_DERIVATIVE = {
    "column": (lambda x, u, k: (k * u.d(x)).d(x), "the column 'k'"),
    "function of a column": (lambda x, u, k: (torch.exp(k + 1) * u).d(x), "the column 'k'"),
    "one column of two": (lambda x, u, m, k: ((u + m) * u.d(x)).d(x) * k, "the column 'm'"),
    "component of a column": (lambda x, u, v: (v[:, 0] * u).d(x), "the column 'v'"),
    "numpy's function of a column": (lambda x, u, k: (np.interp(k.numpy(), [0, 3], [0, 3]) * u).d(x), "values"),
    "value": (lambda x, u: (torch.exp(x.value) * u.d(x)).d(x), "the values of x"),
    "value of an output": (lambda x, u: (u.value * u.d(x)).d(x), "the values of u"),
    "detached": (lambda x, u: (x.detach() * u).d(x), "detach"),
    "where on values": (lambda x, u: (torch.where(x.value < 0.5, 1.0, 10.0) * u.d(x)).d(x), "the values of x"),
    "where on a comparison": (lambda x, u: (torch.where(x < 0.5, 1.0, 10.0) * u.d(x)).d(x), "the values of x"),
    "numpy's where": (lambda x, u: (np.where(x < 0.5, u, 10.0) * u.d(x)).d(x), "the values of x"),
    "where on a column": (lambda x, u, k: torch.where(k > 2, u, 2 * u).d(x), "the column 'k'"),
    "sign": (lambda x, u: ((2 + torch.sign(x - 0.5)) * u.d(x)).d(x), "sign"),
    "heaviside": (lambda x, u: (np.heaviside(x - 0.5, 1.0) * u.d(x)).d(x), "the values of"),
    "floor": (lambda x, u: (torch.floor(4 * x) * u.d(x)).d(x), "floor"),
    "remainder": (lambda x, u: (x % 0.5).d(x) * u, "remainder"),
    "kink twice": (lambda x, u: torch.clamp(x - 0.5, min=0).d(x, x) * u, "clamp"),
    "stacked": (lambda x, u, k: torch.stack([u, k], -1).sum(-1).d(x), "the column 'k'"),
    "laplacian": (lambda x, y, u, k: laplacian(k * u, x, y), "the column 'k'"),
    "gradient": (lambda x, y, u, k: grad(k * u, x, y).sum(-1), "the column 'k'"),
    "divergence": (lambda x, y, u, k: div([k * u.d(x), k * u.d(y)], x, y), "the column 'k'"),
    "biharmonic": (lambda x, y, u, k: biharmonic(k * u, x, y), "the column 'k'"),
    "directional": (lambda x, y, u, k: directional(k * u, torch.ones(2), x, y), "the column 'k'"),
    "column alone": (lambda x, u, k: k.d(x) * u.d(x), "the column 'k'"),
    "value alone": (lambda x, u: x.value.d(x) * u, "the values of x"),
    "gradient of a column": (lambda x, y, u, k: grad(k, x, y)[:, 0] + u, "the column 'k'"),
    "laplacian of a column": (lambda x, y, u, k: laplacian(k, x, y) + u, "the column 'k'"),
    "after other operations": (lambda x, u, k: (((u - k) ** 2).sin() / 3).d(x), "the column 'k'"),
}


@pytest.mark.parametrize(("residual", "named"), NO_DERIVATIVE.values(), ids=NO_DERIVATIVE)
def test_what_has_no_derivative_is_refused_by_name(residual, named):
    message = refusal(residual)
    assert named in message and "function of the coordinates" in message


def test_normals_are_data():
    circle = Disc().boundary
    message = refusal(lambda x, u, normal_x: (normal_x * u.d(x)).d(x), circle)
    assert "the column 'normal_x'" in message
    rows = blocks(lambda x, y, u, normal_x, normal_y: normal_x * u.d(x) + normal_y * u.d(y), circle)
    assert rows.isfinite().all()


def test_normals_pass_through_directional_derivatives():
    """∂²u/∂n² = Σ n_i n_j ∂_ij u, for the normal is held where it stands."""
    circle = Disc().boundary

    def operator(x, y, u, normal_x, normal_y):
        return directional(u, torch.stack([normal_x, normal_y], -1), x, y, order=2)

    def written_out(x, y, u, normal_x, normal_y):
        return normal_x**2 * u.d(x, x) + 2 * normal_x * normal_y * u.d(x, y) + normal_y**2 * u.d(y, y)

    torch.testing.assert_close(blocks(operator, circle), blocks(written_out, circle))


@pytest.mark.parametrize(
    "residual", [lambda u, m: u - m, lambda x, u: torch.where(x < 0.5, u, 2 * u), lambda u: u + torch.round(u)]
)
def test_sobolev_rows_of_data_are_refused(residual):
    assert blocks(residual).shape == (1, 20)
    message = refusal(residual, sobolev=(1.0, 0.5))
    assert "Sobolev rows of order 1" in message


FINE = {
    "measured": (lambda u, m: u - m, lambda x, u: u - torch.sin(x)),
    "coefficient": (lambda x, u, k: k * u.d(x, x), lambda x, u: torch.exp(x) * u.d(x, x)),
    "of products": (lambda x, u, k: k * (x * u).d(x) / (1 + k), lambda x, u: (x * u).d(x) / (1 + torch.exp(-x))),
    "value": (lambda x, u: torch.exp(x.value) * u.d(x), lambda x, u: torch.exp(x) * u.d(x)),
    "branches differentiated first": (
        lambda x, u: torch.where(x < 0.5, (x * u).d(x), u.d(x)),
        lambda x, u: (x < 0.5) * (x * u).d(x) + (x >= 0.5) * u.d(x),
    ),
    "kink once": (lambda x, u: torch.maximum(x - 0.5, 0 * x).d(x) * u, lambda x, u: (x > 0.5) * u),
    "constants": (lambda x, u, nu: (nu * torch.tensor(2.0) * u).d(x), lambda x, u: u.d(x)),
    "a vector of constants": (
        lambda x, y, u: (torch.stack([u, x], -1) @ torch.tensor([2.0, 1.0], dtype=torch.float64)).d(x),
        lambda x, u: 2 * u.d(x) + 1,
    ),
    "numpy": (lambda x, u: (np.exp(x) * u.d(x)).d(x), lambda x, u: (torch.exp(x) * u.d(x)).d(x)),
    "numpy's constants": (lambda x, u: np.float64(2) * np.sqrt(2 + u) - np.pi, lambda u: 2 * (2 + u).sqrt() - math.pi),
    "numpy's function of a column": (lambda u, k: np.log(k.numpy()) * u, lambda x, u: x * u),
    "maximum": (lambda x, u: np.maximum(u, 0) + abs(u), lambda u: torch.where(u > 0, 2 * u, -u)),
}


@pytest.mark.parametrize(("residual", "same"), FINE.values(), ids=FINE)
def test_data_beside_derivatives_are_fine(residual, same):
    torch.testing.assert_close(blocks(residual), blocks(same))


@pytest.mark.parametrize("count", [2, 19, 20, 1009])
def test_a_tensor_of_values_from_elsewhere_is_refused(count):
    message = refusal(lambda u: u * torch.ones(count))
    assert "as m in PointSet(x=…, m=…)" in message
    assert "as m in PointSet(x=…, m=…)" in refusal(lambda u: np.ones(count) * u)


TRUTHS = {
    "if": lambda x, u: u if u > 0 else u.d(x),
    "equality": lambda x, u: u if x == 0 else u.d(x),
    "max": lambda u: max(u, 0),
    "value": lambda u: u if (u.value > 0)[0] else -u,
    "float": lambda u: float(u) * u,
    "item": lambda u: u.item() * u,
    "index": lambda u: [u, -u][u],
    "math": lambda x, u: u - math.sin(x),
    "in": lambda x, u: u if u in (x, 2 * x) else -u,
    "column": lambda u, k: u if k > 2 else -u,
    "chained comparison": lambda x, u: torch.where(0.2 < x < 0.5, u, -u),
    "sorted": lambda x, u: sorted([u, x])[0],
    "array": lambda x, u: np.array([u, x]).sum(),
    "tensor": lambda x, u: torch.tensor([u, x]).sum(0),
    "values as an array": lambda x, u: np.sin(x.value) * u,
    "scipy's function": lambda x, u: np.interp(x, [0, 1], [0, 1]) * u,
    "bits": lambda x, u: u & x,
    "transposed": lambda u: u.T,
    "called": lambda x, u: u(x),
    "divmod": lambda u: divmod(u, 2)[0],
}


@pytest.mark.parametrize("residual", TRUTHS.values(), ids=TRUTHS)
def test_no_branch_on_values(residual):
    assert refusal(residual)


SHAPES = {
    "two columns": (lambda x, u: torch.stack([u, x], -1), "tuple(r.unbind(-1))"),
    "stacked first": (lambda x, u: torch.stack([u, x]), "return its parts as a tuple"),
    "a column": (lambda u: u[:, None], "tuple(r.unbind(-1))"),
    "pairs": (lambda x, u: u[:, None] - x, "every pair of points"),
    "number": (lambda u: u.mean(), "mean takes points together"),
    "constant": (lambda u: 1.0, "returned float"),
    "none": (lambda u: None, "returned NoneType"),
    "dictionary": (lambda u: {"flux": u}, "returned dict"),
    "tensor": (lambda u: u.value, "values without a network"),
    "tensor beside": (lambda u, m: (u, m), "Tensor among its components"),
    "array": (lambda u: np.ones(20), "returned ndarray"),
    "truth": (lambda u: u > 0, "values without a network"),
    "whole": (lambda u: (u.long(), u), "component 1 of the residual"),
    "complex": (lambda u: u * torch.tensor(1j), "complex"),
    "complex number": (lambda u: 1j * u, "complex"),
    "empty": (lambda u: (), "returned tuple"),
    "in place": (lambda u: u.add_(1), "in place"),
    "axis": (lambda x, u: u.d(x.value), "coordinates only"),
}


@pytest.mark.parametrize(("residual", "named"), SHAPES.values(), ids=SHAPES)
def test_a_residual_is_one_real_number_a_point(residual, named):
    assert named in refusal(residual)


class Tube(Equation):
    inputs, outputs = ("t", Vector("x", 1)), ("u",)

    def __init__(self, region):
        super().__init__()
        self.region = region

    def constraints(self):
        return {"pde": Constraint(self.region, lambda t, x, u: u.d(t) - u.d(x)[:, 0], points=5)}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "region", [PointSet(t=[0, 1], x=[[0.1], [0.2]]), PointSet(t=[0, 1], x=[0.1, 0.2]), Box(t=(0, 1), x=([0.0], [1.0]))]
)
def test_a_vector_of_one_component_may_be_a_plain_column(engine, region):
    torch.manual_seed(1)
    points = region.place(5, _Half())
    assert Residuals(MLP(2, 1, 5, 1), Tube(region), engine)({"pde": points})["pde"].shape == (1, len(points["t"]))


class _Half:
    def unit(self, n, dimension):
        return torch.full((n, dimension), 0.5)


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (PointSet(x=[[1, 2], [3, 4]], y=[1, 2]), r"input 'x' has the shape \(2, 2\), not \(N,\)"),
        (PointSet(t=[0, 1], x=[[1, 2], [3, 4]]), r"input 'x' has the shape \(2, 2\), not \(N, 1\)"),
    ],
)
def test_inputs_of_other_shapes_are_refused(region, message):
    equation = Tube(region) if "t" in region.names else Example(lambda u: u, region)
    with pytest.raises(UserError, match=message):
        Residuals(MLP(2, 1, 5, 1), equation, NTP())
