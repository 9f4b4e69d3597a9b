"""`new-equation`: the file of an equation, a configuration and a test to start from."""

from __future__ import annotations

import keyword
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from string import Template

from pinnlab.commands.arguments import Arguments
from pinnlab.errors import UserError

_EQUATION = Template('''\
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

_CONFIG = Template("""\
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

_TEST = Template('''\
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


def main(command: str, arguments: Sequence[str]) -> int:
    """Run the command.

    Raises:
        UserError: if the name is no class name, or a file exists.
    """
    parser = Arguments(command, "Write an equation, its configuration and its test, to start from.")
    parser.add_argument("name", metavar="NAME", help="the class, such as HeatEquation: files are heat_equation.*")
    parser.add_argument("--folder", type=Path, default=Path(), help="where to write; here by default")
    options = parser.parse_args(arguments)
    paths = write(options.name, options.folder)
    for path in paths:
        print(path)
    there = "" if options.folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(options.folder))} && "
    print(f"next: {there}python -m pinnlab fit --model.equation {paths[0].stem}.{options.name} --tol 1e-6")
    return 0


def write(name: str, folder: Path) -> list[Path]:
    """Write the three files.

    Returns:
        Their paths.

    Raises:
        UserError: if the name is no class name, or a file exists.
    """
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) or keyword.iskeyword(name):
        raise UserError(f"{name!r} is no class name: write it like HeatEquation")
    file = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    texts = {f"{file}.py": _EQUATION, f"{file}.yaml": _CONFIG, f"test_{file}.py": _TEST}
    paths = [folder / path for path in texts]
    for path in paths:
        if path.exists():
            raise UserError(f"{path} exists: choose another name or folder")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text.substitute(name=name, file=file), encoding="utf-8")
    return paths
