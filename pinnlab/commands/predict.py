"""`predict`: a trained solution and its derivatives on a grid or at given points, as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pinnlab.collocation import Grid
from pinnlab.commands.arguments import Arguments, writable
from pinnlab.equations import Equation
from pinnlab.equations.base import domain
from pinnlab.errors import UserError
from pinnlab.reporting.grids import FORMATS, Array, axis, read_points, tensor_product, write
from pinnlab.solution import load

_EPILOG = """\
examples:
  python -m pinnlab predict runs/one --derivatives U_X U_XX
  python -m pinnlab predict runs/one --grid X=-1:1:201 --out values.csv
  python -m pinnlab predict runs/heat --grid t=0.5 x=0:1:101 --derivatives u_t u_xx --out heat.vtk
  python -m pinnlab predict runs/one --points sensors.csv --out at_sensors.npz

With --config and --ckpt_path instead of a run, held-out points of a configuration are predicted:
  python -m pinnlab predict --config FILE --ckpt_path FILE"""

_PER_AXIS = {1: 1001, 2: 201, 3: 41}


def main(command: str, arguments: Sequence[str]) -> int:
    """Run the command.

    Raises:
        UserError: if the run cannot be loaded, or a name or file is wrong.
    """
    if any(argument.split("=")[0] in ("--config", "--ckpt_path", "--help-all") for argument in arguments):
        from pinnlab.commands import train

        return train.main(command, arguments)
    parser = Arguments(command, "A trained solution and derivatives of it, as NPZ, CSV or VTK.", _EPILOG)
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder, or one of its checkpoints")
    parser.add_argument("--derivatives", nargs="+", default=[], metavar="u_xx", help="what to give beside the outputs")
    parser.add_argument(
        "--grid", nargs="+", default=[], metavar="x=0:1:101", help="axes; inputs without one have their whole range"
    )
    parser.add_argument("--points", type=Path, metavar="FILE", help="points from CSV or NPZ columns, not on a grid")
    parser.add_argument("--out", type=Path, metavar="FILE", help="prediction.npz in the run folder by default")
    options = parser.parse_args(arguments)
    if options.points and options.grid:
        raise UserError("give --points or --grid, not both")
    folder = options.run if options.run.is_dir() else options.run.parent.parent
    out = options.out or folder / "prediction.npz"
    if out.suffix not in FORMATS:
        raise UserError(f"{out}: choose a file name that ends in {', '.join(FORMATS)}")
    writable(out)
    solution = load(options.run)
    equation = solution.model.equation
    if options.points:
        coordinates = read_points(options.points, equation.inputs)
    else:
        coordinates = tensor_product(_axes(equation, options.grid))
    values = solution.evaluate(*options.derivatives, **coordinates)
    write(out, coordinates, values)
    print(f"{', '.join(values)} at {next(iter(values.values())).size} points: {out}")
    return 0


def _axes(equation: Equation, given: Sequence[str]) -> dict[str, Array]:
    axes = dict(axis(text) for text in given)
    unknown = [name for name in axes if name not in equation.inputs]
    if unknown:
        raise UserError(f"{equation.name} has no input {unknown[0]!r}; its inputs are {', '.join(equation.inputs)}")
    if len(axes) < len(equation.inputs):
        # a grid holds the ends of every axis
        constraints = equation.constraints()
        points = Grid().sample(constraints[domain(constraints)].region, 4096, 0)
        count = _PER_AXIS.get(len(equation.inputs), 11)
        for name in equation.inputs:
            if name not in axes:
                axes[name] = np.linspace(float(points[name].min()), float(points[name].max()), count)
    return {name: axes[name] for name in equation.inputs}
