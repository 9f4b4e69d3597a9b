"""Optimisers of residual vectors and of functions, as numerics alone: nothing here knows a network or an equation.

`LevenbergMarquardt` minimises ‖r(θ)‖² of a `Problem`, whose Jacobian is a `LinearOperator`. `Orthogonal`, `Normal` or
`ConjugateGradients` solve its damped linear problems: see `linear`.
`QuasiNewton` and `LimitedBFGS` minimise a function by its gradient. All are `torch.optim.Optimizer`s, so that their
state can be stored, and all keep the bounds of a `Box`.
"""

from pinnlab.optimisers.bounds import Box
from pinnlab.optimisers.levenberg_marquardt import LevenbergMarquardt
from pinnlab.optimisers.limited_memory import LimitedBFGS
from pinnlab.optimisers.linear.conjugate_gradients import ConjugateGradients
from pinnlab.optimisers.linear.least_squares import LeastSquares, Normal, Orthogonal
from pinnlab.optimisers.linear.operators import LinearOperator, Matrix
from pinnlab.optimisers.problem import Linearised, Problem
from pinnlab.optimisers.quasi_newton import QuasiNewton, bfgs, self_scaled_bfgs, self_scaled_broyden

__all__ = [
    "Box",
    "ConjugateGradients",
    "LeastSquares",
    "LevenbergMarquardt",
    "LimitedBFGS",
    "LinearOperator",
    "Linearised",
    "Matrix",
    "Normal",
    "Orthogonal",
    "Problem",
    "QuasiNewton",
    "bfgs",
    "self_scaled_bfgs",
    "self_scaled_broyden",
]
