"""Several unknown fields and functions of corners, on equations with known solutions."""

import json
from functools import partial

import numpy as np
import pytest
import torch

import pinnlab
from pinnlab.cli import main
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation
from pinnlab.equations.domain import home
from pinnlab.geometry import Interval
from pinnlab.geometry.region import Pilot
from pinnlab.networks import MLP, Columns, DependsOn, Enriched, Parts, PerOutput, RandomFeatures
from pinnlab.residuals import Residuals
from pinnlab.training import LBFGS, Adam, GaussNewton
from pinnlab.training.evaluation.linear_system import linearise
from tests.fields import (
    L_SHAPE,
    SINGULAR,
    Conductivity,
    Elbow,
    ElbowWithFactor,
    LoadedElbow,
    Rod,
    corner_functions,
    loaded_elbow,
)

ENGINES = pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["NTP", "Autograd"])
LINEAR = {"damping": 1e-20}
FEW, MANY = partial(RandomFeatures, features=40), partial(RandomFeatures, features=300)


def rod_errors(solution):
    """The largest error of each output on its own half."""
    found = {}
    for i, (name, ends) in enumerate({"a": (0, 0.5), "b": (0.5, 1)}.items()):
        x = np.linspace(*ends, 301)
        found[name] = np.abs(solution(x=x)[name] - Rod().exact(torch.tensor(x))[i].numpy()).max()
    return found


@pytest.mark.long
@ENGINES
def test_a_rod_of_two_materials_has_a_network_for_each(engine):
    solution = pinnlab.solve(Rod(), partial(PerOutput, network=FEW), engine, GaussNewton(15, **LINEAR))
    errors = rod_errors(solution)
    assert max(errors.values()) < 1e-10
    for name, error in errors.items():  # each output is judged on its own half
        assert solution.metrics[f"max_error_{name}"] == pytest.approx(error, rel=0.5, abs=1e-13)
        assert error < 10 * solution.metrics[f"uncertainty_{name}"] < 1e-10


def test_an_output_is_at_home_where_a_constraint_asks_for_it():
    assert [home(Rod(), name) for name in Rod.outputs] == ["left", "right"]


@pytest.mark.long
def test_a_rod_by_first_order_methods():
    network = partial(PerOutput, network=partial(MLP, width=12, depth=2))
    solution = pinnlab.solve(Rod(), network, NTP(), [Adam(200, lr=5e-3), LBFGS(10)])
    assert max(rod_errors(solution).values()) < 1e-3


@pytest.mark.long
@ENGINES
def test_a_singular_function_takes_an_elbow_to_ten_digits(engine):
    def largest(network):
        return pinnlab.solve(Elbow(), network, engine, GaussNewton(8, **LINEAR)).metrics["max_error"]

    assert largest(partial(Enriched, functions=[SINGULAR], network=MANY)) < 1e-10
    assert largest(MANY) > 1e-4  # without it


@pytest.mark.long
def test_an_elbow_by_first_order_methods():
    network = partial(Enriched, functions=[SINGULAR], network=partial(MLP, width=12, depth=2))
    phases = [Adam(200, lr=5e-3), LBFGS(10)]
    solution = pinnlab.solve(Elbow(), network, NTP(), phases, {"interior": 200, "walls": 120})
    # without the function it is 1.1e-2
    assert solution.metrics["relative_l2"] < 2e-3


@pytest.mark.long
@ENGINES
@pytest.mark.parametrize("linear", [True, False], ids=["projected", "trained"])
def test_the_factor_of_a_singular_function_can_be_an_unknown(engine, linear):
    network = partial(Enriched, functions=[SINGULAR], factors=["k"], network=partial(RandomFeatures, features=150))
    solution = pinnlab.solve(ElbowWithFactor(linear), network, engine, GaussNewton(8, **LINEAR), {"interior": 250})
    assert solution.metrics["error_k"] < 1e-7
    assert solution.metrics["error_k"] < 10 * solution.metrics["uncertainty_k"] < 1e-5


