"""Bad input gets one clear line and exit status 2, and nothing is left behind or lost."""

import pytest

EQUATIONS = """
import torch
from torch import nn
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval

class Decay(Equation):
    inputs, outputs = ("x",), ("u",)
    def constraints(self):
        everywhere = Constraint(Interval(x=(0, 1)), self.residual)
        return {"interior": everywhere, "origin": everywhere}
    def residual(self, x, u):
        return u.d(x) + u

class Stranger(Decay):
    def residual(self, x, u, viscosity):
        return u.d(x) + viscosity

class Cumulative(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
    def forward(self, x):
        return torch.cumsum(self.linear(x), -1)
"""

CASES = {
    "unknown option": (["--model.enginee", "NTP"], ["model.enginee", "'model.engine'"]),
    "unknown key in a file": (["--config", "key.yaml"], ["model.enginee", "'model.engine'"]),
    "unknown key of a class": (["--model.engine.compositio", "x"], ["NTP", "'compositio'", "'composition'"]),
    "unknown key of a network": (["--model.network.depht", "2"], ["MLP", "'depht'", "'depth'"]),
    "unknown key of a phase": (["--config", "phase.yaml"], ["Adam", "'stepss'", "'steps'"]),
    "wrong type": (["--data.held_out", "many"], ["data.held_out", "int", "many"]),
    "wrong type of a network": (["--model.network.depth", "2.5"], ["depth", "int", "2.5"]),
    "unknown engine": (["--model.engine", "NTPP"], ["'NTPP'", "Autograd", "NTP"]),
    "unknown network": (["--model.network", "MLPP"], ["'MLPP'", "'MLP'"]),
    "unknown sampler": (["--data.sampler", "Sobl"], ["'Sobl'", "'Sobol'", "Halton"]),
    "unknown phase": (["--config", "optimiser.yaml"], ["'Adamm'", "'Adam'", "LBFGS"]),
    "unknown module": (["--model.network", "nowhere.Net"], ["nowhere"]),
    "missing file": (["--config", "nowhere.yaml"], ["nowhere.yaml"]),
    "broken file": (["--config", "broken.yaml"], ["YAML", "line 1"]),
    "missing interpolation": (["--config", "interpolation.yaml"], ["data.held_out", "${data.nothing}"]),
    "unknown constraint": (["--data.points.nothing", "3"], ["'nothing'", "interior, origin, ends"]),
    "phase that is not there": (["--model.phases.7.lr", "1"], ["model.phases", "7"]),
    "bounds in the wrong order": (["--model.equation.bounds", "[0.5, 0.3]"], ["bounds", "0.5", "0.3"]),
    "not smooth enough": (["--model.network.activation", "relu"], ["relu", "order", "tanh"]),
    "no jet rule": (["--model.network", "mine_bad.Cumulative"], ["cumsum", "Autograd"]),
    "unknown variable": (["--model.equation", "mine_bad.Stranger"], ["'viscosity'", "x, u"]),
    "unwritable folder": (["--run.root", "short.yaml/runs"], ["short.yaml/runs", "run.root"]),
    "missing checkpoint": (["--ckpt_path", "nowhere.ckpt"], ["nowhere.ckpt"]),
    "damaged checkpoint": (["--ckpt_path", "short.yaml"], ["short.yaml", "damaged"]),
    "bad learning rate": (["--model.phases.0.lr", "-1"], ["lr", "-1"]),
}


@pytest.mark.parametrize("name", CASES)
def test_one_line_and_status_2(name, runs):
    files = {
        "key.yaml": "model: {enginee: {class_path: NTP}}",
        "phase.yaml": "model: {phases: [{class_path: Adam, init_args: {stepss: 3}}]}",
        "optimiser.yaml": "model: {phases: [{class_path: Adamm, init_args: {steps: 3}}]}",
        "broken.yaml": "model: {a: [1",
        "interpolation.yaml": "data: {held_out: '${data.nothing}'}",
        "mine_bad.py": EQUATIONS,
    }
    for path, text in files.items():
        (runs.folder / path).write_text(text)
    arguments, fragments = CASES[name]
    outcome = runs.fit("x", *arguments)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1, outcome.err
    for fragment in fragments:
        assert fragment in outcome.err
    assert not (runs.folder / "runs").exists()


def test_missing_config_says_what_is_missing(runs):
    outcome = runs.run("fit")
    assert outcome.status == 2 and outcome.err.count("\n") == 1
    assert "model.equation" in outcome.err and "--config" in outcome.err


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_evaluation_needs_a_checkpoint(command, runs):
    outcome = runs.run(command, "--config", runs.profile)
    assert outcome.status == 2 and "--ckpt_path" in outcome.err and outcome.err.count("\n") == 1


def test_a_program_error_names_its_file_and_line(runs):
    crash = "\nclass Crash(Decay):\n    def residual(self, x, u):\n        return 1 / 0\n"
    (runs.folder / "mine_crash.py").write_text(EQUATIONS + crash)
    outcome = runs.fit("x", "--model.equation", "mine_crash.Crash", "--model.sobolev", "null", "--data.points", "null")
    line = (EQUATIONS + crash).splitlines().index("        return 1 / 0") + 1
    said = f"pinnlab: mine_crash.py, line {line}, in residual: ZeroDivisionError: division by zero\n"
    assert (outcome.status, outcome.err) == (2, said)
