"""Balancing from a configuration: by its name, in the record, and resumed to the same bits."""

import csv

import pytest
import torch

PHASES = (
    "[{class_path: Adam, init_args: {steps: 6}}, {class_path: LBFGS, init_args: {steps: 3, inner: 3}}, "
    "{class_path: GaussNewton, init_args: {steps: 4, plateau: null}}]"
)
STOP = """
from lightning.pytorch import Callback
class Stop(Callback):
    def __init__(self, step: int):
        self.step = step
    def on_train_batch_end(self, trainer, module, *rest):
        trainer.should_stop = module.schedule.step == self.step or trainer.should_stop
"""
UNIFORM = ["--data.sampler", "Uniform"]
SCHEMES = {
    "GradNorm": "{class_path: GradNorm, init_args: {every: 2}}",
    "LearningRateAnnealing": "{class_path: LearningRateAnnealing, init_args: {every: 3, reference: origin}}",
    "NeuralTangentKernel": "{class_path: NeuralTangentKernel, init_args: {every: 4, momentum: 0.5}}",
    "ReLoBRaLo": "{class_path: ReLoBRaLo, init_args: {lookback: 0.5}}",
    "SoftAdapt": "{class_path: SoftAdapt, init_args: {every: 2}}",
    "SelfAdaptive": "SelfAdaptive",
    "ResidualAttention": "{class_path: ResidualAttention, init_args: {constraints: [interior]}}",
    "Causal": "{class_path: Causal, init_args: {time: X, intervals: 5, epsilons: [0.01, 3.0]}}",
}


def record(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def same(one, other):
    """Whether two parts of checkpoints hold the same bits."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            same(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            same(*pair)
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other


@pytest.mark.long
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_stopped_run_goes_on_with_the_same_weights(runs, scheme):
    (runs.folder / "balanced_stop.py").write_text(STOP)

    def fit(name, step, *arguments):
        stop = f"[{{class_path: balanced_stop.Stop, init_args: {{step: {step}}}}}]"
        options = ["--model.phases", PHASES, "--model.balancing", SCHEMES[scheme], "--trainer.callbacks", stop]
        outcome = runs.fit(name, *options, *arguments)
        assert (outcome.status, outcome.err) == (0, "")

    fit("whole", -1)
    fit("part", 3)
    for step in (8, 11, -1):
        fit("part", step, "--ckpt_path", "last")
    whole, part = (runs.folder / "runs" / name for name in ("whole", "part"))
    rows = record(whole)
    assert record(part) == rows
    changed = [name for name in rows[0] if name.startswith("weight/")]
    assert changed and any(len({row[name] for row in rows}) > 2 for name in changed)
    one, two = (torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True) for folder in (whole, part))
    for key in ("state_dict", "optimizer_states"):
        same(one[key], two[key])
    same(one["pinnlab"]["balancing"], two["pinnlab"]["balancing"])


def test_another_balancing_is_refused_where_a_run_goes_on(runs):
    quick = ["--model.balancing", "GradNorm", "--data.held_out", "5", "--trainer.limit_val_batches", "0"]
    assert runs.fit("one", *quick).status == 0
    outcome = runs.fit("one", "--ckpt_path", "last", "--model.phases.0.steps", "9")
    assert outcome.status == 2
    assert "written by a run with balancing GradNorm, but the configuration has Fixed" in outcome.err


def test_what_is_no_balancing_is_refused_in_one_line(runs):
    for given, said in (("GradNrm", "GradNorm"), ("{class_path: GradNorm, init_args: {evry: 3}}", "every")):
        outcome = runs.fit("wrong", "--model.balancing", given)
        assert outcome.status == 2 and said in outcome.err and outcome.err.count("\n") == 1, outcome.err
    outcome = runs.fit("wrong", "--model.balancing", "SelfAdaptive", "--data.resample_every", "1", *UNIFORM)
    assert outcome.status == 2 and "keeps a weight for each point" in outcome.err
    assert not (runs.folder / "runs" / "wrong").exists()
