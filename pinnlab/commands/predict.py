"""`predict`: a trained solution and its derivatives on a grid or at given points, as a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pinnlab.commands.arguments import Arguments, writable
from pinnlab.equations import Equation
from pinnlab.equations.constraints import domain
from pinnlab.equations.domain import solids
from pinnlab.equations.inputs import axis_names, by_axis, from_axes
from pinnlab.errors import UserError
from pinnlab.solution import load
from pinnlab.solution.grids import FORMATS, Array, axis, read_points, tensor_product, write

_EPILOG = """\
examples:
  python -m pinnlab predict runs/one --derivatives U_X U_XX
  python -m pinnlab predict runs/one --grid X=-1:1:201 --out values.csv
  python -m pinnlab predict runs/heat --grid t=0.5 x=0:1:101 --derivatives u_t u_xx --out heat.vtk
  python -m pinnlab predict runs/one --points sensors.csv --out at_sensors.npz
  python -m pinnlab predict runs/cube --grid x.0=0:1:21 x.1=0.5 x.2=0.5 --derivatives u_x u_x.0x.0   (x a vector)

Values are NaN outside of the region where the equation holds, and blank in ParaView.
With --config and --ckpt_path instead of a run, held-out points of a configuration are predicted:
  python -m pinnlab predict --config FILE --ckpt_path FILE"""

_PER_AXIS = {1: 1001, 2: 201, 3: 41}
_MOST = 10_000_000
_SHOWN = 8


def main(command: str, arguments: Sequence[str]) -> int:
    """Run the command.

    Raises:
        UserError: if the run cannot be loaded, or a name or file is wrong.
    """
    if any(argument.split("=")[0] in ("--config", "--ckpt_path", "--help-all") for argument in arguments):
        from pinnlab.commands.training import command as training

        return training.main(command, arguments)
    parser = Arguments(command, "A trained solution and derivatives of it, as NPZ, CSV or VTK.", _EPILOG)
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder, or one of its checkpoints")
    parser.add_argument("--derivatives", nargs="+", default=[], metavar="u_xx", help="what to give beside the outputs")
    parser.add_argument(
        "--grid", nargs="+", default=[], metavar="x=0:1:101", help="axes; inputs without one have their whole range"
    )
    parser.add_argument("--points", type=Path, metavar="FILE", help="points from CSV or NPZ columns, not on a grid")
    parser.add_argument("--extrapolate", action="store_true", help="give values outside of the region too")
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
        columns = read_points(options.points, axis_names(equation.inputs))
    else:
        columns = tensor_product(_axes(equation, options.grid))
    coordinates = from_axes(columns, equation.inputs)
    values = solution.evaluate(*options.derivatives, **coordinates)
    beyond = solution.outside(**coordinates)
    if not options.extrapolate:
        values = {
            name: np.where(beyond.reshape(*beyond.shape, *[1] * (column.ndim - beyond.ndim)), np.nan, column)
            for name, column in values.items()
        }
    write(out, coordinates, values, None if options.extrapolate else beyond)
    print(f"{', '.join(values)} at {beyond.size} points: {out}")
    if count := int(beyond.sum()):
        where = " and ".join(map(repr, solids(equation)))
        what = "their values are extrapolated" if options.extrapolate else "they are NaN (--extrapolate gives values)"
        print(f"{count} of {beyond.size} points lie outside of the region of {where}: {what}")
    return 0


def _axes(equation: Equation, given: Sequence[str]) -> dict[str, Array]:
    axes = dict(axis(text) for text in given)
    names = axis_names(equation.inputs)
    unknown = [name for name in axes if name not in names]
    if unknown:
        raise UserError(f"{equation.name} has no input {unknown[0]!r}; its inputs are {', '.join(names[:_SHOWN])}")
    if len(axes) < len(names):
        constraints = equation.constraints()
        extent = constraints[domain(constraints)].region.extent
        lower = by_axis({name: extent[name][0] for name in equation.inputs}, equation.inputs)
        upper = by_axis({name: extent[name][1] for name in equation.inputs}, equation.inputs)
        count = _PER_AXIS.get(len(names), 11)
        for name in names:
            if name not in axes:
                axes[name] = np.linspace(float(lower[name]), float(upper[name]), count)
    size = math.prod(len(values) for values in axes.values())
    if size > _MOST:
        raise UserError(
            f"a grid over {len(names)} axes would have {size:.0e} points: give single values, as "
            f"--grid {names[0]}=0.5, or --points"
        )
    return {name: axes[name] for name in names}
