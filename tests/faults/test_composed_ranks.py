"""Networks that see unknowns, with functions added, in parts, with conditions built in: on two ranks and resumed."""

import json

import pytest
import torch

from tests.faults.test_ranks import STOP, last

MODULE = """
import torch
from torch import nn
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Box
from pinnlab.networks import MLP, Build, Seen

def bump(x, y):
    return torch.exp(-x * x - y * y)

class Decaying(nn.Module):
    def __init__(self, inputs: int, outputs: int, network: Build = MLP) -> None:
        super().__init__()
        self.seen = Seen("lam")
        self.network = network(inputs, outputs)

    def forward(self, x):
        return torch.exp(-self.seen.lam * x[..., :1]) * self.network(x)

class Pair(Equation):
    inputs, outputs = ("x", "y"), ("u", "k")

    def __init__(self):
        super().__init__()
        self.lam = Unknown(0.3, bounds=(0.0, 2.0))
        self.c = Unknown(0.1)

    def constraints(self):
        box = Box(x=(0, 1), y=(0.5, 1))
        return {
            "interior": Constraint(box, self.interior, points=31),
            "start": Constraint(box.face("x", 0), lambda u, y: u - y * y, points=9),
            "end": Constraint(box.face("x", 1), lambda u, y: u - 1, points=9),
        }

    def interior(self, x, y, u, k, lam, c):
        return (k * u.d(x)).d(x) + u.d(y, y) + lam * u - c * bump(x, y), k - 1 - x * x
"""
SMALL = {"class_path": "MLP", "init_args": {"depth": 1, "width": 6}}
CORNER = {"class_path": "Corner", "init_args": {"sides": [0, 270]}}


def parts(u):
    return {
        "class_path": "Parts",
        "init_args": {
            "parts": {"u": u, "k": {"class_path": "DependsOn", "init_args": {"only": ["x"], "network": SMALL}}}
        },
    }


NETWORKS = {
    "seen": {"class_path": "pair.Decaying", "init_args": {"network": SMALL}},
    "enriched": {"class_path": "Enriched", "init_args": {"functions": [CORNER, "pair.bump"], "network": SMALL}},
    "parts": parts(
        {
            "class_path": "Enriched",
            "init_args": {"functions": ["pair.bump", CORNER], "factors": ["c", "lam"], "network": SMALL},
        }
    ),
    "hard": parts({"class_path": "pair.Decaying", "init_args": {"network": SMALL}}),
}


def options(lab, case):
    """The options of a run with a network of one kind."""
    (lab.folder / "pair.py").write_text(MODULE)
    (lab.folder / "stops.py").write_text(STOP)
    phases = "[{class_path: Adam, init_args: {steps: 6}}, {class_path: LBFGS, init_args: {steps: 2, inner: 3}},"
    phases += " {class_path: GaussNewton, init_args: {steps: 4}}]"
    model = {"equation": {"class_path": "pair.Pair"}, "network": NETWORKS[case], "hard": case == "hard"}
    (lab.folder / "pair.yaml").write_text(json.dumps({"model": model}))
    return ["--config", str(lab.folder / "pair.yaml"), "--data.points", "{}", "--model.phases", phases]


def built_in(lab, name):
    return (lab.summary(name)["built_in"] or {"hard": {}})["hard"]


# what sees unknowns is within the last one, too
IN_BRIEF = ("enriched", "parts", "hard")


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if case in IN_BRIEF else pytest.mark.long) for case in NETWORKS]
)
def test_two_ranks_train_as_one(lab, case):
    given = [*options(lab, case), "--data.resample_every", "0"]
    one = lab.start("one", *given)
    assert lab.fit_ranks("several", 2, *given) == [0, 0], lab.log("several")
    one.join()
    assert one.exitcode == 0, lab.log("one")
    assert set(built_in(lab, "several")) == ({"start", "end"} if case == "hard" else set())
    pairs = [lab.summary(name)["unknowns"] for name in ("one", "several")]
    for name in ("lam", "c"):
        assert pairs[0][name]["value"] != {"lam": 0.3, "c": 0.1}[name]
        assert pairs[0][name]["value"] == pytest.approx(pairs[1][name]["value"], rel=1e-9)
    found = {name: last(lab, name)["state_dict"] for name in ("one", "several")}
    assert max(float((found["one"][k] - found["several"][k]).abs().max()) for k in found["one"]) <= 1e-9
    for here, there in zip(lab.record("one"), lab.record("several"), strict=True):
        assert float(here["loss"]) == pytest.approx(float(there["loss"]), rel=1e-9)


@pytest.mark.long
@pytest.mark.parametrize("case", NETWORKS)
def test_a_stopped_run_goes_on_to_the_same_bits(lab, case):
    given = options(lab, case)

    def fit(name, step, *more):
        stop = f"[{{class_path: stops.Stop, init_args: {{step: {step}}}}}]"
        assert lab.fit(name, *given, "--trainer.callbacks", stop, *more) == 0, lab.log(name)

    fit("whole", -1)
    fit("parts", 4)
    for step in (9, -1):
        fit("parts", step, "--ckpt_path", "last")
    a, b = last(lab, "whole")["state_dict"], last(lab, "parts")["state_dict"]
    assert a.keys() == b.keys()
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert lab.record("whole") == lab.record("parts")
    assert built_in(lab, "whole") == built_in(lab, "parts")
