"""`equations`: the catalogue, read from the source files, so that torch is not imported."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pinnlab.commands.arguments import Arguments
from pinnlab.commands.catalogue.entries import SHIPPED, Entry, entries, titles
from pinnlab.commands.catalogue.page import details, overview
from pinnlab.commands.catalogue.search import matches, nearest, of_group
from pinnlab.errors import UserError

_DESCRIPTION = """\
The equations that ship; your own are used by their path, as file.Class.

  python -m pinnlab equations                   all of them, by groups
  python -m pinnlab equations soliton burgers   those in whose texts all words occur
  python -m pinnlab equations KdV               all of one, by its exact name"""


def main(command: str, arguments: Sequence[str]) -> int:
    """Run the command.

    Raises:
        UserError: if there is no equation of this kind.
    """
    parser = Arguments(command, _DESCRIPTION)
    parser.add_argument("words", nargs="*", metavar="WORD", help="of name or description, or one exact name")
    parser.add_argument("--order", type=int, metavar="N", help="the highest derivative")
    parser.add_argument("--inputs", type=int, metavar="N", help="the number of coordinates, time among them")
    parser.add_argument("--group", metavar="GROUP", help="the folder, such as waves or elliptic/poisson")
    options = parser.parse_args(arguments)
    shipped = list(entries(SHIPPED))
    found = chosen(options, shipped)
    named = [entry for entry in found if options.words == [entry.name]]
    if named:
        lines = list(details(named[0]))
    else:
        lines = list(overview(found, titles(SHIPPED)))
        lines.append(f"{len(found)} of {len(shipped)} equations. One: python -m pinnlab equations NAME")
        lines.append("A new one: python -m pinnlab new-equation NAME, or with --like NAME from one of these")
    print("\n".join(lines))
    return 0


def chosen(options: argparse.Namespace, shipped: Sequence[Entry]) -> list[Entry]:
    """The equations that have all that is asked for.

    Raises:
        UserError: if there are none.
    """
    groups = sorted({entry.group for entry in shipped})
    if options.group is not None and not any(of_group(entry, options.group) for entry in shipped):
        raise UserError(f"there is no group {options.group!r}: groups are {', '.join(groups)}")
    found = [
        entry
        for entry in shipped
        if matches(entry, options.words)
        and options.order in (None, entry.order)
        and options.inputs in (None, entry.dimension)
        and (options.group is None or of_group(entry, options.group))
    ]
    if found:
        return found
    asked = [" ".join(map(repr, options.words))] if options.words else []
    filters = {"order": options.order, "inputs": options.inputs, "group": options.group}
    asked += [f"--{name} {value}" for name, value in filters.items() if value is not None]
    near = [name for word in options.words for name in nearest(word, shipped)]
    advice = f" (did you mean {' or '.join(dict.fromkeys(near))}?)" if near else ""
    raise UserError(f"no equation is found with {', '.join(asked)}{advice}; python -m pinnlab equations lists them all")
