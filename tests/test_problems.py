import pinnlab.problems
from pinnlab.equations import Equation


def test_every_equation_of_the_folders_is_offered_by_its_name():
    assert {"Blasius", "Poisson", "SelfSimilarBurgers", "ViscousBurgers"} <= set(pinnlab.problems.__all__)
    for name in pinnlab.problems.__all__:
        kind = getattr(pinnlab.problems, name)
        assert issubclass(kind, Equation)
        assert kind.__doc__
        # the class's file is the only place that names it
        assert kind.__module__.startswith("pinnlab.problems.")
