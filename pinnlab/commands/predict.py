"""`predict`: a trained solution and its derivatives on a grid or at given points, as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pinnlab.commands.arguments import Arguments, writable
from pinnlab.equations.domain import solids
from pinnlab.equations.inputs import axis_names, from_axes
from pinnlab.errors import UserError
from pinnlab.solution import load
from pinnlab.solution.output.grids import axis, read_points
from pinnlab.solution.output.written import check_format, whole_grid, write_solution

_EPILOG = """\
examples:
  python -m pinnlab predict runs/one --derivatives U_X U_XX
  python -m pinnlab predict runs/one --grid X=-1:1:201 --out values.csv
  python -m pinnlab predict runs/heat --grid t=0.5 x=0:1:101 --derivatives u_t u_xx --out heat.vtk
  python -m pinnlab predict runs/flow --vectors velocity=u,v --out flow.vtu
  python -m pinnlab predict runs/heat --grid t=0:1:21 x=0:1:101 --out heat.pvd   (a file for each time)
  python -m pinnlab predict runs/one --points sensors.csv --out at_sensors.npz
  python -m pinnlab predict runs/cube --grid x.0=0:1:21 x.1=0.5 x.2=0.5 --derivatives u_x u_x.0x.0   (x a vector)

Values are NaN outside of the region where the equation holds, and blank in ParaView. Without --grid and --points a .vtu
file of a region in the plane has a mesh that fits it.
With --config and --ckpt_path instead of a run, held-out points of a configuration are predicted:
  python -m pinnlab predict --config FILE --ckpt_path FILE"""


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
    parser.add_argument("--points", type=Path, metavar="FILE", help="points from a file, not on a grid: CSV, NPZ, VTK")
    parser.add_argument(
        "--vectors", nargs="+", default=[], metavar="NAME=u,v", help="vectors in VTK files, of values by their names"
    )
    parser.add_argument("--extrapolate", action="store_true", help="give values outside of the region too")
    parser.add_argument("--out", type=Path, metavar="FILE", help="prediction.npz in the run folder by default")
    options = parser.parse_args(arguments)
    if options.points and options.grid:
        raise UserError("give --points or --grid, not both")
    folder = options.run if options.run.is_dir() else options.run.parent.parent
    out = options.out or folder / "prediction.npz"
    check_format(out)
    writable(out)
    solution = load(options.run)
    equation = solution.model.equation
    columns = None
    if options.points:
        columns = read_points(options.points, axis_names(equation.inputs))
    elif options.grid:
        columns = whole_grid(equation, dict(axis(text) for text in options.grid))
    coordinates = None if columns is None else from_axes(columns, equation.inputs)
    vectors = dict(_vector(text) for text in options.vectors)
    written = write_solution(solution, out, options.derivatives, coordinates, vectors, options.extrapolate)
    print(f"{', '.join(written.names)} at {written.size} points: {out}")
    if written.beyond:
        where = " and ".join(map(repr, solids(equation)))
        what = "their values are extrapolated" if options.extrapolate else "they are NaN (--extrapolate gives values)"
        print(f"{written.beyond} of {written.size} points lie outside of the region of {where}: {what}")
    return 0


def _vector(text: str) -> tuple[str, list[str]]:
    name, equals, parts = text.partition("=")
    if not (name and equals and parts):
        raise UserError(f"{text!r} is no vector: write NAME=u,v")
    return name, parts.split(",")
