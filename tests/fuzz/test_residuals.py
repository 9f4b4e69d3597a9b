"""Random residual expressions: the same numbers under every engine and as mpmath, or the same refusal.

The reference knows no torch: an expression is differentiated by the rules of school, as a tree with the network written
out in it, and evaluated with 30 digits. It also tells from the tree alone which expressions must be refused.
"""

import math
import random

import mpmath
import numpy as np
import pytest
import torch
from scipy.interpolate import make_interp_spline

from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Table, Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import PointSet
from pinnlab.residuals import Residuals
from pinnlab.residuals.inspection import inspect

pytestmark = pytest.mark.long

ENGINES = {"jets": NTP(), "partitions": NTP("faa_di_bruno"), "autograd": Autograd()}
POINTS = 4
KNOTS = np.linspace(-1.5, 1.5, 9)
HEIGHTS = np.cos(2 * KNOTS) + 0.3 * KNOTS
SPLINES = {degree: make_interp_spline(KNOTS, HEIGHTS, k=degree) for degree in (1, 3)}
TABLES = {degree: Table(KNOTS, HEIGHTS, degree) for degree in (1, 3)}


class Node:
    """An expression: an operation, its arguments, and what else it needs."""

    def __init__(self, op, *args, data=None):
        self.op, self.args, self.data = op, args, data
        self.slopes = {}

    def __repr__(self):
        inner = ", ".join(map(repr, self.args))
        return f"{self.op}{'' if self.data is None else f'[{self.data}]'}({inner})" if self.args else f"{self.data}"


def num(c):
    return Node("num", data=c)


def fun(name, a):
    return Node("fun", a, data=name)


def add(a, b):
    return Node("add", a, b)


def mul(a, b):
    return Node("mul", a, b)


# f(a) → f'(a), in trees
SLOPES = {
    "sin": lambda a: fun("cos", a),
    "cos": lambda a: mul(num(-1), fun("sin", a)),
    "tanh": lambda a: add(num(1), mul(num(-1), Node("pow", fun("tanh", a), data=2))),
    "exp": lambda a: fun("exp", a),
    "atan": lambda a: Node("div", num(1), add(num(1), Node("pow", a, data=2))),
    "log": lambda a: Node("div", num(1), a),
    "sqrt": lambda a: Node("div", num(0.5), fun("sqrt", a)),
    "erf": lambda a: mul(num(2 / math.sqrt(math.pi)), fun("exp", mul(num(-1), Node("pow", a, data=2)))),
    "abs": lambda a: fun("sign", a),
    "sign": lambda a: num(0),
    "floor": lambda a: num(0),
}
STEPS = ("sign", "floor")


def slope(node, axis):
    """The tree of ∂/∂x_axis."""
    if axis not in node.slopes:
        node.slopes[axis] = _slope(node, axis)
    return node.slopes[axis]


def _slope(node, axis):
    op, args, data = node.op, node.args, node.data
    if op in ("num", "unknown"):
        return num(0)
    if op == "input":
        return num(1 if data == axis else 0)
    if op == "add":
        return add(*(slope(a, axis) for a in args))
    if op == "mul":
        a, b = args
        return add(mul(slope(a, axis), b), mul(a, slope(b, axis)))
    if op == "div":
        a, b = args
        top = add(mul(slope(a, axis), b), mul(num(-1), mul(a, slope(b, axis))))
        return Node("div", top, Node("pow", b, data=2))
    if op == "pow":
        return mul(mul(num(data), Node("pow", args[0], data=data - 1)), slope(args[0], axis))
    if op == "fun":
        return mul(SLOPES[data](args[0]), slope(args[0], axis))
    if op == "power":
        exponent = Node("unknown", data="nu")
        return mul(mul(exponent, node), Node("div", slope(args[0], axis), args[0]))
    if op == "d":
        return slope(slope(args[0], data), axis)
    if op == "output":
        return slope(args[0], axis)
    if op == "max":
        return Node("where", *args, *(slope(a, axis) for a in args))
    if op == "where":
        return Node("where", *args[:2], *(slope(a, axis) for a in args[2:]))
    if op == "table":
        degree, order = data
        return mul(Node("table", args[0], data=(degree, order + 1)), slope(args[0], axis))
    raise AssertionError(op)


def value(node, point, known):
    """The number at a point: {inputs by axis, columns by name, the unknown}."""
    if node not in known:
        known[node] = _value(node, point, known)
    return known[node]


