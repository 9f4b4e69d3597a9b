"""Random mutations of configurations and equations: each trains to its end, or is refused in one line before it begins.

What a run needs more than a second for (widths, points and steps by the thousand) is left out of the mutations.
"""

import copy
import csv
import math
import random
import re
from pathlib import Path

import pytest
import yaml

from pinnlab.cli import main
from tests.configured import spelt_out

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]

CONFIGS = Path(__file__).parents[2] / "configs"
SHIPPED = sorted(path for path in CONFIGS.glob("*/*.yaml") if path.parent.name != "sweeps")
SMALL = {"steps": 2, "freeze": 1, "features": 9, "width": 6, "depth": 1, "inner": 2, "interior": 12, "boundary": 9}
SMALL |= {"origin": 5}

EQUATIONS = {
    "decay": """
import torch
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval


class Decay(Equation):
    inputs, outputs = ("t",), ("u",)

    def constraints(self):
        line = Interval(t=(0, 1))
        return {
            "ode": Constraint(line, self.residual, points=9),
            "start": Constraint(line.face("t", 0), lambda u: u - 1),
        }

    def residual(self, t, u):
        return u.d(t) + u

    def exact(self, t):
        return torch.exp(-t)
""",
    "fit": """
import numpy as np
import torch
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Box, PointSet


class Heat(Equation):
    inputs, outputs = ("t", "x"), ("u",)

    def __init__(self, kappa: float = 0.5):
        super().__init__()
        self.kappa = Unknown(kappa, (0.1, 2.0), truth=1.0)

    def constraints(self):
        box = Box(t=(0, 1), x=(0, 1))
        times = np.linspace(0, 1, 5)
        return {
            "interior": Constraint(box, self.residual, points=12),
            "walls": Constraint(box.faces("x"), lambda u: u, points=6, weight=2.0),
            "data": Constraint(PointSet(t=times, x=0.5 + 0 * times, m=np.exp(-times)), lambda u, m: u - m),
        }

    def residual(self, t, x, u, kappa):
        return u.d(t) - kappa * u.d(x, x)
""",
    "system": """
import torch
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval


class Oscillator(Equation):
    inputs, outputs = ("t",), ("q", "p")

    def constraints(self):
        line = Interval(t=(0, 2))
        return {
            "ode": Constraint(line, self.residual, points=10, sobolev=(1.0, 0.1)),
            "start": Constraint(line.face("t", 0), self.start),
        }

    def residual(self, t, q, p):
        return q.d(t) - p, p.d(t) + q

    def start(self, q, p):
        return q - 1, p

    def exact(self, t):
        return torch.cos(t), -torch.sin(t)
""",
}

