"""Balanced weights in a training: frozen within a step, compared like with like, in the record, refused where wrong."""

import functools
import math

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback

import pinnlab
from pinnlab.collocation import Grid, Sobol, Uniform
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Whole
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Interval, select
from pinnlab.networks import MLP
from pinnlab.optimisers.limited_memory import LimitedBFGS
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.ranks import Ranks
from pinnlab.residuals import Residuals, balancing
from pinnlab.residuals.balancing import Balancing, Fixed
from pinnlab.training import LBFGS, Adam, GaussNewton, SSBroyden
from pinnlab.training.balancer import Balancer
from pinnlab.training.callbacks import ResidualAdaptive
from tests.problems import Decay

SMALL = functools.partial(MLP, width=10, depth=2)
SCHEMES = {
    "GradNorm": balancing.GradNorm(every=3),
    "LearningRateAnnealing": balancing.LearningRateAnnealing(every=2),
    "NeuralTangentKernel": balancing.NeuralTangentKernel(every=4),
    "ReLoBRaLo": balancing.ReLoBRaLo(lookback=0.5, alpha=0.9),
    "SoftAdapt": balancing.SoftAdapt(every=1),
    "SelfAdaptive": balancing.SelfAdaptive(until=20),
    "ResidualAttention": balancing.ResidualAttention(),
    "Causal": balancing.Causal(intervals=8),
}


