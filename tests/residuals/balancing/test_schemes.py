"""Each scheme's formula against an example made by hand, and against the quantities of a small problem."""

import math

import pytest
import torch

from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.networks import MLP
from pinnlab.residuals import Residuals
from pinnlab.residuals.balancing import (
    Causal,
    Fixed,
    GradNorm,
    LearningRateAnnealing,
    NeuralTangentKernel,
    ReLoBRaLo,
    ResidualAttention,
    SelfAdaptive,
    Snapshot,
    SoftAdapt,
)
from pinnlab.residuals.balancing.causal import causal_weights
from pinnlab.residuals.balancing.grad_norm import gradient_norm_weights
from pinnlab.residuals.balancing.learning_rate_annealing import annealed_weights
from pinnlab.residuals.balancing.neural_tangent_kernel import kernel_weights
from pinnlab.residuals.balancing.relobralo import relative_weights
from pinnlab.residuals.balancing.residual_attention import attended
from pinnlab.residuals.balancing.soft_adapt import soft_adapt_weights
from pinnlab.residuals.weighting import Weighting

ENGINES = pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["NTP", "Autograd"])


class Heat(Equation):
    """u_t = 0.1 u_xx, u = sin πx at t = 0, u = 0 at the walls; derivatives of the residual in the loss."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 2), x=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) - 0.1 * u.d(x, x), sobolev=(1.0, 0.1), weight=2.0),
            "initial": Constraint(box.face("t", 0), lambda x, u: u - torch.sin(math.pi * x)),
            "walls": Constraint(box.faces("x"), lambda u: u),
        }


def points(n=11):
    torch.manual_seed(3)
    return {
        "interior": {"t": 2 * torch.rand(n), "x": torch.rand(n)},
        "initial": {"t": torch.zeros(5), "x": torch.rand(5)},
        "walls": {"t": 2 * torch.rand(4), "x": torch.tensor([0.0, 1.0, 0.0, 1.0])},
    }


def problem(engine=None):
    torch.manual_seed(1)
    return Residuals(MLP(2, 1, width=5, depth=2), Heat(), engine or NTP())


def snapshot(engine=None, ranks=None):
    residuals = problem(engine)
    weighting = residuals.over(points()).times({"walls": 3.0}).balanced({"initial": 50.0}, {})
    return residuals, weighting.fixed, Snapshot(residuals, points(), weighting, ranks)


@ENGINES
def test_a_snapshot_sees_the_residuals_under_the_fixed_weights(engine):
    residuals, fixed, here = snapshot(engine)
    blocks = residuals(points(), fixed)
    parameters = dict(residuals.network.named_parameters())
    for name, block in blocks.items():
        loss = block.square().sum()
        assert here.losses[name] == pytest.approx(float(loss.detach()), rel=1e-12)
        gradient = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True, materialize_grads=True)
        torch.testing.assert_close(here.gradients[name], torch.cat([g.flatten() for g in gradient]))
        torch.testing.assert_close(here.squares(name).mean(), loss.detach())
        assert here.squares(name).shape == (block.shape[1],)
        slopes = [
            slope
            for row in block.flatten()
            for slope in torch.autograd.grad(row, list(parameters.values()), retain_graph=True, materialize_grads=True)
        ]
        assert here.traces[name] == pytest.approx(sum(float(slope.square().sum()) for slope in slopes), rel=1e-10)
    other = fixed.balanced({"walls": 2.0}, {"interior": torch.linspace(0, 1, 11)})
    assert here.loss(other) == pytest.approx(float(residuals.loss(residuals(points(), other)).detach()), rel=1e-12)


def test_traces_that_are_taken_in_parts_are_those_of_the_whole(monkeypatch):
    whole = snapshot()[2].traces
    monkeypatch.setattr("pinnlab.residuals.balancing.snapshot._NUMBERS", 500)
    assert snapshot()[2].traces == pytest.approx(whole, rel=1e-12)


def test_weights_of_gradients_of_equal_norm():
    assert gradient_norm_weights({"a": 3.0, "b": 1.0, "c": 0.5}, {}) == {"a": 1.5, "b": 4.5, "c": 9.0}
    # a constraint that is satisfied has no gradient, and keeps its weight
    assert gradient_norm_weights({"a": 2.0, "b": 0.0}, {"b": 7.0}) == {"a": 1.0, "b": 7.0}
    _, _, here = snapshot()
    scheme, norms = GradNorm(momentum=0.0), {name: float(g.norm()) for name, g in here.gradients.items()}
    found = scheme.weights(scheme.update({}, here))
    assert [found[name] * norm for name, norm in norms.items()] == pytest.approx([sum(norms.values())] * 3)
    half = GradNorm(momentum=0.5).update({"weights": {"walls": 3.0}}, here)["weights"]
    assert half["walls"] == pytest.approx(1.5 + found["walls"] / 2)
    assert half["initial"] == pytest.approx(0.5 + found["initial"] / 2)


def test_learning_rate_annealing_is_a_largest_over_a_mean_entry():
    gradients = {"r": torch.tensor([1.0, -6.0]), "b": torch.tensor([0.5, -1.5]), "c": torch.zeros(2)}
    assert annealed_weights(gradients, "r", {"c": 4.0}) == {"b": 6.0, "c": 4.0}
    _, _, here = snapshot()
    found = LearningRateAnnealing(momentum=0.9).update({}, here)["weights"]
    largest, mean = float(here.gradients["interior"].abs().max()), float(here.gradients["walls"].abs().mean())
    assert found.keys() == {"initial", "walls"} and found["walls"] == pytest.approx(0.9 + 0.1 * largest / mean)
    other = LearningRateAnnealing(reference="walls")
    assert other.weighed(Heat()) == ["interior", "initial"]
    assert other.update({}, here)["weights"].keys() == {"interior", "initial"}


def test_kernel_weights_give_all_constraints_one_mean_rate():
    assert kernel_weights({"a": 6.0, "b": 2.0}, {}) == {"a": 8 / 6, "b": 4.0}
    _, _, here = snapshot()
    found = NeuralTangentKernel().update({}, here)["weights"]
    rates = [found[name] * trace for name, trace in here.traces.items()]
    assert rates == pytest.approx([sum(here.traces.values())] * 3)


def test_relative_loss_balancing():
    e = math.exp
    found = relative_weights({"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 2.0}, 0.5)
    assert found == pytest.approx({"a": 2 * e(1) / (e(1) + e(2)), "b": 2 * e(2) / (e(1) + e(2))})
    assert relative_weights({"a": 1.0, "b": 1.0}, {"a": 0.0, "b": 1.0}, 0.1) == {"a": 2.0, "b": 0.0}
    _, _, here = snapshot()
    first = {"interior": 5.0, "initial": 0.5, "walls": 0.1}
    last = {"interior": 2.0, "initial": 0.4, "walls": 0.2}
    before = {"interior": 0.5, "initial": 1.5, "walls": 1.0}
    state = {"weights": before, "first": first, "last": last, "updates": 7}
    latest, earliest = (relative_weights(here.losses, losses, 0.2) for losses in (last, first))
    for lookback, history in ((0.0, earliest), (1 - 1e-12, before)):
        scheme = ReLoBRaLo(alpha=0.9, lookback=lookback, temperature=0.2)
        found = scheme.update(state, here)
        assert found["weights"] == pytest.approx({n: 0.9 * history[n] + 0.1 * latest[n] for n in latest})
        assert (found["first"], found["last"], found["updates"]) == (first, here.losses, 8)
    assert ReLoBRaLo().update({}, here)["weights"] == pytest.approx(dict.fromkeys(latest, 1.0))


def test_lookbacks_come_as_often_as_expected_and_depend_on_the_seed_alone():
    scheme = ReLoBRaLo(lookback=0.8)
    draws = [scheme._keeps(update) for update in range(2000)]
    assert draws == [ReLoBRaLo(lookback=0.8)._keeps(update) for update in range(2000)]
    assert sum(draws) / 2000 == pytest.approx(0.8, abs=0.03)
    assert draws != [ReLoBRaLo(lookback=0.8, seed=1)._keeps(update) for update in range(2000)]


def test_soft_adapt_favours_large_losses_that_do_not_fall():
    e = math.exp
    now, before = {"a": 3.0, "b": 1.0}, {"a": 4.0, "b": 0.0}
    total = 3 * e(-0.25) + e(0.25)
    found = soft_adapt_weights(now, before, 0.5)
    assert found == pytest.approx({"a": 2 * 3 * e(-0.25) / total, "b": 2 * e(0.25) / total})
    plain = soft_adapt_weights(now, before, 0.5, loss_weighted=False)
    assert plain["b"] / plain["a"] == pytest.approx(e(0.5))
    assert soft_adapt_weights({"a": 0.0, "b": 0.0}, {"a": 0.0, "b": 0.0}, 0.1) == {"a": 1.0, "b": 1.0}
    _, _, here = snapshot()
    state = SoftAdapt().update({}, here)
    assert state["losses"] == here.losses
    total = sum(here.losses.values())
    assert state["weights"] == pytest.approx({name: 3 * loss / total for name, loss in here.losses.items()})


def test_self_adaptive_weights_follow_the_gradient_of_the_loss_upwards():
    """Steps of torch's own Adam that maximises the loss over the weights; the first one is η up at every point."""
    residuals, fixed, here = snapshot()
    scheme, state = SelfAdaptive(rate=0.3, power=2.0, constraints=["interior"]), {}
    λ = torch.nn.Parameter(torch.ones(11))
    adam = torch.optim.Adam([λ], lr=0.3, maximize=True)
    for step in range(4):
        state = scheme.update(state, here)
        adam.zero_grad()
        block = residuals(points(), fixed.balanced({}, {"interior": λ**2}))["interior"]
        (11 * block.square().sum()).backward()
        adam.step()
        torch.testing.assert_close(state["ascent"]["interior"][0], λ.detach(), rtol=1e-9, atol=0)
        if step == 0:
            torch.testing.assert_close(λ.detach(), torch.full((11,), 1.3))
    v = scheme.at(state, "interior", points()["interior"])
    torch.testing.assert_close(v, λ.detach() ** 2)
    assert scheme.at(state, "walls", points()["walls"]) is None


