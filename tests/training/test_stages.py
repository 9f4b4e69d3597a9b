"""Training in stages: what each phase changes, where a stage begins, and what a checkpoint holds of it."""

import copy
import math
from functools import partial

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback

import pinnlab
from pinnlab.collocation import Grid, Uniform
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.networks import MLP, Even, RandomFeatures, Staged, Taylor
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.training import LBFGS, Adam, GaussNewton, SSBroyden
from pinnlab.training.pinn import PINN
from tests.problems import Decay

SMALL = partial(MLP, width=6, depth=1, initialisation="kaiming_uniform")
QUICK = partial(MLP, width=6, depth=1, initialisation="kaiming_uniform", activation="sin")
TWO = partial(Staged, stages=[SMALL, QUICK])


class Watch(Callback):
    """Keeps, before every step, the state and what was trained, and after it the loss where it started."""

    def __init__(self):
        self.states, self.trained, self.losses, self.gradients = [], [], [], []

    def on_train_batch_start(self, trainer, module, *rest):
        self.states.append(copy.deepcopy(module.state_dict()))

    def on_train_batch_end(self, trainer, module, outputs, *rest):
        self.trained.append({name for name, p in module.named_parameters() if p.requires_grad})
        self.gradients.append({name for name, p in module.named_parameters() if p.grad is not None})
        self.losses.append(outputs["report"].loss)

    def on_train_end(self, trainer, module):
        self.states.append(copy.deepcopy(module.state_dict()))


def solve(network, phases, equation=None, **options):
    watch = Watch()
    options = {"accelerator": "cpu", "sampler": Grid(), "callbacks": [watch], "log_every_n_steps": 1, **options}
    solution = pinnlab.solve(equation or Decay(), network, phases=phases, **options)
    (staged,) = [module for module in solution.model.modules() if isinstance(module, Staged)]
    return solution, staged, watch


def changed(one, other):
    return {name for name in one if not torch.equal(one[name], other[name])}


LATER = {
    "Adam": Adam(40, lr=1e-3, stage=2),
    "LBFGS": LBFGS(3, inner=5, stage=2),
    "SSBroyden": SSBroyden(3, inner=5, stage=2),
    "GaussNewton": GaussNewton(5, stage=2),
}


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["jets", "autograd"])
@pytest.mark.parametrize("later", list(LATER))
def test_a_stage_goes_on_where_the_one_before_ended(later, engine):
    """The loss is the same where it begins and lower after; nothing else than it and the unknown has changed."""
    solution, staged, watch = solve(TWO, [Adam(30, lr=1e-2), LATER[later]], engine=engine)
    history = solution.history
    ended, begun = (int(np.flatnonzero(history["step"] == 30)[i]) for i in (0, -1))
    assert ended < begun
    assert history["loss"][begun] == pytest.approx(history["loss"][ended], rel=1e-12)
    assert history["loss"][-1] < 0.99 * history["loss"][begun]
    assert staged.scales == [1.0, pytest.approx(math.sqrt(history["loss"][begun]), rel=1e-12)]

    names = dict(solution.model.named_parameters())
    stages = [{name for name in names if f".stages.{number}." in name} for number in (0, 1)]
    unknown = {name for name in names if name.startswith("residuals.equation.k")}
    assert set(names) == stages[0] | stages[1] | unknown and len(unknown) == 1
    assert watch.trained == [stages[0] | unknown] * 30 + [stages[1] | unknown] * (len(watch.trained) - 30)
    first, middle, last = (watch.states[i] for i in (0, 30, -1))
    assert changed(first, middle) == stages[0] | unknown
    assert changed(middle, last) == stages[1] | unknown | {"residuals.network._extra_state"}


def test_three_stages_at_depth_with_a_linear_unknown():
    """Inside of transforms, each stage lowers the loss; the scales are the square roots of what was left."""

    def network(inputs, outputs):
        inner = partial(Staged, stages=[SMALL, QUICK, SMALL])
        return Taylor(inputs, outputs, [0.0, -1.0, 0.0], lambda i, o: Even(i, o, inner))

    equation = SelfSimilarBurgers(1, extent=(0.0, 2.0), origin=(0.0, 0.3))
    phases = [
        GaussNewton(4),
        GaussNewton(4, weights={"origin": 0.5}, freeze=2, stage=2),
        Adam(5, stage=2),
        GaussNewton(4, stage=3),
    ]
    _, staged, watch = solve(network, phases, equation, points={"interior": 20, "origin": 5})
    assert watch.losses[4 + 4 + 5] < watch.losses[4]
    assert watch.losses[-1] < watch.losses[4 + 4 + 5]
    scales = [state["residuals.network.network.network._extra_state"].tolist() for state in watch.states]
    assert scales[:5] == [[1.0, 0.0, 0.0]] * 5 and scales[-1] == staged.scales
    assert all(scale == [1.0, staged.scales[1], 0.0] for scale in scales[5:14])
    assert staged.scales[2] == pytest.approx(math.sqrt(watch.losses[13]), rel=1e-12)
    # a phase that holds the unknown has it as it came
    assert changed(watch.states[4], watch.states[5]).isdisjoint({"residuals.equation.lam.parameter"})


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["jets", "autograd"])
def test_fixed_features_of_a_rough_solution_end_at_rounding(engine):
    """A handful of steps, the unknown included; the features' own weights are not touched."""
    network = partial(Staged, stages=[SMALL, partial(RandomFeatures, features=40, scale=2.0)], reuse=True)
    phases = [GaussNewton(6), GaussNewton(8, stage=2, damping=1e-15)]
    solution, staged, watch = solve(network, phases, engine=engine, points={"interior": 60})
    error = [abs(state["residuals.equation.k.parameter"].item() - math.log(2)) for state in watch.states]
    assert error[6] > 1e-6
    assert error[-1] < 1e-12 and solution.metrics["max_error"] < 1e-12
    assert solution.metrics["uncertainty_u"] < 1e-11
    assert torch.equal(staged.stages[1].weight, watch.states[0]["residuals.network.stages.1.weight"])
    assert watch.trained[-1] == {f"residuals.network.stages.1.last.{p}" for p in ("weight", "bias")} | {
        "residuals.equation.k.parameter"
    }


