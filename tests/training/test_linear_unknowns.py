"""Linear unknowns between steps: what is stored and recorded belongs to the network that it stands beside."""

import copy
import functools

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback
from scipy.optimize import lsq_linear

import pinnlab
from pinnlab.collocation import Grid, Uniform
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Interval, PointSet
from pinnlab.networks import MLP, RandomFeatures, Staged
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.residuals import Residuals
from pinnlab.training import LBFGS, SSBFGS, Adam, GaussNewton, SSBroyden
from pinnlab.training.phases import Phase

SMALL = functools.partial(MLP, width=6, depth=1)
POINTS = {"interior": 15, "origin": 5}
PHASES = {
    "Adam": Adam(5, lr=0.05),
    "LBFGS": LBFGS(3, inner=4),
    "SSBroyden": SSBroyden(3, inner=4),
    "SSBFGS": SSBFGS(3, inner=4),
    "GaussNewton": GaussNewton(4),
    "weights": GaussNewton(3, weights={"interior": 0.3}),
    "freeze": GaussNewton(4, freeze=2),
    "freeze to the end": GaussNewton(2, freeze=5),
}


class Two(Equation):
    """u'' + a u' + b u = 1 with correlated linear unknowns, of which one meets its bound, and another unknown c."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self):
        super().__init__()
        self.a = Unknown(0.7, (0.4, 0.8), linear=True)
        self.b = Unknown(0.1, linear=True)
        self.c = Unknown(0.5, (0.0, 1.0))

    def constraints(self):
        return {
            "interior": Constraint(Interval(x=(0, 1)), self.residual, points=12, sobolev=(1.0, 0.1)),
            "ends": Constraint(PointSet(x=[0.0, 1.0], m=[1.0, 0.5]), lambda u, m, c: u - m * c),
        }

    def residual(self, x, u, a, b):
        return u.d(x, x) + a * u.d(x) + b * u - 1


class Bare(Phase):
    """A phase of a user's own, with an optimiser that knows nothing of unknowns."""

    def optimizer(self, parameters):
        return torch.optim.SGD(parameters, lr=0.05, momentum=0.9)

    def step(self, optimizer, objective, step):
        return float(optimizer.step(objective.closure(optimizer)))


def least_squares(residuals, points, weighting):
    """The linear unknowns by scipy, from rows at several values, evaluated point by point."""
    unknowns = residuals.equation.unknowns()
    linear = [name for name, unknown in unknowns.items() if unknown.linear]
    twin = copy.deepcopy(residuals)

    def rows(values):
        for name, value in zip(linear, values, strict=True):
            with torch.no_grad():
                twin.equation.unknowns()[name].parameter.fill_(value)
        return np.concatenate([b.detach().numpy().ravel() for b in twin(points, weighting).values()])

    constant = rows(np.zeros(len(linear)))
    matrix = np.stack([rows(unit) - constant for unit in np.eye(len(linear))], 1)
    low, high = np.array([unknowns[name].limits for name in linear]).T
    found = lsq_linear(matrix, -constant, (low, high), method="bvls", tol=1e-15).x
    return dict(zip(linear, np.clip(found, low, high), strict=True))


class Watch(Callback):
    """After every step: whether the unknowns are the least-squares values of the network, where they are not held."""

    def __init__(self):
        self.errors, self.losses, self.values, self.before = [], [], [], []

    def on_train_batch_start(self, trainer, module, batch, *rest):
        self.before.append((copy.deepcopy(module.residuals), batch, module.schedule.phase, module.unknowns()))

    def on_train_batch_end(self, trainer, module, outputs, batch, *rest):
        _, _, phase, before = self.before[-1]
        step = module.schedule.step_in_phase or phase.steps
        now = module.unknowns()
        linear = [name for name, unknown in module.equation.unknowns().items() if unknown.linear]
        self.values.append(now)
        if phase.holds(step - 1):
            assert all(now[name] == before[name] for name in linear)
            return
        weighting = module.residuals.over(batch).times(phase.weights)
        expected = least_squares(module.residuals, batch, weighting)
        self.errors.append(max(abs(now[name] - expected[name]) / abs(expected[name]) for name in linear))


