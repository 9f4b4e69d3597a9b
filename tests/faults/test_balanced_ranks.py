"""Two processes balance as one does: the same weights, loss and parameters under each scheme."""

import pytest
import torch

from tests.faults.test_ranks import POINTS, difference, last

PHASES = (
    "[{class_path: Adam, init_args: {steps: 20}}, {class_path: LBFGS, init_args: {steps: 3, inner: 2}}, "
    "{class_path: GaussNewton, init_args: {steps: 4, plateau: null}}]"
)
SCHEMES = {
    "GradNorm": "{class_path: GradNorm, init_args: {every: 5}}",
    "LearningRateAnnealing": "LearningRateAnnealing",
    "NeuralTangentKernel": "{class_path: NeuralTangentKernel, init_args: {every: 7}}",
    "ReLoBRaLo": "{class_path: ReLoBRaLo, init_args: {lookback: 0.5}}",
    "SoftAdapt": "SoftAdapt",
    "SelfAdaptive": "SelfAdaptive",
    "ResidualAttention": "ResidualAttention",
    "Causal": "{class_path: Causal, init_args: {time: X, intervals: 5, epsilons: [0.01, 3.0]}}",
}


def apart(one, other):
    """The largest relative difference of two states of a scheme."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return max((apart(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, torch.Tensor):
        assert one.shape == other.shape
        return float((one - other).abs().max() / one.abs().max())
    if isinstance(one, tuple):
        return max(map(apart, one, other))
    return abs(one - other) / max(abs(one), 1e-300) if isinstance(one, float) else float(one != other)


@pytest.mark.long
@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_two_ranks_balance_as_one(lab, scheme):
    options = [*POINTS, "--model.phases", PHASES, "--model.balancing", scheme, "--data.resample_every", "0"]
    one = lab.start("one", *options)
    assert lab.fit_ranks("several", 2, *options) == [0, 0], lab.log("several")
    one.join()
    assert one.exitcode == 0, lab.log("one")
    assert difference(lab, "one", "several") <= 1e-8
    states = [last(lab, name)["pinnlab"]["balancing"]["state"] for name in ("one", "several")]
    assert apart(*states) <= 1e-7
    for here, there in zip(lab.record("one"), lab.record("several"), strict=True):
        for name in here:
            if name.startswith("weight/"):
                assert float(here[name]) == pytest.approx(float(there[name]), rel=1e-7)