def test_attention_is_a_decaying_sum_of_relative_residuals():
    found = attended(torch.tensor([0.0, 1.0]), torch.tensor([4.0, 1.0]), 0.9, 0.1)
    torch.testing.assert_close(found, torch.tensor([0.1, 0.95]))
    assert attended(torch.ones(2), torch.zeros(2), 0.9, 0.1).tolist() == [0.9, 0.9]
    _, _, here = snapshot()
    scheme = ResidualAttention(decay=0.5, rate=0.2)
    state = scheme.update(scheme.update({}, here), here)
    sizes = here.squares("walls").sqrt()
    v = scheme.at(state, "walls", points()["walls"])
    torch.testing.assert_close(v, (0.3 * sizes / sizes.max()) ** 2)
    for _ in range(60):
        state = scheme.update(state, here)
    assert float(state["attention"]["walls"].max()) == pytest.approx(0.2 / (1 - 0.5))


def test_causal_weights_fall_with_the_losses_of_earlier_times():
    found = causal_weights(torch.tensor([0.5, 2.0, 1.0]), 2.0)
    torch.testing.assert_close(found, torch.tensor([1.0, math.exp(-1), math.exp(-5)]))
    _, _, here = snapshot()
    scheme = Causal(intervals=3, epsilons=(0.7, 1.4))
    state = scheme.update({}, here)
    t, s = points()["interior"]["t"], here.squares("interior")
    edges = torch.linspace(float(t.min()), float(t.max()), 4)
    place = (torch.bucketize(t, edges, right=True) - 1).clamp(max=2)
    losses = torch.stack([s[place == k].mean() for k in range(3)])
    expected = torch.exp(-0.7 * torch.stack([losses[:k].sum() for k in range(3)]))
    torch.testing.assert_close(state["intervals"], expected)
    torch.testing.assert_close(scheme.at(state, "interior", points()["interior"]), expected[place])
    # other points have the weights of their times, beyond the ends those of the ends
    moved = scheme.at(state, "interior", {"t": torch.tensor([-1.0, 5.0]), "x": torch.zeros(2)})
    torch.testing.assert_close(moved, expected[[0, 2]])
    assert scheme.at(state, "walls", points()["walls"]) is None
    assert state["stage"] == 0


