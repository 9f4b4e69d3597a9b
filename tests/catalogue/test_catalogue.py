"""Every shipped problem: it is found by its name, and its true solution satisfies all of its constraints."""

import pytest
import torch

import pinnlab.problems
from pinnlab.equations import Equation
from tests.catalogue.truth import residuals_at_the_truth

PROBLEMS = {name: getattr(pinnlab.problems, name) for name in pinnlab.problems.__all__}

LEFT = {
    # the slope jumps at x = ±1 for t = 0: polynomials in a window around a point there do not tell it
    ("AllenCahn", "periodic"): 1.0,
    # a pressure with a logarithm in two corners, and velocities to 1e-5
    ("Cavity", "interior"): 1e-3,
    ("Cavity", "lid"): 1e-4,
    # third and fourth derivatives of polynomials through values with rounding errors
    ("CahnHilliard", "interior"): 1e-5,
    ("CahnHilliard", "periodic"): 1e-4,
    ("KuramotoSivashinsky", "periodic"): 1e-3,
}
"""The residuals at the truth that are not small, and why."""

PARTS = {"AllenCahn": (0.01, 0.01), "KuramotoSivashinsky": (0.002, 0.01)}
"""Windows of problems that vary faster than others, as parts of the region along each input."""

SLOW = {"AllenCahn", "Cavity"}
"""Problems whose reference takes more than five seconds."""


def effort(name):
    return pytest.param(name, marks=[pytest.mark.long] if name in SLOW else [])


@pytest.mark.parametrize("name", PROBLEMS)
def test_an_equation_of_the_folders_is_offered_by_its_name(name):
    kind = PROBLEMS[name]
    assert issubclass(kind, Equation) and kind.__doc__
    # the class's file is the only place that names it
    assert kind.__module__.startswith("pinnlab.problems.")
    kind().check()


@pytest.mark.parametrize("name", [effort(name) for name in PROBLEMS])
def test_the_truth_satisfies_every_constraint(name):
    equation = PROBLEMS[name]()
    assert equation.solved
    count = 60 if equation.known_order is None else 6
    part = torch.tensor(PARTS.get(name, 0.02))
    found = residuals_at_the_truth(equation, count, part)
    # the same functions with their inputs moved show how large a residual is where the function is not the solution
    moved = max(residuals_at_the_truth(PROBLEMS[name](), count, part, shift=1e-3).values())
    for constraint, largest in found.items():
        bound = LEFT.get((name, constraint), 1e-6 * min(1.0, 1e2 * moved))
        assert largest < bound, (constraint, largest, moved)
    assert moved > 1e-6


def test_problems_have_their_folders_and_titles():
    assert {kind.__module__.split(".")[2] for kind in PROBLEMS.values()} == {
        "ode", "elliptic", "parabolic", "waves", "fluids", "inverse", "blowup",
    }  # fmt: skip
