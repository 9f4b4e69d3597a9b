"""Other scales are looked for where errors fall slowly with the number of features."""

import pytest

from pinnlab.problems import AllenCahn, Pendulum
from pinnlab.strategy import Outcome, Survey
from pinnlab.strategy.features import Features
from pinnlab.strategy.recipe import Progress
from pinnlab.strategy.recipes.attempts import Attempts


def outcome(local):
    return Outcome(0.0, local, local, {}, 1.0)


def answered(generator, loss):
    """What a generator of surveys returns if the loss of features is a function of their scales; and the surveys."""
    asked, answer = [], None
    while True:
        try:
            decision = generator.send(answer)
        except StopIteration as end:
            return end.value, asked
        assert isinstance(decision, Survey)
        asked.append(decision)
        answer = tuple(loss(*features.scales) for features in decision.features)


def attempts():
    return Attempts(Progress(AllenCahn(), None, 1e-2), 200)


def test_scales_grow_as_long_as_each_doubling_halves_the_loss():
    tried = attempts()
    features, asked = answered(tried.sharper(Features(900, (2.0, 30.0)), 0.1, outcome(5e-3)), lambda t, x: 30 / x**1.2)
    # up to the largest scale there is, 500
    assert features.scales == (2.0, 480.0) and {survey.end for survey in asked} == {0.1}
    slower, _ = answered(
        attempts().sharper(Features(900, (2.0, 30.0)), 0.1, outcome(5e-3)), lambda t, x: (30 / x) ** 0.9
    )
    assert slower == Features(900, (2.0, 30.0))


@pytest.mark.parametrize(("local", "count", "before"), [(2e-2, 900, 0), (5e-3, 900, 900), (5e-3, 900, 1350)])
def test_that_is_done_once_for_a_number_of_features_and_not_where_errors_are_nonsense(local, count, before):
    tried = attempts()
    tried.sharp = before
    features = Features(count, (2.0, 30.0))
    assert answered(tried.sharper(features, 0.1, outcome(local)), lambda t, x: 0.0) == (features, [])


def test_an_equation_of_many_inputs_keeps_its_scales():
    tried = Attempts(Progress(Pendulum(), None, 1e-2), 200)
    many = Features(900, (1.0,) * 5)
    assert answered(tried.sharper(many, None, outcome(5e-3)), lambda *scales: 0.0) == (many, [])
