"""The problems that "state the equation and a tolerance" is measured on, with their truths.

from experiments.tolerance import PROBLEMS

problem = PROBLEMS["Lorenz"]
points = problem.points()
truth = problem.truth(points, folder)      # folder keeps what takes long to compute; None keeps nothing
solution = pinnlab.solve(problem.equation(), tol=problem.tol)
print(problem.errors(values_of(solution, points), truth))
"""

from experiments.tolerance.problem import Problem
from experiments.tolerance.table import PROBLEMS

__all__ = ["PROBLEMS", "Problem"]
