"""The modules of the package import each other in one direction; operators of regions are the one exception."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pinnlab.geometry

ROOT = Path(pinnlab.geometry.__file__).parent
OVERLOADING = ("pinnlab.geometry.region", "pinnlab.geometry.sets")
"""`a | b` is a method of `Region` and gives a `Union`, which is a region."""


def imports():
    """Module ↦ the modules of the package that it imports, those within functions included."""
    found = {}
    for file in ROOT.rglob("*.py"):
        if file.name != "__init__.py":
            name = ".".join(("pinnlab.geometry", *file.relative_to(ROOT).with_suffix("").parts))
            nodes = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)]
            found[name] = {node.module for node in nodes if (node.module or "").startswith("pinnlab.geometry.")}
    return found


def test_no_import_circle_but_the_overloaded_operators():
    graph = imports()
    module, operators = OVERLOADING
    assert operators in graph[module]
    graph[module] = graph[module] - {operators}
    order = list(TopologicalSorter(graph).static_order())
    assert order.index(module) < order.index(operators)
