"""The problems that "state the equation and a tolerance" is measured on, with their truths.

from experiments.tolerance import PROBLEMS

problem = PROBLEMS["Lorenz"]
solution = pinnlab.solve(problem.equation(), tol=problem.tol)
print(problem.judged(solution))

Of the scripts, `python -m experiments.tolerance` measures the table, `….beside` a training by hand in the same seconds,
and `….accuracy` seconds against accuracy; `….summary` prints what they found, judged by `verdict`.
"""

from experiments.tolerance.problem import Problem
from experiments.tolerance.table import PROBLEMS

__all__ = ["PROBLEMS", "Problem"]