def _value(node, point, known):
    op, data = node.op, node.data
    if op == "num":
        return mpmath.mpf(data)
    if op in ("input", "column", "unknown"):
        return mpmath.mpf(point[data])
    if op == "d":
        return value(slope(node.args[0], data), point, known)
    if op == "where":
        a, b, left, right = node.args
        return value(left if value(a, point, known) > value(b, point, known) else right, point, known)
    args = [value(a, point, known) for a in node.args]
    if op in ("value", "detach", "output"):
        return args[0]
    if op == "add":
        return args[0] + args[1]
    if op == "mul":
        return args[0] * args[1]
    if op == "div":
        return args[0] / args[1]
    if op == "pow":
        return args[0] ** data
    if op == "max":
        return max(args)
    if op == "power":
        return args[0] ** point["nu"]
    if op == "table":
        degree, order = data
        return mpmath.mpf(float(SPLINES[degree](float(args[0]), nu=order)))
    if op == "fun":
        return {"abs": abs, "sqrt": mpmath.sqrt}.get(data, getattr(mpmath, data, None))(args[0])
    raise AssertionError(op)


class Refused(Exception):
    """A tree that asks for a derivative that is not there, or looks at other points."""


def left(node):
    """How many derivatives the tree has; raises Refused where it asks for more."""
    counts = [left(a) for a in node.args if node.op != "output"]
    if node.op in ("column", "value", "detach", "where") or (node.op == "fun" and node.data in STEPS):
        return 0
    if node.op == "mean":
        raise Refused("own point")
    own = {"max": 1, "table": node.data[0] if node.op == "table" else 0}.get(node.op, math.inf)
    count = min([own, *counts])
    if node.op == "d":
        count -= 1
        if count < 0:
            raise Refused("a derivative is asked")
    return count


def is_field(node):
    if node.op in ("num", "unknown", "column", "value"):
        return False
    if node.op in ("input", "output", "d"):
        return True
    return any(is_field(a) for a in (node.args[2:] if node.op == "where" else node.args))


def fields(node, named):
    """The tree written in torch's words over fields."""
    op, data = node.op, node.data
    if op == "num":
        return data
    if op in ("input", "output", "column", "unknown"):
        return named[{0: "x", 1: "y"}.get(data, data)]
    args = [fields(a, named) for a in node.args]
    if op == "d":
        return args[0].d(named["xy"[data]])
    if op == "where":
        return torch.where(args[0] > args[1], args[2], args[3])
    if op == "value":
        return args[0].value
    if op == "detach":
        return args[0].detach()
    if op == "add":
        return args[0] + args[1]
    if op == "mul":
        return args[0] * args[1]
    if op == "div":
        return args[0] / args[1]
    if op == "pow":
        return args[0] ** data
    if op == "max":
        return torch.maximum(*args)
    if op == "power":
        return args[0] ** named["nu"]
    if op == "table":
        return TABLES[data[0]](args[0])
    if op == "mean":
        return args[0].mean()
    numpys = {"atan": np.arctan, "tanh": np.tanh, "sin": np.sin}
    return (numpys[data] if data in numpys and is_field(node.args[0]) else getattr(torch, data))(args[0])


class Maker:
    """Draws random trees."""

    def __init__(self, seed, outputs):
        self.random, self.outputs = random.Random(seed), outputs

    def leaf(self):
        kind = self.random.choices(("num", "input", "output", "column", "unknown"), (1, 2, 4, 1, 1))[0]
        if kind == "num":
            return num(round(self.random.uniform(-2, 2), 2))
        if kind == "output":
            name = self.random.choice("uv")
            return Node("output", self.outputs[name], data=name)
        data = {"input": self.random.randrange(2), "column": self.random.choice("km"), "unknown": "nu"}[kind]
        return Node(kind, data=data)

    def field(self, depth):
        while not is_field(found := self.tree(depth)):
            pass
        return found

    def tree(self, depth):
        if depth == 0:
            return self.leaf()
        kinds, weights = zip(
            *{"add": 3, "mul": 4, "div": 1, "pow": 1, "fun": 4, "d": 5, "table": 1, "where": 0.6, "max": 0.5}.items(),
            *{"value": 0.3, "detach": 0.3, "step": 0.3, "mean": 0.1, "exponent": 0.4}.items(),
            strict=True,
        )
        kind = self.random.choices(kinds, weights)[0]
        if kind in ("add", "mul"):
            return Node(kind, self.tree(depth - 1), self.tree(depth - 1))
        if kind == "div":
            return Node("div", self.tree(depth - 1), add(num(2), Node("pow", self.field(depth - 1), data=2)))
        if kind == "where":
            return Node("where", self.field(depth - 1), num(0.1), self.tree(depth - 1), self.tree(depth - 1))
        if kind == "max":
            return Node("max", self.field(depth - 1), self.field(depth - 1))
        a = self.field(depth - 1)
        if kind == "pow":
            return Node("pow", a, data=self.random.choice((2, 3)))
        if kind == "d":
            return Node("d", a, data=self.random.randrange(2))
        if kind == "table":
            return Node("table", fun("tanh", a), data=(self.random.choice((1, 3, 3)), 0))
        if kind == "step":
            return fun(self.random.choice(STEPS), a)
        if kind == "exponent":  # (1.5 + tanh a)^ν
            return Node("power", add(num(1.5), fun("tanh", a)))
        if kind in ("value", "detach", "mean"):
            return Node(kind, a)
        name = self.random.choice(("sin", "cos", "tanh", "exp", "atan", "log", "sqrt", "erf", "abs"))
        if name == "exp":
            a = fun("tanh", a)
        if name in ("log", "sqrt"):
            a = add(num(1.5), Node("pow", a, data=2))
        return fun(name, a)


