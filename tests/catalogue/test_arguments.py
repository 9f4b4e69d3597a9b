"""Arguments of problems: bad ones are refused in one line, and good ones have the published solutions."""

import math

import pytest

import pinnlab.problems
from pinnlab.errors import UserError

REFUSED = [
    ("HarmonicOscillator", {"delta": 20.0}, "delta must be at least 0 and less than omega, got 20.0 and 20.0"),
    ("HarmonicOscillator", {"end": 0.0}, "the last time must be positive, got 0.0"),
    ("SIR", {"gamma": 0.0}, "beta, gamma and the last day must be positive, got 0.4, 0.0 and 100.0"),
    ("SIR", {"infected": 1.0}, "the part that is infected at the start must be between 0 and 1, got 1.0"),
    ("Bratu", {"lam": 3.6}, "lam must be between 0 and 3.5138, beyond which there is no solution, got 3.6"),
    ("FalknerSkan", {"beta": -0.1}, "beta must be between 0 and 2, got -0.1"),
    ("FalknerSkan", {"length": 5.0}, "the length must be 8 or more, so that the layer decays before it, got 5.0"),
    ("SchrodingerLevel", {"level": 5}, "the level must be 0, 1, 2, 3 or 4, got 5"),
    ("Troesch", {"n": 20.0}, "n must be between 0 and 12, got 20.0"),
    ("WeakPoisson", {"tests": 0}, "the number of test functions must be positive, got 0"),
    ("MultiscalePoisson", {"waves": ()}, "waves must be positive whole numbers, got ()"),
    ("PoissonDisc", {"radius": math.nan}, "the radius must be positive, got nan"),
    ("CordobaCordobaFontelos", {"rung": 3}, "the rung must be 0, 1 or 2, got 3"),
    ("GeneralisedCLM", {"a": 0.7}, "a must be at least 0 and less than 0.68, got 0.7"),
    ("Eikonal", {"epsilon": 0.0}, "epsilon must be 0.002 or more, got 0.0"),
    ("NonlinearPoisson", {"amplitude": 0.0}, "the amplitude must not be 0, for then u = 0"),
    ("Obstacle", {"height": 1.0}, "the height must be between 0 and 1, got 1.0"),
    ("LorenzParameters", {"noise": -1.0}, "the noise must be 0 or more, got -1.0"),
    ("PoissonCoefficient", {"noise": -1.0}, "the noise must be 0 or more, got -1.0"),
    ("HeatCoefficient", {"noise": -1.0}, "the noise must be 0 or more, got -1.0"),
]


@pytest.mark.parametrize(("name", "arguments", "line"), REFUSED)
def test_a_bad_argument_is_refused_in_one_line(name, arguments, line):
    with pytest.raises(UserError) as refused:
        getattr(pinnlab.problems, name)(**arguments)
    assert str(refused.value) == line


def test_bratu_has_the_lower_of_two_solutions_up_to_the_fold():
    from pinnlab.problems.ode.boundary.bratu import FOLD, _lower

    at_fold = 1.1996786402577338
    assert abs(at_fold * math.tanh(at_fold) - 1) < 1e-15
    assert abs(8 * (at_fold / math.cosh(at_fold)) ** 2 - FOLD) < 1e-14
    for lam in (1e-3, 1.0, 3.5, FOLD - 1e-9):
        q = _lower(lam)
        assert 0 < q < at_fold and abs(q - math.sqrt(lam / 8) * math.cosh(q)) < 1e-15


def test_the_shear_of_a_wedge_is_that_of_hartree():
    published = {0.0: 0.469599988, 0.5: 0.9276800398, 1.0: 1.2325876568}
    for beta, shear in published.items():
        assert abs(pinnlab.problems.FalknerSkan(beta, length=10.0).shear.truth - shear) < 5e-10


def test_troesch_has_the_published_slope():
    from pinnlab.problems.ode.boundary.troesch import _layer

    assert abs(_layer(5.0)([0.0])[1, 0] - 4.5750461e-2) < 1e-9