def run(equation, points, phases, engine, network=SMALL, **options):
    watch = Watch()
    options = {"accelerator": "cpu", "sampler": Uniform(), "log_every_n_steps": 1, "limit_val_batches": 0, **options}
    solution = pinnlab.solve(
        equation, network, engine, phases=phases, points=points, callbacks=[watch, *options.pop("more", [])], **options
    )
    return solution, watch


def cases(equations):
    """All phases under one engine and some of them under the other."""
    every = [*PHASES.items(), ("a user's own", Bare(4))]
    chosen = [(name, phase, NTP()) for name, phase in every]
    chosen += [(name, phase, Autograd()) for name, phase in every if name in ("Adam", "SSBroyden", "weights")]
    return [
        pytest.param(phase, engine, equation, id=f"{name}-{type(engine).__name__}-{equation.__name__}")
        for name, phase, engine in chosen
        for equation in equations
    ]


@pytest.mark.parametrize(("phase", "engine", "equation"), cases([Two, SelfSimilarBurgers]))
def test_after_every_step_the_values_are_those_of_the_network(phase, engine, equation):
    points = POINTS if equation is SelfSimilarBurgers else {}
    solution, watch = run(equation(), points, [phase, Adam(2)], engine, resample_every=2)
    assert max(watch.errors) < 1e-12
    assert solution.unknowns == watch.values[-1]
    for name, unknown in solution.model.equation.unknowns().items():
        low, high = unknown.limits
        assert all(low <= values[name] <= high for values in watch.values)


@pytest.mark.parametrize(("phase", "engine", "equation"), cases([Two]))
def test_a_row_pairs_a_loss_with_the_unknowns_that_it_was_evaluated_with(phase, engine, equation):
    solution, watch = run(equation(), {}, [phase], engine, resample_every=2)
    history = solution.history
    assert len(history["loss"]) == len(watch.before) + 1
    for row, (residuals, points, _, _) in enumerate(watch.before):
        with torch.no_grad():
            for name, unknown in residuals.equation.unknowns().items():
                unknown.parameter.fill_(history[name][row])
        weighting = residuals.over(points).times(phase.weights)
        assert float(Residuals.loss(residuals(points, weighting)).detach()) == pytest.approx(
            history["loss"][row], rel=1e-12
        )
    assert {name: history[name][-1] for name in "abc"} == solution.unknowns


def test_a_held_unknown_is_said_with_the_value_that_it_was_held_at(capsys):
    phases = [GaussNewton(3, freeze=3), GaussNewton(2)]
    solution, _ = run(SelfSimilarBurgers(start=0.6), POINTS, phases, NTP(), progress=True)
    assert solution.history["lam"][:4].tolist() == [0.6] * 4
    assert solution.history["lam"][4] != 0.6
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "phase 1 (GaussNewton) ended" in line]
    assert "lam 0.6:" in line
    residuals, points, _, _ = run(SelfSimilarBurgers(start=0.6), POINTS, [GaussNewton(1, freeze=1)], NTP())[1].before[0]
    assert float(Residuals.loss(residuals(points)).detach()) == pytest.approx(solution.history["loss"][0], rel=1e-12)


def test_a_stage_that_begins_with_an_unknown_held_begins_with_its_loss():
    network = functools.partial(Staged, stages=[SMALL, functools.partial(RandomFeatures, features=5)])
    phases = [GaussNewton(2), GaussNewton(2, freeze=1, stage=2)]
    solution, watch = run(SelfSimilarBurgers(), POINTS, phases, NTP(), network, sampler=Grid())
    scale = solution.model.residuals.network.scales[1]
    begun = [i for i, step in enumerate(solution.history["step"]) if step == 2][1]
    assert scale**2 == pytest.approx(solution.history["loss"][begun], rel=1e-12)
    assert solution.history["lam"][begun] == watch.values[1]["lam"]


def test_no_trial_of_a_line_search_is_written():
    class Spy(Two):
        written: set

        def residual(self, x, u, a, b):
            self.written.add((float(self.a.parameter.detach()), float(self.b.parameter.detach())))
            return super().residual(x, u, a, b)

    Spy.written = set()
    pinnlab.solve(Spy(), SMALL, phases=[LBFGS(1, inner=10)], accelerator="cpu", limit_val_batches=0)
    assert len(Spy.written) <= 2  # the start, and where the step ended
