"""`export`: a trained network and its derivatives as a graph that loads without pinnlab."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pinnlab.commands.arguments import Arguments, writable
from pinnlab.equations.inputs import axis_names
from pinnlab.solution.export import check_name, export
from pinnlab.solution.saved import load_model

_EPILOG = """\
example:
  python -m pinnlab export runs/one --derivatives U_X U_XX --out solution.pt2

and where pinnlab is not installed:
  import torch
  solution = torch.export.load("solution.pt2").module()
  values = solution(torch.linspace(-2, 2, 101, dtype=torch.float64)[:, None])   # a dictionary: U, U_X, U_XX"""


def main(command: str, arguments: Sequence[str]) -> int:
    """Run the command.

    Raises:
        UserError: if the run cannot be loaded or written as a graph, or a name is wrong.
    """
    parser = Arguments(command, "A trained network with derivatives as a torch.export program.", _EPILOG)
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder, or one of its checkpoints")
    parser.add_argument("--derivatives", nargs="+", default=[], metavar="u_xx", help="what to give beside the outputs")
    parser.add_argument("--out", type=Path, metavar="FILE", help="solution.pt2 in the run folder by default")
    options = parser.parse_args(arguments)
    out = options.out or (options.run if options.run.is_dir() else options.run.parent.parent) / "solution.pt2"
    check_name(out)
    writable(out)
    model, _ = load_model(options.run)
    names = export(model, options.derivatives, out)
    columns = axis_names(model.equation.inputs)
    print(f"{', '.join(names)} at points (N, {len(columns)}) of {', '.join(columns)}: {out}")
    return 0