class Heat(Equation):
    """u_t = 0.1 u_xx, u = sin πx at t = 0, u = 0 at the walls."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 1), x=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) - 0.1 * u.d(x, x), points=80),
            "initial": Constraint(box.face("t", 0), lambda x, u: u - torch.sin(math.pi * x), points=20),
            "walls": Constraint(box.faces("x"), lambda u: u, points=20),
        }

    def exact(self, t, x):
        return torch.exp(-0.1 * math.pi**2 * t) * torch.sin(math.pi * x)


class Swinging(Balancing):
    """Weights that jump by orders of magnitude before every step."""

    def __init__(self, factor=10.0):
        super().__init__(1)
        self.factor = factor

    def update(self, state, here):
        count = state.get("updates", 0) + 1
        return {"updates": count, "weights": {"walls": self.factor ** (count % 3), "initial": 3.0**-count}}


class Watch(Callback):
    """The loss at the end of every step under the weights of the step, and these."""

    def __init__(self):
        self.weights, self.ends = [], []

    def on_train_batch_end(self, trainer, module, outputs, batch, *rest):
        weighting = module.steps.objective(batch, Ranks()).weighting
        self.weights.append({name: weighting[name].balance for name in batch})
        with torch.no_grad():
            self.ends.append(float(Residuals.loss(module.residuals(batch, weighting))))


def solve(scheme, phases, equation=None, network=SMALL, **options):
    options = {"accelerator": "cpu", "limit_val_batches": 0, "log_every_n_steps": 1} | options
    return pinnlab.solve(equation or Heat(), network, phases=phases, balancing=scheme, **options)


def test_no_balancing_and_fixed_weights_are_the_same_bits():
    phases = [Adam(4), LBFGS(2, inner=3), GaussNewton(2, weights={"walls": 3.0})]
    one, two = (solve(scheme, phases) for scheme in (None, Fixed()))
    assert one.history.keys() == two.history.keys() and not any(name.startswith("weight/") for name in one.history)
    for name, column in one.history.items():
        if name != "seconds":
            np.testing.assert_array_equal(column, two.history[name])


@pytest.mark.parametrize(
    "scheme",
    [
        pytest.param(scheme, marks=() if name in ("GradNorm", "ResidualAttention") else pytest.mark.long, id=name)
        for name, scheme in SCHEMES.items()
    ],
)
def test_gauss_newton_solves_a_small_problem_under_each_scheme(scheme):
    solution = solve(scheme, [Adam(5), GaussNewton(35, plateau=None)], sampler=Grid(), limit_val_batches=1)
    assert solution.metrics["relative_l2"] < 1e-4
    changed = [name for name in solution.history if name.startswith("weight/")]
    assert changed == [f"weight/{name}" for name in scheme.weighed(Heat())]
    assert all(np.ptp(solution.history[name]) > 0 for name in changed if solution.history[name][0] != 1.0)


@pytest.mark.long
@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["NTP", "Autograd"])
@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_all_optimisers_solve_a_small_problem_under_each_scheme(scheme, engine):
    phases = [Adam(200, lr=5e-3), LBFGS(10), SSBroyden(8), GaussNewton(30)]
    solution = solve(scheme, phases, engine=engine, limit_val_batches=1)
    assert solution.metrics["relative_l2"] < 1e-3


@pytest.mark.parametrize("phase", [LBFGS(6, inner=5), SSBroyden(6, inner=5), GaussNewton(6, plateau=None)], ids=type)
def test_weights_are_frozen_within_a_step_and_steps_compare_like_with_like(phase):
    """Every step lowers the loss with the weights that it began with, however much these change between steps."""

    class Starts(type(phase)):
        def step(self, optimizer, objective, step):
            before = objective.weighting
            start = super().step(optimizer, objective, step)
            assert objective.weighting is before
            starts.append(start)
            return start

    starts, watch = [], Watch()
    chosen = Starts(*phase.made_with[0], **phase.made_with[1])
    solution = solve(Swinging(), [chosen], callbacks=[watch])
    assert [weights["walls"] for weights in watch.weights] == [10.0, 100.0, 1.0] * 2
    assert len(starts) == 6 and all(end < start for start, end in zip(starts, watch.ends, strict=True))
    # the record has the loss of the fixed weights: with the weights, its shares are what was minimised
    history = solution.history
    for row, start in enumerate(starts):
        weighted = sum(history[f"weight/{name}"][row] * history[f"loss/{name}"][row] for name in Heat().constraints())
        assert weighted == pytest.approx(start, rel=1e-12)
        shares = sum(history[f"loss/{name}"][row] for name in Heat().constraints())
        assert shares == pytest.approx(history["loss"][row], rel=1e-12)


def test_a_factor_on_all_weights_changes_no_step_of_gauss_newton():
    """The damping is in units of the loss, and follows it where the weights change."""

    class Growing(Balancing):
        def __init__(self):
            super().__init__(2)

        def update(self, state, here):
            size = state.get("size", 1.0) * 64.0
            return {"size": size, "weights": dict.fromkeys(here.points, size)}

    one, two = (solve(scheme, [GaussNewton(8, plateau=None)]) for scheme in (None, Growing()))
    np.testing.assert_allclose(one.history["loss"], two.history["loss"], rtol=1e-6)
    last = two.history["weight/walls"][-1]
    assert last == 64.0**4
    np.testing.assert_allclose(
        one.history["optimiser/damping"][-1] * last, two.history["optimiser/damping"][-1], rtol=1e-6
    )


def test_l_bfgs_learns_nothing_from_the_gradients_of_two_losses():
    """Of two multiples of ½ x·Bx, every pair (s, y) has y = c Bs with the c of one of them."""
    x = torch.nn.Parameter(torch.linspace(-300.0, 500.0, 12))
    bend = torch.logspace(0, 3, 12)
    optimizer = LimitedBFGS(
        [x], max_iter=3, max_eval=100, line_search_fn="strong_wolfe", tolerance_grad=0, tolerance_change=0
    )
    for scale in (1.0, 1000.0, 10.0):
        optimizer.forget_gradient()

        def closure(scale=scale):
            optimizer.zero_grad()
            loss = scale * (bend * x**2).sum() / 2
            loss.backward()
            return loss

        optimizer.step(closure)
    memory = optimizer.state[x]
    assert len(memory["old_dirs"]) == 6
    for y, s in zip(memory["old_dirs"], memory["old_stps"], strict=True):
        ratio = y / (bend * s)
        torch.testing.assert_close(ratio, torch.full_like(ratio, float(ratio[0])))
        assert min(abs(float(ratio[0]) - scale) for scale in (1.0, 1000.0, 10.0)) < 1e-6 * float(ratio[0])


def test_stopping_rules_see_the_loss_of_the_fixed_weights():
    solution = solve(Swinging(1000.0), [Adam(40, tolerance=1e9)])
    assert len(solution.history["loss"]) == 2  # a first step, and its end
    assert solution.history["loss"][0] < 100


@pytest.mark.parametrize("name", ["SelfAdaptive", "ResidualAttention"])
def test_weights_of_points_that_are_drawn_anew_are_refused(name):
    with pytest.raises(UserError, match=f"{name} keeps a weight for each point, and this run draws its points anew"):
        solve(SCHEMES[name], [Adam(2)], resample_every=1)
    with pytest.raises(UserError, match=f"{name} keeps a weight for each point"):
        solve(SCHEMES[name], [Adam(2)], callbacks=[ResidualAdaptive(every=1, candidates=200)])


@pytest.mark.parametrize("name", ["GradNorm", "Causal"])
def test_weights_of_constraints_and_times_take_points_that_are_drawn_anew(name):
    solution = solve(SCHEMES[name], [Adam(6), GaussNewton(3)], resample_every=1, sampler=Uniform())
    assert np.isfinite(solution.history["loss"]).all()


class Gauss:
    """A Gauss-Legendre rule on [0, 1]."""

    def __init__(self, count):
        nodes, weights = map(torch.from_numpy, np.polynomial.legendre.leggauss(count))
        self.count, self.nodes, self.weights, self.bounds = count, {"x": (nodes + 1) / 2}, weights / 2, {"x": (0, 1)}

    def finer(self):
        return Gauss(2 * self.count)


class Insulated(Equation):
    """u_t = 0.1 u_xx with insulated walls, whose heat ∫u dx stays 1: rows of groups of nodes, one for each of ten t."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 1), x=(0, 1))
        heat = Whole(Gauss(6), lambda u, weight: (weight * u).sum() - 1, 10, each=Interval(t=(0, 1)))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) - 0.1 * u.d(x, x), points=60),
            "initial": Constraint(box.face("t", 0), lambda x, u: u - 1 - torch.cos(math.pi * x), points=20),
            "walls": Constraint(box.faces("x"), lambda x, u: u.d(x), points=20),
            "heat": heat,
        }

    def exact(self, t, x):
        return 1 + torch.exp(-0.1 * math.pi**2 * t) * torch.cos(math.pi * x)


