"""Exported programs: the same values and derivatives in a process that has no pinnlab."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from pinnlab.engines import NTP
from pinnlab.equations import Constraint, Equation, SelfSimilarBurgers
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import IndexSet, plain
from pinnlab.jets import elementary as table
from pinnlab.jets.product import product
from pinnlab.networks import MLP, Odd, Taylor
from pinnlab.reporting.export import export
from pinnlab.training import Adam
from pinnlab.training.pinn import PINN

# Run where pinnlab cannot be imported.
READER = """
import sys
sys.modules["pinnlab"] = None
import numpy as np, torch
arrays = np.load(sys.argv[2])
program = torch.export.load(sys.argv[1]).module()
points = torch.from_numpy(arrays["points"])
values = program(points)
for name in arrays:
    if name != "points":
        scale = max(1.0, abs(arrays[name]).max())
        print(name, float(abs(values[name].numpy() - arrays[name]).max() / scale))
moving = points.clone().requires_grad_()
first = next(iter(program(moving).values()))
print("graph", bool(torch.autograd.grad(first.sum(), moving)[0].abs().max() > 0))
assert not any(name.startswith("pinnlab.") for name in sys.modules)
"""


class Wave(Equation):
    """u_tt = u_xx."""

    inputs, outputs = ("t", "x"), ("u", "v")

    def constraints(self):
        return {"interior": Constraint(Box(t=(0, 1), x=(0, 1)), lambda t, x, u, v: u.d(t, t) - v.d(x, x))}


class Gated(nn.Module):
    """Products, quotients and powers of networks: what exercises the product of series."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.one = MLP(inputs, outputs, 8, 1, "silu")
        self.two = MLP(inputs, outputs, 8, 1, "gelu")

    def forward(self, x):
        gate = torch.sigmoid(self.one(x))
        wave = torch.cat((torch.sin(3 * x), torch.exp(-x)), -1)
        return gate * self.two(x) / (2 + gate**3) + wave[..., :2] * wave[..., 2:]


def deep(depth, width, activation="tanh"):
    return lambda inputs, outputs: MLP(inputs, outputs, width, depth, activation)


@pytest.mark.parametrize(
    ("equation", "network", "derivatives"),
    [
        (SelfSimilarBurgers(), deep(3, 24), [f"U_{'X' * order}" for order in range(1, 8)]),
        (SelfSimilarBurgers(), lambda i, o: Odd(i, o, deep(2, 16, "softplus")), ["U_XXX"]),
        (SelfSimilarBurgers(), lambda i, o: Taylor(i, o, [0.0, -1.0], deep(2, 16, "sin")), ["U_X", "U_XXXX"]),
        (Wave(), Gated, ["u_t", "u_ttx", "v_xxx", "v_tx"]),
    ],
    ids=["mlp", "odd", "taylor", "gated"],
)
def test_values_and_derivatives_are_the_same_without_pinnlab(tmp_path, equation, network, derivatives):
    model = PINN(equation, network, NTP(), [Adam(1)])
    program, data = tmp_path / "solution.pt2", tmp_path / "expected.npz"
    names = export(model, derivatives, program)
    # many points: the sizes at which products of series change their method must not be built in
    points = 2 * torch.rand(5000, len(equation.inputs)) - 1
    columns = {name: points[:, axis] for axis, name in enumerate(equation.inputs)}
    alphas = {}
    for name in names:
        output, _, along = name.partition("_")
        alphas[name] = (output, tuple(along.count(axis) for axis in equation.inputs))
    fields = model.residuals.fields(columns, IndexSet.closure([alpha for _, alpha in alphas.values()]))
    expected = {name: fields[output].derivative(alpha).detach().numpy() for name, (output, alpha) in alphas.items()}
    np.savez(data, points=points.numpy(), **expected)
    done = subprocess.run(
        [sys.executable, "-c", READER, str(program), str(data)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = dict(line.split() for line in done.stdout.splitlines())
    print(found)
    assert found.pop("graph") == "True"
    assert found.keys() == expected.keys()
    assert max(map(float, found.values())) < 1e-12
    # the training module is as it was
    assert all(parameter.requires_grad for parameter in model.residuals.network.parameters())


@pytest.mark.parametrize("dimension", [1, 2])
def test_plain_rules_are_those_of_training(dimension):
    algebra = IndexSet.simplex(dimension, 5)
    x, y = 0.3 + 0.5 * torch.rand(2, len(algebra), 7)
    torch.testing.assert_close(plain.product(x, y, algebra), product(x, y, algebra), rtol=1e-13, atol=1e-13)
    for name in ("TANH", "SIN", "EXP", "LOG", "SOFTPLUS", "ERF", "ATAN", "SILU", "GELU", "RECIPROCAL"):
        function = getattr(table, name)
        found = plain.recurrence(function.initial(x[0]), function.system, x, algebra)
        torch.testing.assert_close(found, table.recurrence(function, x, algebra), rtol=1e-12, atol=1e-12)


def test_what_has_no_rule_is_one_line(tmp_path):
    model = PINN(SelfSimilarBurgers(), lambda i, o: nn.Sequential(MLP(i, o), nn.Hardtanh()), NTP(), [Adam(1)])
    with pytest.raises(UserError, match="hardtanh has no rule"):
        export(model, ["U_X"], tmp_path / "a.pt2")
    with pytest.raises(UserError, match="'U_Y' is no derivative of SelfSimilarBurgers"):
        export(PINN(SelfSimilarBurgers(), MLP, NTP(), [Adam(1)]), ["U_Y"], tmp_path / "a.pt2")