def test_the_next_epsilon_comes_once_all_times_count():
    _, _, here = snapshot()
    scheme = Causal(intervals=4, epsilons=(1e-9, 1e-8, 5.0), threshold=0.9)
    stages, state = [], {}
    for _ in range(4):
        state = scheme.update(state, here)
        stages.append(state["stage"])
    assert stages == [1, 2, 2, 2]
    assert float(state["intervals"].min()) < 0.9


class Share:
    """One of two processes, with what the other one would send at hand."""

    size = 2

    def __init__(self, rank, other=None):
        self.rank, self.other = rank, other

    def sum(self, tensor):
        return tensor

    def stack(self, tensor):
        return torch.cat([tensor, self.other] if self.rank == 0 else [self.other, tensor])


@pytest.mark.parametrize("count", [7, 8])
def test_values_of_shared_points_are_put_in_their_order(count):
    values, residuals = torch.arange(float(count)), problem()
    shares = [values[rank::2] for rank in (0, 1)]
    padded = [torch.cat([part, torch.zeros((count + 1) // 2 - len(part))])[None] for part in shares]
    weighting = residuals.weighting.over({"walls": count})
    for rank in (0, 1):
        here = Snapshot(residuals, points(), weighting, Share(rank, padded[1 - rank]))
        assert torch.equal(here.everywhere("walls", shares[rank]), values)
        state = {"points": {"walls": values}}
        assert torch.equal(SelfAdaptive().at(state, "walls", {"x": shares[rank]}, rank, 2), shares[rank])


def test_when_weights_are_updated():
    assert [step for step in range(12) if GradNorm(every=4, until=8).due(step)] == [0, 4]
    assert not any(Fixed().due(step) for step in range(3)) and Fixed().weighed(Heat()) == []
    residuals = problem()
    assert isinstance(residuals.weighting.balanced(Fixed().weights({}), {}), Weighting)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GradNorm(every=0), "GradNorm: every must be at least 1"),
        (lambda: GradNorm(momentum=1.0), "GradNorm: momentum must be at least 0 and below 1, got 1.0"),
        (lambda: LearningRateAnnealing(until=-1), "until"),
        (lambda: ReLoBRaLo(temperature=0), "temperature must be positive"),
        (lambda: ReLoBRaLo(alpha=-0.1), "alpha"),
        (lambda: SoftAdapt(beta=math.nan), "beta must be finite"),
        (lambda: SelfAdaptive(rate=math.inf), "rate"),
        (lambda: ResidualAttention(decay=1.0), "decay"),
        (lambda: Causal(intervals=1), "at least 2 intervals"),
        (lambda: Causal(epsilons=[-1.0]), "epsilons must be positive"),
        (lambda: Causal(time="y").weighed(Heat()), "Heat has no input 'y' for the time; it has t, x"),
        (lambda: Causal(constraint="top").weighed(Heat()), "no constraint 'top'; it has interior, initial, walls"),
        (lambda: SelfAdaptive(constraints=["top"]).weighed(Heat()), "no constraint 'top'"),
        (lambda: LearningRateAnnealing(reference="top").weighed(Heat()), "no constraint 'top'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(UserError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