EDITS = [
    (r"u\.d\(t\)", "u.dd(t)"), (r"u\.d\(t\)", "u.d(u)"), (r"u\.d\((\w)\)", r"u.d('\1')"), (r"\.d\(", ".D("),
    (r"\bu\b", "v"), (r"\bt\b", "time"), (r"return ", ""), (r"return ", "return 2 * "),
    (r"return ", "return None and "),
    (r"self\.residual", "self.residuals"), (r"self\.residual", "self.residual()"), (r"\(\"u\",\)", '"u"'),
    (r"\(\"t\",\)", '("t", "t")'), (r"\(\"t\",\)", "()"), (r"\(0, 1\)", "(1, 0)"), (r"\(0, 1\)", "(0, 0)"),
    (r"\(0, 1\)", "(0, float('inf'))"), (r"\(0, 1\)", "0"), (r"\(0, 2\)", "('a', 'b')"), (r"points=\d+", "points=0"),
    (r"points=\d+", "points=-3"), (r"points=\d+", "points=2.5"), (r"points=\d+", "points='many'"),
    (r"weight=2\.0", "weight=-1.0"), (r"weight=2\.0", "weight=float('nan')"), (r"weight=2\.0", "weight='a'"),
    (r"sobolev=\(.*?\)", "sobolev=()"), (r"sobolev=\(.*?\)", "sobolev=(1.0, -1.0)"), (r"sobolev=\(.*?\)", "sobolev=3"),
    (r"Unknown\(.*?\)\n", "Unknown(5.0, (0.1, 2.0))\n"), (r"Unknown\(.*?\)\n", "Unknown('a')\n"),
    (r"Unknown\(.*?\)\n", "Unknown(0.5, (2.0, 0.1))\n"), (r"Unknown\(.*?\)\n", "Unknown(0.5, linear=True)\n"),
    (r"Unknown\(.*?\)\n", "Unknown(float('nan'))\n"), (r"super\(\)\.__init__\(\)", "pass"),
    (r"import torch", "import torchh"), (r"import (Box|Interval|Box, PointSet)", "import Boxx"), (r"\):", ")"),
    (r":\n", "\n"),
    (r"class (\w+)", r"class Other\1"), (r"Equation\):", "object):"), (r"\{", "["), (r"\}", ""),
    (r"\"ode\"", '"a b/c"'),
    (r"\"start\"", '"ode"'), (r"lambda u: u", "lambda u: None"), (r"lambda u: u", "lambda: 0"),
    (r"lambda u: u", "lambda u: u.value"), (r"lambda u: u", "lambda u: float(u)"),
    (r"lambda u: u", "lambda u: u if u > 0 else u"),
    (r"lambda u, m: u - m", "lambda u, n: u - n"), (r"lambda u, m: u - m", "lambda u, m: u - m.d(u)"),
    (r"np\.exp\(-times\)", "np.exp(-times)[:3]"), (r"np\.exp\(-times\)", "np.exp(-times)[:, None]"),
    (r"np\.exp\(-times\)", "np.full(5, np.nan)"), (r"np\.exp\(-times\)", "['a'] * 5"),
    (r"np\.exp\(-times\)", "times * 1j"),
    (r"torch\.exp\(-t\)", "1.0"), (r"torch\.exp\(-t\)", "[1.0]"), (r"torch\.exp\(-t\)", "None"),
    (r"torch\.exp", "torch.expp"),
    (r"torch\.exp", "torch.erfinv"), (r", -torch\.sin\(t\)", ""), (r"def exact\(self, t\)", "def exact(self, x)"),
    (r"line\.face\(\"t\", 0\)", 'line.face("t", 7)'), (r"line\.face\(\"t\", 0\)", 'line.face("x", 0)'),
    (r"line\.face\(\"t\", 0\)", "line.boundary"), (r"box\.faces\(\"x\"\)", "box.faces('y')"),
    (r"box\.faces\(\"x\"\)", "None"), (r"q - 1, p", "[q - 1, p]"), (r"q - 1, p", "()"), (r"q - 1, p", "{'q': q}"),
    (r"\+ u", "+ 1 / 0"), (r"\+ u", "+ 1e400"), (r"\+ u", "+ u ** 1000"), (r"\+ u", "+ torch.sqrt(u - 100)"),
    (r"\+ u", "+ torch.cumsum(u, 0)"), (r"\+ u", "+ self.nothing"), (r"\+ q", "+ q @ q"),
]  # fmt: skip

JUNK = [
    None,
    "",
    "ten",
    "x y",
    1.5,
    -1,
    0,
    3,
    True,
    [],
    {},
    [1],
    {"a": 1},
    [[]],
    "${nothing}",
    "${model.engine}",
    "1e-3",
]
EXTREME = [-1.0, 0.0, 1e-300, 1e-12, 1e9, math.nan, math.inf, -math.inf, "1e400", None]
CLASSES = [
    "MLP", "Taylor", "Staged", "RandomFeatures", "SIREN", "Even", "NTP", "Autograd", "Adam", "LBFGS", "GaussNewton",
    "SSBroyden", "Grid", "Sobol", "Clustered", "Poisson", "Blasius", "Nothing", "nowhere.Nothing", "os.path",
    "torch.nn.Linear",
    "torch.nn.Tanh", "", None, 7, "ResidualAdaptive", "EarlyStopping", "Weights",
]  # fmt: skip


def shortened(node):
    """The same experiment with few steps, points and weights."""
    if isinstance(node, dict):
        return {key: SMALL.get(key, value) if type(value) is int else shortened(value) for key, value in node.items()}
    return [shortened(item) for item in node] if isinstance(node, list) else node


def whole(path):
    content = yaml.safe_load(path.read_text())
    if "base" not in content:
        return content
    return merged(whole(path.parent / content.pop("base")), content)


def of_a_second(path):
    """A shipped configuration that ends in a second or some by its few steps and points, but for a solve."""
    config = shortened(spelt_out(whole(path)))
    return config if "tol" in config else config | {"data": {"held_out": 17} | config.get("data", {})}


def merged(base, changes):
    """The base with changes put in, mappings entry by entry."""
    if not (isinstance(base, dict) and isinstance(changes, dict)):
        return changes
    return base | {key: merged(base.get(key), value) for key, value in changes.items()}