@pytest.mark.long
@pytest.mark.parametrize(
    "scheme",
    [
        balancing.NeuralTangentKernel(every=3),
        balancing.SelfAdaptive(until=10),
        balancing.Causal(constraint="heat", intervals=4),
    ],
    ids=["b", "v", "times"],
)
def test_rows_of_groups_of_nodes_have_weights_too(scheme):
    solution = solve(scheme, [GaussNewton(20)], Insulated(), limit_val_batches=1)
    assert solution.metrics["relative_l2"] < 1e-4
    weighed, state = solution.history["weight/heat"], solution.model.balancer.state
    assert np.isfinite(weighed).all() and (np.ptp(weighed) > 0 or "intervals" in state)
    if "points" in state:
        assert state["points"]["heat"].shape == (10,)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_a_stored_state_goes_on_with_the_same_bits(scheme, tmp_path):
    torch.manual_seed(0)
    residuals, alone = Residuals(MLP(2, 1, width=5), Heat(), NTP()), Ranks()
    points = {name: Sobol().sample(c.region, c.points, 0) for name, c in Heat().constraints().items()}
    fixed, here = residuals.over(points), Balancer(scheme, Heat())
    for _ in range(3):
        here.update(0, residuals, points, fixed, alone)
        with torch.no_grad():
            for p in residuals.parameters():
                p.mul_(0.9)
    torch.save(here.state_dict(), tmp_path / "state")
    there = Balancer(scheme, Heat())
    there.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    for _ in range(2):
        assert here.weighting(fixed, points, alone).same(there.weighting(fixed, points, alone))
        assert not here.weighting(fixed, points, alone).same(fixed)
        for balancer in (here, there):
            balancer.update(0, residuals, points, fixed, alone)


def test_weights_of_another_number_of_points_are_refused():
    residuals, alone = Residuals(MLP(2, 1, width=5), Heat(), NTP()), Ranks()
    points = {name: Sobol().sample(c.region, c.points, 0) for name, c in Heat().constraints().items()}
    balancer = Balancer(SCHEMES["SelfAdaptive"], Heat())
    balancer.update(0, residuals, points, residuals.over(points), alone)
    points["walls"] = select(points["walls"], slice(5))
    with pytest.raises(UserError, match="those of 'walls' are of another number of points"):
        balancer.weighting(residuals.over(points), points, alone)


def test_what_fits_no_equation_is_refused_before_training():
    with pytest.raises(UserError, match="SelfSimilarBurgers has no input 't' for the time; it has X"):
        solve(balancing.Causal(), [Adam(1)], SelfSimilarBurgers())
    with pytest.raises(UserError, match=r"solve takes a Balancing, such as GradNorm\(\), not the class GradNorm"):
        solve(balancing.GradNorm, [Adam(1)])


@pytest.mark.parametrize("scheme", [balancing.GradNorm(every=1), balancing.SelfAdaptive()], ids=["b", "v"])
@pytest.mark.parametrize("phase", [Adam(4), GaussNewton(4, plateau=None)], ids=["Adam", "GaussNewton"])
def test_linear_unknowns_are_those_of_the_weights(scheme, phase):
    """After a step no change of a linear unknown lowers the loss with the weights of the step."""
    slopes = []

    class After(Callback):
        def on_train_batch_end(self, trainer, module, outputs, batch, *rest):
            weighting = module.steps.objective(batch, Ranks()).weighting
            parameter = module.equation.k.parameter
            losses = []
            for shift in (-1e-4, 1e-4):
                with torch.no_grad():
                    parameter.add_(shift)
                    losses.append(float(Residuals.loss(module.residuals(batch, weighting))))
                    parameter.sub_(shift)
            slopes.append((losses[1] - losses[0]) / 2e-4 / losses[0])

    solve(scheme, [phase], Decay(linear=True), callbacks=[After()])
    assert len(slopes) == 4 and max(map(abs, slopes)) < 1e-6
