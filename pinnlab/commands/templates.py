"""The texts that `new-equation` writes: $name is the class, $file its file without .py."""

from string import Template

EQUATION = Template('''\
"""$name: say here what it describes."""

import math

import torch
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval, PointSet


class $name(Equation):
    """u'' + π² u = 0 on [0, 1], u(0) = u(1) = 0, u'(0) = π: replace this by your own."""

    inputs = ("x",)
    outputs = ("u",)

    def __init__(self, length: float = 1.0):
        super().__init__()
        self.length = length

    def constraints(self):
        """What the solution satisfies: a region, a residual that vanishes there, and how many points to take."""
        return {
            "interior": Constraint(Interval(x=(0.0, self.length)), self.residual, points=64),
            "start": Constraint(PointSet(x=[0.0]), self.start),
            "end": Constraint(PointSet(x=[self.length]), lambda u: u),
        }

    def residual(self, x, u):
        """Derivatives are u.d(x), u.d(x, x), …; torch functions work on fields."""
        return u.d(x, x) + (math.pi / self.length) ** 2 * u

    def start(self, x, u):
        """Several conditions at once are a tuple."""
        return u, u.d(x) - math.pi / self.length

    def exact(self, x):
        """Leave this method out if the exact solution is not known."""
        return torch.sin(math.pi / self.length * x)
''')
"""An equation of one input to replace by one's own."""

CONFIG = Template("""\
# To a tolerance, without this file: python -m pinnlab fit --model.equation $file.$name --tol 1e-6
# By hand, with the network and the phases below: python -m pinnlab fit --config $file.yaml
seed_everything: 0
model:
  equation:
    class_path: $file.$name
    init_args:
      length: 1.0
  network:
    class_path: MLP
    init_args:
      depth: 2
      width: 16
      activation: tanh
  engine:
    class_path: NTP
  phases:
    - class_path: Adam
      init_args:
        steps: 500
        lr: 5.0e-3
    - class_path: GaussNewton
      init_args:
        steps: 50
data:
  points:
    interior: 64
""")
"""Its training by hand."""

TEST = Template('''\
"""$name: the exact solution satisfies it, and its configuration trains. Run: python -m pytest test_$file.py"""

import json
import sys
from pathlib import Path

import torch
from pinnlab.cli import main
from pinnlab.collocation import Sobol
from pinnlab.engines import NTP
from pinnlab.residuals import Residuals

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from $file import $name  # noqa: E402


class Exact(torch.nn.Module):
    """The exact solution in the place of a network."""

    def __init__(self, equation):
        super().__init__()
        self.exact = equation.exact

    def forward(self, x):
        return torch.stack([self.exact(*x.unbind(-1))], -1)


def test_the_exact_solution_satisfies_every_constraint():
    equation = $name()
    points = {name: Sobol().sample(c.region, 64, seed=0) for name, c in equation.constraints().items()}
    points = {name: {k: v.double() for k, v in columns.items()} for name, columns in points.items()}
    blocks = Residuals(Exact(equation), equation, NTP())(points)
    for name, block in blocks.items():
        assert float(block.detach().abs().max()) < 1e-6, name


def test_the_configuration_trains(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    arguments = ["fit", "--config", str(HERE / "$file.yaml"), "--run.root", str(tmp_path), "--run.name", "short"]
    assert main([*arguments, "--model.phases.0.steps", "5", "--model.phases.1.steps", "2"]) == 0
    summary = json.loads((tmp_path / "short" / "summary.json").read_text())
    assert summary["status"] == "finished"
''')
"""Its test: the exact solution, and a short training."""

TOLERANCE = Template("""\
# To a tolerance: python -m pinnlab fit --config $file.yaml
seed_everything: 0
model:
  equation: $file.$name
tol: 1.0e-6
""")
"""A solve to a tolerance, for an equation that began as a copy."""

_HEAD = '''\
"""$name: $what. Run: python -m pytest test_$file.py"""

import sys
from pathlib import Path

import pytest
import torch
from pinnlab.cli import main
from pinnlab.collocation import Sobol
from pinnlab.engines import $engines
${networks}from pinnlab.residuals import Residuals

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
torch.set_default_dtype(torch.float64)

from $file import $name  # noqa: E402


def sampled(equation):
    return {name: Sobol().sample(c.region, 64, seed=0) for name, c in equation.constraints().items()}

'''

_TRUTH = '''
class Truth(torch.nn.Module):
    """The true solution in the place of a network, and the true unknowns."""

    def __init__(self, equation):
        super().__init__()
        self.solution = equation.$truth
        for unknown in equation.unknowns().values():
            unknown.parameter.data.fill_(unknown.truth)

'''

_EXACT = """\
    def forward(self, x):
        values = self.solution(*x.unbind(-1))
        return torch.stack([*values] if isinstance(values, tuple) else [values], -1)


def test_the_exact_solution_satisfies_every_constraint():
    equation = $name()
    residuals = Residuals(Truth(equation), equation, NTP()).unweighted()
    for name, block in residuals(sampled(equation), residuals.weighting).items():
        assert float(block.detach().abs().max()) < 1e-6, name

"""

_DECLARED = """
def test_every_residual_is_a_number_at_its_points():
    equation = $name()
    network = MLP(equation.dimension, len(equation.outputs))
    for name, block in Residuals(network, equation, NTP())(sampled(equation)).items():
        assert block.isfinite().all(), name

"""

_REFERENCE = """\
    def forward(self, x):
        values = self.solution(*x.detach().numpy().T)
        values = values if isinstance(values, tuple) else (values,)
        return torch.stack([torch.as_tensor(column) for column in values], -1)


def test_the_reference_satisfies_every_condition_without_derivatives():
    equation = $name()
    residuals = Residuals(Truth(equation), equation, Autograd()).unweighted()
    points = {name: c for name, c in sampled(equation).items() if residuals.terms[name].indices.order == 0}
    for name, block in residuals(points, residuals.weighting).items():
        assert float(block.detach().abs().max()) < 1e-3, name

"""

_READ = """
def test_the_configuration_is_one_of_it(capsys):
    with pytest.raises(SystemExit) as end:
        main(["fit", "--config", str(HERE / "$file.yaml"), "--print_config"])
    assert not end.value.code and "$file.$name" in capsys.readouterr().out
"""

_MLP = "from pinnlab.networks import MLP\n"


def test_of_copy(name: str, file: str, truth: str | None) -> str:
    """The test of an equation that began as a copy.

    Args:
        name: The class.
        file: Its file without `.py`.
        truth: How the true solution is known: "exact", "reference", or None.

    Returns:
        A text in which the truth is put into the constraints: a formula into all of them, the numbers of a reference
        into those without derivatives. Without a formula a network shows that every residual can be computed.
    """
    what, engines, networks, parts = {
        "exact": ("its exact solution satisfies it", "NTP", "", (_TRUTH, _EXACT)),
        "reference": ("its residuals, and its reference", "NTP, Autograd", _MLP, (_DECLARED, _TRUTH, _REFERENCE)),
        None: ("its residuals", "NTP", _MLP, (_DECLARED,)),
    }[truth]
    return Template("".join((_HEAD, *parts, _READ))).substitute(
        name=name, file=file, truth=truth, what=what, engines=engines, networks=networks
    )