def places(node, above=()):
    """Every key and index within a configuration: (container, key)."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(items):
        yield node, key
        yield from places(value)


def mutate(config, dice):
    """Change one thing in a configuration."""
    found = list(places(config))
    if not found:
        return
    node, key = dice.choice(found)
    value = node[key]
    kind = dice.randrange(9)
    if key == "class_path" and kind < 5:
        node[key] = dice.choice(CLASSES)
    elif kind == 0:
        del node[key]
    elif kind == 1:
        node[key] = dice.choice(JUNK)
    elif kind == 2 and isinstance(value, float):
        node[key] = dice.choice(EXTREME)
    elif kind == 2 and isinstance(value, int):
        node[key] = dice.choice([-1, 0, 1, 2, 7, True, None, "ten", 0.5])
    elif kind == 3 and isinstance(node, dict):
        node[dice.choice([key + "s", key[:-1], key.upper(), "unknown"])] = node.pop(key)
    elif kind == 4 and isinstance(value, list) and value:
        value.insert(dice.randrange(len(value) + 1), copy.deepcopy(dice.choice(value)))
    elif kind == 4 and isinstance(node, list):
        dice.shuffle(node)
    elif kind == 5:
        node[key] = [value]
    elif kind == 6:
        node[key] = {dice.choice(["init_args", "class_path", "inner"]): value}
    elif kind == 7 and isinstance(value, dict):
        node.pop(key) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node.update(value)
    else:
        other, place = dice.choice(found)
        try:
            node[key], other[place] = copy.deepcopy(other[place]), copy.deepcopy(node[key])
        except (KeyError, IndexError):
            node[key] = dice.choice(JUNK)


def configuration(equation, phases=("Adam", "GaussNewton")):
    return {
        "model": {
            "equation": {"class_path": equation, "init_args": {}},
            "network": {"class_path": "MLP", "init_args": {"width": 5, "depth": 1}},
            "phases": [{"class_path": name, "init_args": {"steps": 2}} for name in phases],
        },
    }


def written(seed, folder):
    """The mutated configuration of a seed, and the equation that it needs, as files; the arguments that fit it."""
    dice = random.Random(seed)
    if seed % 2:
        name = dice.choice(list(EQUATIONS))
        source, config = (
            EQUATIONS[name],
            configuration(f"mutant_{seed}.{re.search(r'class (.+?)[(]', EQUATIONS[name])[1]}"),
        )
        for _ in range(dice.choice([1, 1, 2])):
            pattern, replacement = dice.choice([edit for edit in EDITS if re.search(edit[0], source)])
            places = list(re.finditer(pattern, source))
            chosen = dice.choice(places)
            source = source[: chosen.start()] + chosen.expand(replacement) + source[chosen.end() :]
        (folder / f"mutant_{seed}.py").write_text(source)
    else:
        path = dice.choice(SHIPPED)
        config = of_a_second(path)
    # a mutation cannot take this limit away
    limit = ["--time_limit", "1"] if "tol" in config else []
    if not limit:
        config["trainer"] = {"accelerator": "cpu", "log_every_n_steps": 1}
    if not seed % 2 or dice.random() < 0.2:
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            mutate(config, dice)
    (folder / "mutant.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return ["fit", "--config", "mutant.yaml", "--run.name", "one", "--run.threads", "1", *limit]


@pytest.mark.parametrize("seed", range(300))
def test_a_mutation_trains_or_is_refused_in_one_line(seed, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    status = main(written(seed, tmp_path))
    err = capsys.readouterr().err
    assert status in (0, 2), err
    if status == 2:
        if "no solution was found: the time limit" in err:
            return
        assert err.count("\n") == 1 and "Traceback" not in err
        for record in tmp_path.rglob("metrics.csv"):
            with record.open(newline="") as file:
                assert not list(csv.DictReader(file)), f"it trained first: {err}"


@pytest.mark.parametrize("name", EQUATIONS)
def test_what_is_mutated_trains(name, tmp_path, monkeypatch, capsys):
    """Without a mutation each equation ends with status 0: the refusals are of the mutations."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    Path(f"whole_{name}.py").write_text(EQUATIONS[name])
    kind = re.search(r"class (.+?)[(]", EQUATIONS[name])[1]
    Path("mutant.yaml").write_text(yaml.safe_dump(configuration(f"whole_{name}.{kind}")))
    assert main(["fit", "--config", "mutant.yaml", "--run.name", name]) == 0, capsys.readouterr().err


# solves to a tolerance find nothing in a second on a slow machine
BY_HAND = [path for path in SHIPPED if "tol" not in whole(path)]


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: f"{path.parent.name}_{path.stem}")
def test_what_ships_trains_before_it_is_mutated(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    Path("mutant.yaml").write_text(yaml.safe_dump(of_a_second(path)))
    assert main(["fit", "--config", "mutant.yaml", "--run.name", "one"]) == 0, capsys.readouterr().err
