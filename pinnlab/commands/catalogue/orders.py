"""The highest derivative that an equation's source writes down."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

_OPERATORS = {
    "grad": 1,
    "div": 1,
    "laplacian": 2,
    "biharmonic": 4,
    "directional": 1,
    "periodic": 1,
    "bloch": 1,
    "radial_slope": 1,
    "radial_laplacian": 2,
}
"""The derivatives of a function of `pinnlab`; its argument `order` says another number where it is given."""


def order(equation: ast.ClassDef, module: ast.Module) -> int:
    r"""The highest derivative of the outputs in the methods of an equation and in the functions of its module.

    Each argument of `.d(…)` is a derivative, and operators such as `laplacian` have theirs; derivatives of what is
    derived already add up. Derivatives of a residual that its Sobolev weights ask for do not count.

    Args:
        equation: The class.
        module: The file that it is in.

    Returns:
        The order, 0 for no derivative.

    Example:
        >>> module = ast.parse("class A:\n def residual(self, x, u):\n  s = u.d(x)\n  return (x * s).d(x, x)")
        >>> order(module.body[0], module)
        3
    """
    functions = [node for node in (*equation.body, *module.body) if isinstance(node, ast.FunctionDef)]
    return max(map(_of_function, functions), default=0)


def _of_function(function: ast.FunctionDef) -> int:
    """The highest derivative in the statements of a function, in which variables have the order of their values."""
    known: dict[str, int] = {}
    highest = 0
    for node in _in_order(function.body):
        found = _of(node, known)
        highest = max(highest, found)
        if isinstance(node, ast.Assign):
            names = [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
            known.update(dict.fromkeys(names, found))
    return highest


def _in_order(body: Iterable[ast.stmt]) -> Iterable[ast.AST]:
    """The statements without others in them, and the heads of those with others, from top to bottom."""
    for statement in body:
        inner = [part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.stmt)]
        if not inner:
            yield statement
            continue
        yield from (part for part in ast.iter_child_nodes(statement) if not isinstance(part, ast.stmt))
        yield from _in_order(inner)


def _of(node: ast.AST, known: Mapping[str, int]) -> int:
    """The order of an expression: that of its parts, and what it adds."""
    if isinstance(node, ast.Name):
        return known.get(node.id, 0)
    inner = max((_of(part, known) for part in ast.iter_child_nodes(node)), default=0)
    return inner + _added(node) if isinstance(node, ast.Call) else inner


def _added(call: ast.Call) -> int:
    """The derivatives that a call takes."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "d" and isinstance(call.func, ast.Attribute):
        return sum(map(_count, call.args))
    if name not in _OPERATORS:
        return 0
    given = [item.value for item in call.keywords if item.arg == "order"]
    return int(given[0].value) if given and isinstance(given[0], ast.Constant) else _OPERATORS[name]  # type: ignore[arg-type]


def _count(argument: ast.expr) -> int:
    """How many arguments one is: `*[x] * 3` is three."""
    if not isinstance(argument, ast.Starred):
        return 1
    match argument.value:
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return len(parts)
        case ast.BinOp(
            left=ast.List(elts=parts) | ast.Tuple(elts=parts), op=ast.Mult(), right=ast.Constant(value=int(n))
        ):
            return len(parts) * n
    return 1