@pytest.mark.long
@ENGINES
def test_a_loaded_elbow_by_the_functions_of_its_corners(engine):
    points = L_SHAPE.place(2000, Pilot())
    x, y = points["x"].numpy(), points["y"].numpy()
    truth, error = loaded_elbow(x, y)
    assert error < 1e-10
    network = partial(Enriched, functions=corner_functions(), network=partial(RandomFeatures, features=400, scale=2.0))
    solution = pinnlab.solve(LoadedElbow(), network, engine, GaussNewton(8, **LINEAR))
    assert np.abs(solution(x=x, y=y) - truth).max() < 1e-7


@pytest.mark.long
def test_a_loaded_elbow_by_first_order_methods():
    points = L_SHAPE.place(500, Pilot())
    x, y = points["x"].numpy(), points["y"].numpy()
    truth, _ = loaded_elbow(x, y)
    network = partial(Enriched, functions=corner_functions(), network=partial(MLP, width=12, depth=2))
    phases = [Adam(600, lr=5e-3), LBFGS(50)]
    solution = pinnlab.solve(LoadedElbow(), network, NTP(), phases, {"interior": 300, "walls": 200})
    assert np.linalg.norm(solution(x=x, y=y) - truth) < 1e-2 * np.linalg.norm(truth)


def fields_of(features, of_x):
    """u(t, x) and k(x)."""
    feature = partial(RandomFeatures, features=features)
    coefficient = partial(DependsOn, only=["x"], network=partial(RandomFeatures, features=of_x))
    return partial(Parts, parts={"u": feature, "k": coefficient})


@pytest.mark.long
@ENGINES
def test_a_coefficient_of_some_of_the_inputs_is_found_from_data(engine):
    phases = [GaussNewton(3, damping=1e-10, weights={"balance": 1e-6}), GaussNewton(60, damping=1e-6)]
    solution = pinnlab.solve(Conductivity(), fields_of(200, 60), engine, phases)
    assert solution.metrics["max_error_k"] < 1e-9
    t, x = np.random.default_rng(0).random((2, 50))
    assert not solution.d("t", t=t, x=x)["k"].any()


@pytest.mark.long
def test_a_coefficient_is_found_by_first_order_methods_too():
    coefficient = partial(DependsOn, only=["x"], network=partial(MLP, width=8, depth=1))
    network = partial(Parts, parts={"u": partial(MLP, width=20, depth=2), "k": coefficient})
    # the network is fitted to the data first: k is read off its second derivatives
    fit = {"balance": 1e-4}
    phases = [Adam(500, lr=5e-3, weights=fit), LBFGS(40, weights=fit), LBFGS(120, weights={"data": 10.0})]
    solution = pinnlab.solve(Conductivity(), network, NTP(), phases, {"balance": 200})
    assert solution.metrics["max_error_k"] < 1e-2


