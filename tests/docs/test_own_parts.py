"""The region, the operator and the recipe of CONTRIBUTING.md, each in one file: their laws, and what they solve."""

import math
import re
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

import pinnlab
from pinnlab.cli import main
from pinnlab.collocation import Sobol
from pinnlab.geometry import Box, Interval
from pinnlab.networks import MLP, Periodic
from pinnlab.operators import PeriodicTrapezoid
from pinnlab.training import GaussNewton

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
FILES = re.findall(r"^```python\n# (\w+)\.py\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The files of the document in a folder, and the modules that they are."""
    from importlib import import_module

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    for name, text in FILES:
        Path(f"{name}.py").write_text(text)
    yield import_module
    for name, _ in FILES:
        sys.modules.pop(name, None)


def test_the_ball_is_filled_evenly_and_combines_with_other_regions(own):
    ball = own("ball").Ball(2.0)
    points = Sobol().sample(ball, 4096, seed=0)
    assert ball.contains(points).all()
    radius = ball.distance(points)
    assert float((radius <= 1).double().mean()) == pytest.approx(1 / 8, abs=2e-3)
    for name in "xyz":
        assert float((points[name] ** 2).mean()) == pytest.approx(4 / 5, rel=1e-2)
    surface = Sobol().sample(ball.boundary, 1024, seed=0)
    normal = torch.stack([surface[f"normal_{name}"] for name in "xyz"])
    assert torch.allclose(normal.norm(dim=0), torch.ones(1024), atol=1e-6)
    assert torch.allclose(2 * normal, torch.stack([surface[name] for name in "xyz"]), atol=1e-5)
    half = ball & Box(x=(0, 3), y=(-3, 3), z=(-3, 3))
    assert half.measure == pytest.approx(16 / 3 * math.pi, rel=2e-2)
    # half of the sphere, and the disc of radius 2 at x = 0
    assert half.boundary.measure == pytest.approx(8 * math.pi + 4 * math.pi, rel=5e-2)
    assert (Interval(t=(0, 1)) * ball).dimension == 4


def test_the_fractional_laplacian_composes_and_commutes(own):
    kind = own("fractional").FractionalLaplacian
    rule = PeriodicTrapezoid(x=(0, 3.0), nodes=21)
    wave = 2 * math.pi / 3 * 4
    u = (wave * rule.nodes["x"]).sin()
    assert torch.allclose(kind(rule, 0.3) @ u, wave**0.6 * u, atol=1e-10)
    assert torch.allclose(kind(rule, 0.3) @ (kind(rule, 0.7) @ u), kind(rule, 1.0) @ u, atol=1e-9)
    with pytest.raises(pinnlab.errors.UserError, match="needs a PeriodicTrapezoid rule"):
        from pinnlab.operators import GaussLegendre

        kind(GaussLegendre(x=(0, 1)), 0.5)


PHASE = "[{class_path: GaussNewton, init_args: {steps: 25}}]"


@pytest.mark.slow
def test_equations_train_with_them_from_the_command_line(own):
    small = "{class_path: MLP, init_args: {width: 10, depth: 1}}"
    periodic = f"{{class_path: Periodic, init_args: {{periods: {{0: {2 * math.pi}}}, network: {small}}}}}"
    for name, network in (("Heated", small), ("Screened", periodic)):
        arguments = ["--model.network", network, "--model.phases", PHASE, "--run.name", name]
        assert main(["fit", "--model.equation", f"mine.{name}", *arguments]) == 0
        assert (Path("runs") / name / "source" / "mine.py").exists()
        assert pinnlab.load(f"runs/{name}").metrics["max_error"] < 1e-2


@pytest.mark.slow
def test_equations_are_solved_with_them(own):
    heated = pinnlab.solve(own("mine").Heated(), partial(MLP, width=10, depth=1), phases=[GaussNewton(25)])
    assert heated.metrics["max_error"] < 1e-2
    network = partial(Periodic, periods={0: 2 * math.pi}, network=partial(MLP, width=8, depth=1))
    screened = pinnlab.solve(own("mine").Screened(), network, phases=[GaussNewton(25)])
    assert screened.metrics["max_error"] < 1e-4
    assert float(screened(x=[0.5])[0]) == pytest.approx(math.cos(1.0), abs=1e-4)


def test_a_recipe_reaches_a_tolerance_or_says_why_not(own):
    spring, steady = own("spring").Spring, own("steady").Steady
    solution = pinnlab.solve(spring(), tol=1e-8, recipe=steady(4.0))
    assert solution.ending.reached and solution.ending.windows == 3
    assert solution.metrics["max_error"] <= 1e-8 and solution.metrics["uncertainty_u"] <= 1e-8
    assert list(dict.fromkeys(solution.history["solve/end"])) == [4.0, 8.0, 10.0]  # the last window is cut off
    short = pinnlab.solve(spring(), tol=1e-15, recipe=steady(10.0))
    assert not short.ending.reached and short.ending.reason == "160 features are too few from 0 to 10"
    assert list(short.history["solve/features"]) == [20, 40, 80, 160]
    assert short.findings == ["the tolerance was not reached: 160 features are too few from 0 to 10"]


def test_a_solve_with_a_recipe_is_repeated_to_the_same_bits(own):
    spring, steady = own("spring").Spring, own("steady").Steady
    first, again, other = (pinnlab.solve(spring(), tol=1e-6, recipe=steady(4.0), seed=seed) for seed in (1, 1, 2))
    times = torch.linspace(0, 10, 50).tolist()
    assert (first(t=times) == again(t=times)).all() and (first(t=times) != other(t=times)).any()
