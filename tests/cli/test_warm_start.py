"""A run that begins from the solution of another."""

import shutil
from functools import partial

import pytest
import torch

import pinnlab
from pinnlab.errors import UserError
from pinnlab.networks import MLP, Staged
from pinnlab.problems import SelfSimilarBurgers, ViscousBurgers
from pinnlab.training import Adam, GaussNewton


def rows(runs, name):
    lines = (runs.folder / "runs" / name / "metrics.csv").read_text().splitlines()
    return [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]


def test_it_begins_where_the_other_ended_and_needs_it_no_more(runs):
    assert runs.fit("first").status == 0
    again = ["--run.warm_start", "runs/first", "--model.phases", "[{class_path: Adam, init_args: {steps: 3}}]"]
    assert runs.fit("second", *again).status == 0
    assert float(rows(runs, "second")[0]["loss"]) == pytest.approx(runs.summary("first")["metrics"]["loss"], rel=1e-12)
    # continuing goes on from the run's own checkpoint
    shutil.rmtree(runs.folder / "runs" / "first")
    more = [again[2], again[3].replace("3", "5")]
    ended = runs.fit("second", *again[:2], *more, "--ckpt_path", "last")
    assert ended.status == 0, ended.err
    assert [row["step"] for row in rows(runs, "second")] == ["0", "1", "2", "3", "3", "4", "5"]


def test_another_profile_keeps_its_own_interval(runs):
    """λ of the first run lies outside of the interval of profile 2, and is not taken; within it, it is."""
    none = ["--model.phases", "[{class_path: GaussNewton, init_args: {steps: 1, freeze: 1}}]"]
    some = ["--model.phases", "[{class_path: GaussNewton, init_args: {steps: 25, freeze: 20}}]"]
    assert runs.fit("first", *some).status == 0
    found = runs.summary("first")["unknowns"]["lam"]["value"]
    assert 1 / 3 < found < 1
    assert runs.fit("next", "--run.warm_start", "runs/first", "--model.equation.profile", "2", *none).status == 0
    assert runs.fit("same", "--run.warm_start", "runs/first/checkpoints/last.ckpt", *none).status == 0
    assert float(rows(runs, "next")[0]["lam"]) == pytest.approx((1 / 5 + 1 / 3) / 2)
    assert float(rows(runs, "same")[0]["lam"]) == found


def test_what_does_not_fit_is_refused_before_anything_is_written(runs):
    assert runs.fit("first").status == 0
    for arguments, message in (
        (["--model.network.width", "9"], "0.weight, the configuration's has a 9×1; take the same network"),
        (["--model.network.depth", "3"], "the configuration's has a 8×8; take the same network"),
        (["--run.warm_start", "runs/nothing"], "no run folder or checkpoint runs/nothing"),
        (["--run.warm_start", "short.yaml"], "damaged or not a checkpoint"),
    ):
        outcome = runs.fit("second", "--run.warm_start", "runs/first", *arguments)
        assert (outcome.status, len(outcome.err.splitlines())) == (2, 1)
        assert message in outcome.err
        assert not (runs.folder / "runs" / "second").exists()


def test_from_python_a_smaller_viscosity_begins_from_a_larger_one():
    network = partial(MLP, width=8, depth=2)
    easy = pinnlab.solve(ViscousBurgers(0.1), network, phases=[Adam(3)], points={"interior": 50})
    hard = pinnlab.solve(ViscousBurgers(0.05), network, phases=[Adam(0), Adam(1, lr=1e-300)], start=easy, seed=7)
    for name, value in easy.model.residuals.network.state_dict().items():
        assert torch.equal(hard.model.residuals.network.state_dict()[name], value)
    with pytest.raises(UserError, match="cannot begin from the given solution"):
        pinnlab.solve(SelfSimilarBurgers(), network, phases=[Adam(1)], start=easy)


def test_a_solution_becomes_the_first_stage_of_a_network_in_stages():
    plain, staged = partial(MLP, width=6, depth=2), partial(Staged, stages=[partial(MLP, width=6, depth=2), MLP])
    found = pinnlab.solve(
        ViscousBurgers(0.1), partial(Taylored, network=plain), phases=[Adam(3)], points={"interior": 9}
    )
    phases = [Adam(0), GaussNewton(4, stage=2)]
    more = pinnlab.solve(
        ViscousBurgers(0.1), partial(Taylored, network=staged), phases=phases, points={"interior": 9}, start=found
    )
    assert more.history["loss"][0] == pytest.approx(found.history["loss"][-1], rel=1e-12)
    assert more.history["loss"][-1] < 0.9 * more.history["loss"][0]
    first, before = more.model.residuals.network.network.stages[0], found.model.residuals.network.network
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), before.parameters(), strict=True))


def test_a_staged_solution_brings_its_first_stage_alone_where_that_is_trained():
    """Its corrections are of what its own first stage left."""
    staged = partial(Taylored, network=partial(Staged, stages=[partial(MLP, width=6, depth=2), MLP]))
    options = {"points": {"interior": 9}, "log_every_n_steps": 1}
    easy = pinnlab.solve(ViscousBurgers(0.1), staged, phases=[Adam(3), GaussNewton(3, stage=2)], **options)
    hard = pinnlab.solve(ViscousBurgers(0.1), staged, phases=[Adam(1), GaussNewton(3, stage=2)], start=easy, **options)
    begun = int((easy.history["step"] == 3).argmax())
    assert hard.history["loss"][0] == pytest.approx(easy.history["loss"][begun], rel=1e-12)
    assert hard.history["loss"][-1] < 0.9 * hard.history["loss"][1]
    more = pinnlab.solve(ViscousBurgers(0.1), staged, phases=[Adam(0), GaussNewton(1, stage=2)], start=easy, **options)
    assert more.history["loss"][0] == pytest.approx(easy.history["loss"][-1], rel=1e-12)


class Taylored(torch.nn.Module):
    """t N(t, x): a transform around a network."""

    def __init__(self, inputs, outputs, network):
        super().__init__()
        self.network = network(inputs, outputs)

    def forward(self, points):
        return points[..., :1] * self.network(points)


def test_a_run_with_conditions_built_in_begins_from_another_such_run():
    """With N taken over, u = G + D N begins as the other solution where G and D are the same."""
    network = partial(MLP, width=8, depth=1)
    options = {"phases": [Adam(2)], "points": {"interior": 20}}
    first = pinnlab.solve(ViscousBurgers(0.1), network, hard=True, **options)
    assert first.model.built_in.hard.keys() == {"initial", "walls"}
    still = [Adam(0), Adam(1, lr=1e-300)]
    second = pinnlab.solve(ViscousBurgers(0.1), network, hard=True, start=first, **(options | {"phases": still}))
    points = {"t": [0.3, 0.9], "x": [-0.5, 0.2]}
    assert second(**points).tolist() == first(**points).tolist()
    soft = pinnlab.solve(ViscousBurgers(0.1), network, **options)
    with pytest.raises(UserError, match="is the N of G \\+ D N; take the same `hard` for both"):
        pinnlab.solve(ViscousBurgers(0.1), network, hard=True, start=soft, **options)
