"""Exported programs: the same values and derivatives in a process that has no pinnlab."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from pinnlab.engines import NTP
from pinnlab.equations import Constraint, Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import IndexSet
from pinnlab.jets.functions import table
from pinnlab.jets.functions.recurrence import recurrence
from pinnlab.jets.series import termwise
from pinnlab.jets.series.product import product
from pinnlab.networks import MLP, Odd, Taylor
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.solution.export import export
from pinnlab.training import Adam
from pinnlab.training.pinn import PINN
from pinnlab.training.setup.settings import default_dtype

# Run where pinnlab cannot be imported: the greatest difference of each value in each folder.
READER = """
import json, pathlib, sys
sys.modules["pinnlab"] = None
import numpy as np, torch
report = {}
for folder in map(pathlib.Path, sys.argv[1:]):
    arrays = dict(np.load(folder / "expected.npz"))
    points = torch.from_numpy(arrays.pop("points"))
    program = torch.export.load(folder / "solution.pt2").module()
    values = program(points)
    assert values.keys() == arrays.keys()
    gaps = {name: abs(values[name].numpy() - a).max() / max(1.0, abs(a).max()) for name, a in arrays.items()}
    moving = points.clone().requires_grad_()
    slope, = torch.autograd.grad(next(iter(program(moving).values())).sum(), moving)
    report[folder.name] = {"gaps": gaps, "slope": float(abs(slope).max())}
assert not any(name.startswith("pinnlab.") for name in sys.modules)
print(json.dumps(report))
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


CASES = {
    "mlp": (SelfSimilarBurgers(), deep(2, 24), [f"U_{'X' * order}" for order in range(1, 5)]),
    "taylor": (SelfSimilarBurgers(), lambda i, o: Taylor(i, o, [0.0], lambda i, o: Odd(i, o, deep(1, 8))), ["U_XX"]),
    "gated": (Wave(), Gated, ["u_tx", "v_xx"]),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    root = tmp_path_factory.mktemp("exports")
    with default_dtype(torch.float64):
        for case, (equation, network, derivatives) in CASES.items():
            folder = root / case
            folder.mkdir()
            model = PINN(equation.double(), network, NTP(), [Adam(1)])
            names = export(model, derivatives, folder / "solution.pt2")
            # many points: the sizes at which products of series change their method must not be built in
            points = 2 * torch.rand(5000, len(equation.inputs)) - 1
            columns = {name: points[:, axis] for axis, name in enumerate(equation.inputs)}
            alphas = {}
            for name in names:
                output, _, along = name.partition("_")
                alphas[name] = (output, tuple(along.count(axis) for axis in equation.inputs))
            fields = model.residuals.fields(columns, IndexSet.closure([alpha for _, alpha in alphas.values()]))
            expected = {name: fields[out].derivative(alpha).detach().numpy() for name, (out, alpha) in alphas.items()}
            np.savez(folder / "expected.npz", points=points.numpy(), **expected)
            # the training module is as it was
            assert all(parameter.requires_grad for parameter in model.residuals.network.parameters())
    folders = [str(root / case) for case in CASES]
    done = subprocess.run([sys.executable, "-c", READER, *folders], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", CASES)
def test_values_and_derivatives_are_the_same_without_pinnlab(report, case):
    gaps = report[case]["gaps"]
    print(case, gaps)
    assert set(gaps) > set(CASES[case][2])
    assert max(gaps.values()) < 1e-12
    assert report[case]["slope"] > 0  # the program can be differentiated further


@pytest.mark.parametrize("dimension", [1, 2])
def test_termwise_series_are_those_of_training(dimension):
    algebra = IndexSet.simplex(dimension, 5)
    x, y = 0.3 + 0.5 * torch.rand(2, len(algebra), 7)
    tables = termwise.Tables.of(algebra)
    for a, b in ((x, y), (x[:2], y[:3])):
        parts = [termwise.product(a, b, k, tables) for k in range(len(algebra))]
        found = torch.stack([torch.zeros(7) if part is None else part for part in parts])
        torch.testing.assert_close(found, product(a, b, algebra, len(algebra)), rtol=1e-13, atol=1e-13)
    for name in ("TANH", "SIN", "EXP", "LOG", "SOFTPLUS", "ERF", "ATAN", "SILU", "GELU", "RECIPROCAL"):
        function = getattr(table, name)
        for argument in (x, x[:2]):
            states = termwise.recurrence(function.initial, function.system, argument.unbind(), tables)
            truth = recurrence(function, argument, algebra)
            torch.testing.assert_close(torch.stack(states[0]), truth, rtol=1e-12, atol=1e-12)


def test_what_has_no_rule_is_one_line(tmp_path):
    model = PINN(SelfSimilarBurgers(), lambda i, o: nn.Sequential(MLP(i, o), nn.Hardtanh()), NTP(), [Adam(1)])
    with pytest.raises(UserError, match="hardtanh has no rule"):
        export(model, ["U_X"], tmp_path / "a.pt2")
    with pytest.raises(UserError, match="'U_Y' is no derivative of SelfSimilarBurgers"):
        export(PINN(SelfSimilarBurgers(), MLP, NTP(), [Adam(1)]), ["U_Y"], tmp_path / "a.pt2")