class Fuzzed(Equation):
    """A random residual at given points with data."""

    inputs, outputs = ("x", "y"), ("u", "v")

    def __init__(self, tree, columns, sobolev):
        super().__init__()
        self.tree, self.columns, self.sobolev = tree, columns, sobolev
        self.nu = Unknown(0.7)

    def constraints(self):
        return {"pde": Constraint(PointSet(**self.columns), self.residual, sobolev=self.sobolev)}

    def residual(self, x, y, u, v, k, m, nu):
        return fields(self.tree, {"x": x, "y": y, "u": u, "v": v, "k": k, "m": m, "nu": nu})


def written_out(network):
    """The outputs of a network of one hidden layer, as trees."""
    first, _, last = network
    inputs = [Node("input", data=axis) for axis in range(2)]
    hidden = []
    for weights, bias in zip(first.weight.tolist(), first.bias.tolist(), strict=True):
        argument = num(bias)
        for weight, x in zip(weights, inputs, strict=True):
            argument = add(argument, mul(num(weight), x))
        hidden.append(fun("tanh", argument))
    outputs = {}
    for name, weights, bias in zip("uv", last.weight.tolist(), last.bias.tolist(), strict=True):
        outputs[name] = num(bias)
        for weight, h in zip(weights, hidden, strict=True):
            outputs[name] = add(outputs[name], mul(num(weight), h))
    return outputs


@pytest.mark.parametrize("seed", range(300))
def test_a_random_residual_is_right_or_refused(seed):
    torch.manual_seed(seed)
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)).double()
    outputs = written_out(network)
    maker = Maker(seed, outputs)
    tree = add(Node("output", outputs["u"], data="u"), maker.field(maker.random.choice((2, 3, 3, 4))))
    columns = {name: torch.rand(POINTS, dtype=torch.float64) + 0.2 for name in ("x", "y", "k", "m")}
    sobolev = maker.random.choice(((1.0,), (1.0,), (1.0, 0.5)))
    try:
        refused = "Sobolev rows" if left(tree) < len(sobolev) - 1 else None
    except Refused as error:
        refused = str(error)
    found, messages = {}, {}
    for name, engine in ENGINES.items():
        try:
            residuals = Residuals(network, Fuzzed(tree, columns, sobolev), engine)
            inspect(residuals, {"pde": columns})
            found[name] = residuals({"pde": columns})["pde"].detach() * math.sqrt(POINTS)
        except UserError as error:
            messages[name] = str(error)
    if refused:
        assert not found and len(set(messages.values())) == 1, (tree, refused, messages)
        return
    assert not messages, (tree, messages)
    components = [tree, *(slope(tree, axis) for axis in range(2))] if len(sobolev) > 1 else [tree]
    weights = [1.0, *[math.sqrt(0.5)] * 2]
    order = [(0, 0), (1, 0), (0, 1)]
    rows = [alpha for alpha, _ in residuals.weighting["pde"].rows]
    with mpmath.workdps(30):
        for i in range(POINTS):
            point = {0: columns["x"][i].item(), 1: columns["y"][i].item(), "nu": 0.7}
            point |= {name: columns[name][i].item() for name in "km"}
            known = {}
            for component, alpha, weight in zip(components, order, weights, strict=False):
                truth = float(value(component, point, known)) * weight
                for name, block in found.items():
                    error = abs(block[rows.index(alpha), i].item() - truth)
                    assert error <= 1e-8 * (1 + abs(truth)), (name, tree, alpha, truth, error)