@pytest.mark.long
@pytest.mark.parametrize(
    ("equation", "network", "derivative"),
    [
        (
            "Conductivity",
            "{class_path: Parts, init_args: {parts: {u: MLP, k: {class_path: DependsOn, init_args: {only: [x], "
            "network: {class_path: MLP, init_args: {width: 8}}}}}}}",
            "k_x",
        ),
        ("Elbow", "{class_path: Enriched, init_args: {functions: [{class_path: Corner}, tests.fields.bump]}}", "u_x"),
        ("Rod", "{class_path: PerOutput, init_args: {network: {class_path: MLP, init_args: {width: 8}}}}", "b_x"),
    ],
    ids=["Parts", "Enriched", "PerOutput"],
)
def test_from_a_configuration_to_predictions_figures_and_exports(equation, network, derivative, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    (tmp_path / "config.yaml").write_text(
        f"model:\n  equation: tests.fields.{equation}\n  network: {network}\n"
        "  phases: [{class_path: GaussNewton, init_args: {steps: 2}}]\n"
    )
    assert main(["fit", "--config", "config.yaml", "--run.name", "one", "--trainer.accelerator", "cpu"]) == 0
    assert main(["predict", "runs/one", "--derivatives", derivative]) == 0
    assert main(["export", "runs/one", "--derivatives", derivative, "--out", "one.pt2"]) == 0
    assert main(["figures", "runs/one"]) == 0
    solution = pinnlab.load("runs/one")
    inputs = solution.model.equation.inputs
    points = np.random.default_rng(0).random((len(inputs), 7)) / 2
    found = solution.evaluate(derivative, **dict(zip(inputs, points, strict=True)))
    program = torch.export.load(tmp_path / "one.pt2").module()(torch.tensor(points.T))
    for name, values in found.items():
        np.testing.assert_allclose(program[name].numpy(), values, rtol=1e-12, atol=1e-13)


@pytest.mark.long
def test_a_folder_of_solve_makes_the_network_again(tmp_path):
    network = partial(Enriched, functions=[SINGULAR], network=partial(MLP, width=6, depth=1))
    solution = pinnlab.solve(Elbow(), network, phases=GaussNewton(2), points={"interior": 20}, folder=tmp_path / "run")
    again = pinnlab.load(tmp_path / "run")
    x, y = np.random.default_rng(0).random((2, 5)) / 2
    np.testing.assert_array_equal(again(x=x, y=y), solution(x=x, y=y))


def test_every_part_has_its_share_of_the_weights_that_errors_are_estimated_by():
    names, outputs = Columns(["x"]), Columns("uv")
    wide = partial(RandomFeatures, features=2400)
    residuals = Residuals(Parts(names, outputs, {"u": wide, "v": wide}), Halves(), NTP())
    batch = {"interior": {"x": torch.linspace(0, 1, 30)}, "start": {"x": torch.zeros(1)}}
    system = linearise(residuals, batch)
    assert {name.removesuffix("weight").removesuffix("bias") for name in system.weights} == {
        "parts.0.last.",
        "parts.1.last.",
    }
    moved = system.functions(torch.rand(5, 1))
    assert moved.view(5, 2, -1).any(2).all()


class Halves(Equation):
    """u' = v, v' = −u on [0, 1]."""

    inputs, outputs = ("x",), ("u", "v")

    def constraints(self):
        line = Interval(x=(0, 1))
        return {
            "interior": Constraint(line, lambda x, u, v: (u.d(x) - v, v.d(x) + u), points=12),
            "start": Constraint(line.face("x", 0), lambda u, v: (u, v - 1)),
        }


@pytest.mark.long
def test_hard_conditions_from_a_configuration_and_on_from_a_checkpoint(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    (tmp_path / "config.yaml").write_text(
        "model:\n  equation: Poisson\n  network: {class_path: MLP, init_args: {width: 6}}\n  hard: [boundary]\n"
        "  phases: [{class_path: Adam, init_args: {steps: 6}}]\ndata: {points: {interior: 20, boundary: 4}}\n"
    )
    cpu = ["--trainer.accelerator", "cpu"]
    assert main(["fit", "--config", "config.yaml", "--run.name", "one", *cpu]) == 0
    assert "built in: boundary (u at x = 0, u at x = 1, u at y = 0, u at y = 1)" in capsys.readouterr().out
    summary = json.loads((tmp_path / "runs" / "one" / "summary.json").read_text())
    assert set(summary["built_in"]["hard"]) == {"boundary"} and summary["metrics"]["residual_boundary"] < 1e-14
    solution = pinnlab.load("runs/one")
    assert np.abs(solution(x=[0.0, 1.0, 0.3], y=[0.2, 0.7, 0.0])).max() < 1e-15
    assert main(["validate", "--config", "config.yaml", "--ckpt_path", "runs/one/checkpoints/last.ckpt", *cpu]) == 0
    assert (
        main(["fit", "--config", "config.yaml", "--model.hard", "false", "--run.name", "one", "--ckpt_path", "last"])
        == 2
    )
    assert "hard" in capsys.readouterr().err
    assert main(["fit", "--config", "config.yaml", "--model.hard", "[interior]", "--run.name", "three", *cpu]) == 2
    assert "'interior' cannot be built in" in capsys.readouterr().err
    for command in (["predict", "runs/one"], ["figures", "runs/one"]):
        assert main(command) == 0