def test_with_one_stage_it_is_the_network():
    one = solve(partial(Staged, stages=[SMALL]), [Adam(5), GaussNewton(3)])[0]
    plain = pinnlab.solve(
        Decay(), SMALL, phases=[Adam(5), GaussNewton(3)], accelerator="cpu", sampler=Grid(), log_every_n_steps=1
    )
    assert np.array_equal(one.history["loss"], plain.history["loss"])


class Solved(Equation):
    """An equation without a loss, and no unknown."""

    inputs, outputs = ("x",), ("u",)

    def constraints(self):
        return {"interior": Constraint(Interval(x=(0, 1)), lambda u: 0 * u, points=5)}


@pytest.mark.parametrize("later", list(LATER))
def test_without_a_loss_no_stage_begins(later):
    solution, staged, _ = solve(TWO, [Adam(1), LATER[later]], Solved())
    assert staged.scales == [1.0, 0.0]
    assert not solution.history["loss"].any()


def test_a_stage_begins_as_soon_as_there_is_a_loss():
    """At points of the first steps nothing is left: the stage waits for others."""

    class Later(Solved):
        def constraints(self):
            return {"interior": Constraint(Interval(x=(0, 1)), self.residual, points=5)}

        def residual(self, u):
            return u * (0.0 if len(watch.losses) < 4 else 1.0)

    watch = Watch()
    solution = pinnlab.solve(
        Later(),
        TWO,
        phases=[Adam(1), Adam(5, stage=2)],
        callbacks=[watch],
        accelerator="cpu",
        sampler=Uniform(),
        resample_every=2,
    )
    assert watch.losses[:4] == [0.0] * 4 and watch.losses[4] > 0
    assert solution.model.residuals.network.scales[1] == pytest.approx(math.sqrt(watch.losses[4]))


def test_gradients_of_frozen_parameters_are_gone():
    solution, _, watch = solve(TWO, [Adam(3), Adam(3, stage=2)])
    assert watch.gradients == watch.trained
    # the next fit begins with all of them
    assert len(solution.model.configure_optimizers()) == 2
    assert all(p.requires_grad for p in solution.model.parameters())


def test_a_stage_that_cannot_be_differentiated_fails_before_the_run_begins():
    class Sorted(torch.nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()
            self.last = torch.nn.Linear(inputs, outputs)

        def forward(self, x):
            return self.last(torch.sort(x, -1).values)

    watch = Watch()
    with pytest.raises(UserError, match="sort"):
        solve(partial(Staged, stages=[SMALL, Sorted]), [Adam(1)], callbacks=[watch])
    assert not watch.losses


@pytest.mark.parametrize(
    ("network", "stages", "message"),
    [
        (SMALL, [1, 2], r"phase 2 \(Adam\) trains stage 2: the network has only one, for it has no Staged"),
        (TWO, [1, 2, 3], r"phase 3 \(Adam\) trains stage 3: the network has 2 in its Staged"),
        (TWO, [1, 2, 1], "phase 3 .* stage 1, but the one before it trains stage 2: stages are trained in order"),
        (TWO, [2], r"phase 1 \(Adam\) trains stage 2, but the first phase trains stage 1"),
        (partial(Staged, stages=[SMALL] * 3), [1, 3], "trains stage 3, but the one before it trains stage 1"),
        (lambda i, o: Taylor(i, o, [1.0], partial(Staged, stages=[TWO, SMALL])), [1, 2], "one Staged.* holds 2"),
    ],
)
def test_wrong_stages_are_refused(network, stages, message):
    with pytest.raises(UserError, match=message) as error:
        PINN(Decay(), network, NTP(), [Adam(1, stage=stage) for stage in stages])
    assert "\n" not in str(error.value)
