"""The Gauss-Newton phase: Levenberg-Marquardt steps on the residual blocks of any equation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from pinnlab.errors import DivergedError, UserError
from pinnlab.geometry import size
from pinnlab.optimisers.levenberg_marquardt import LevenbergMarquardt
from pinnlab.optimisers.linear.least_squares import LeastSquares, Normal, Orthogonal
from pinnlab.optimisers.problem import Linearised, Problem
from pinnlab.ranks import Ranks
from pinnlab.residuals.jacobian.calls import AffineCall
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.training.objective import Objective
from pinnlab.training.phases.base import Phase, Plateau, allowance

_FACTORISATIONS: dict[str, type[LeastSquares]] = {"qr": Orthogonal, "cholesky": Normal}


class ResidualProblem(Problem):
    """The weighted residual blocks of one batch as a function of the flattened parameters θ, `(P,)`."""

    def __init__(self, objective: Objective, parameters: Sequence[Tensor], memory: float) -> None:
        """Takes the batch of an objective and the parameters in the optimiser's order.

        Args:
            objective: The residuals, their points and weighting.
            parameters: What θ is made of.
            memory: The bytes that the Jacobian and its factors may take.
        """
        self.objective = objective
        self.memory = memory
        self.box = objective.box(parameters)
        names = {id(p): name for name, p in objective.residuals.named_parameters()}
        self.shapes = {names[id(p)]: p.shape for p in parameters}
        self._stored: Mapping[str, Sequence[AffineCall]] | None = None

    def unflatten(self, theta: Tensor) -> dict[str, Tensor]:
        """The parameters by name."""
        parts = theta.split([shape.numel() for shape in self.shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def linearise(self, theta: Tensor) -> Linearisation:
        """The residuals at θ with their Jacobian at hand.

        Raises:
            UserError: if the Jacobian would not fit into the memory.
        """
        objective, parameters = self.objective, self.unflatten(theta)
        objective.evaluations += 1
        if self._stored is None:
            left = self.memory - self._needed(len(theta), theta.element_size())
            self._stored = objective.outputs.at(objective.residuals, parameters, objective.points, left)
        return Linearisation(
            objective.residuals,
            parameters,
            objective.points,
            objective.weighting,
            objective.ranks,
            held=objective.held,
            stored=self._stored,
        )

    def accept(self, there: Linearised) -> None:
        """Hands on the least-squares values of the linear unknowns there."""
        assert isinstance(there, Linearisation)
        self.objective.found(there.values)

    def same(self, other: Problem) -> bool:
        """Whether both have the same points and weights, on all ranks."""
        assert isinstance(other, ResidualProblem)
        a, b = self.objective.points, other.objective.points
        equal = (
            self.objective.held == other.objective.held
            and self.objective.weighting.same(other.objective.weighting)
            and a.keys() == b.keys()
            and all(
                a[name].keys() == b[name].keys() and all(torch.equal(a[name][c], b[name][c]) for c in a[name])
                for name in a
            )
        )
        # a share may stay while another changes, and linearising anew is a joint act
        return not self.objective.ranks.largest(not equal)

    @property
    def ranks(self) -> Ranks:
        """Who holds the other points."""
        return self.objective.ranks

    def _needed(self, columns: int, itemsize: int) -> int:
        """The bytes that the Jacobian and its factors take.

        Raises:
            UserError: if these are more than allowed.
        """
        # The Jacobian, its rows as they are gathered, and the augmented matrix of the factorisation; on several
        # ranks the last is made of the rows that all of them have left.
        ranks, each = self.objective.ranks.size, self.objective.residuals.height
        # the same number on all ranks, which must agree on giving up
        rows = self.objective.ranks.largest(sum(each(name) * size(p) for name, p in self.objective.points.items()))
        height = rows if ranks == 1 else ranks * min(rows, columns)
        small = min(height, columns)
        needed = itemsize * (2 * max(rows, height) * columns + small * (small + max(height, columns)))
        if needed > self.memory:
            raise UserError(
                f"GaussNewton needs about {needed / 2**30:.1f} GiB for a Jacobian of {rows} rows and {columns} "
                f"parameters, more than the {self.memory / 2**30:.1f} GiB allowed: take fewer points, a smaller "
                "network or another optimiser, or raise the phase's memory"
            )
        return needed


@dataclass(eq=False, kw_only=True)
class GaussNewton(Phase):
    """Levenberg-Marquardt steps that follow the residuals' curvature, full batch: see `LevenbergMarquardt`.

    It reaches many digits in few steps for networks of up to some thousand parameters. It takes the residual blocks of
    any equation and constraints, and points that are fixed or resampled.

    Args:
        damping: The first damping μ of the parameters' change, in units of the loss where the phase begins.
        increase: Factor on μ after a poor trial.
        decrease: Divisor of μ after a good one.
        freeze: Steps during which the linear unknowns are frozen at the values with which the phase begins, while the
            network adapts to them. After these steps the linear unknowns have their least-squares values (variable
            projection).
        corrections: The most corrections of a trial for the residuals' curvature; 0 for none.
        descents: The most further trials of a step, each with less damping, while the loss falls.
        factorisation: `qr` factorises the Jacobian and keeps all digits; `cholesky` its Gram matrix, faster.
        memory: GiB that the Jacobian and its factors may take; half of the machine's by default.

    Raises:
        UserError: if a number is out of its range.

    Example:
        >>> phase = GaussNewton(60, freeze=20, tolerance=1e-24)  # for pinnlab.solve(equation, phases=phase)
        >>> [phase.holds(step) for step in (19, 20)]
        [True, False]
    """

    damping: float = 1.0
    increase: float = 3.0
    decrease: float = 5.0
    freeze: int = 0
    corrections: int = 3
    descents: int = 0
    factorisation: Literal["qr", "cholesky"] = "qr"
    memory: float | None = None
    plateau: Plateau | None = Plateau(steps=20, decrease=1e-2)

    def __post_init__(self) -> None:
        super().__post_init__()
        least = min(self.freeze, self.corrections, self.descents)
        if self.damping <= 0 or self.increase <= 1 or self.decrease <= 1 or least < 0:
            raise UserError(
                "GaussNewton: damping must be positive, increase and decrease above 1, freeze, corrections and "
                f"descents not negative; got damping {self.damping}, increase {self.increase}, decrease "
                f"{self.decrease}, freeze {self.freeze}, corrections {self.corrections}, descents {self.descents}"
            )
        if self.factorisation not in _FACTORISATIONS:
            raise UserError(f"GaussNewton: factorisation is qr or cholesky, not {self.factorisation!r}")
        if self.memory is not None and self.memory <= 0:
            raise UserError(f"GaussNewton: memory must be positive, got {self.memory}")

    @property
    def evaluations_per_step(self) -> int:
        """A Jacobian, and some trials."""
        return 5

    def optimizer(self, parameters: Iterable[nn.Parameter]) -> LevenbergMarquardt:
        """`LevenbergMarquardt`."""
        return LevenbergMarquardt(
            [p for p in parameters if p.requires_grad],
            damping=self.damping,
            increase=self.increase,
            decrease=self.decrease,
            corrections=self.corrections,
            descents=self.descents,
            factorisation=_FACTORISATIONS[self.factorisation],
        )

    def holds(self, step: int) -> bool:
        """In the first `freeze` steps."""
        return step < self.freeze

    def reweighted(self, optimizer: Optimizer, ratio: float) -> None:
        """Scales the damping with the loss, in whose units it is."""
        if 0 < ratio < math.inf:  # from a damping of zero none would ever grow
            optimizer.param_groups[0]["damping"] *= ratio

    def exhausted(self, optimizer: Optimizer) -> bool:
        """See `LevenbergMarquardt`."""
        return optimizer.exhausted  # type: ignore[attr-defined]

    def step(self, optimizer: Optimizer, objective: Objective, step: int) -> float:
        """One accepted step, or none where every trial is refused.

        Raises:
            DivergedError: if the loss or a slope of the residuals is NaN or infinite.
        """
        parameters, memory = optimizer.param_groups[0]["params"], allowance(self.memory)
        problem = ResidualProblem(objective, parameters, memory)
        try:
            loss: float = optimizer.step(lambda: problem)  # type: ignore[arg-type, return-value]
        except DivergedError as error:
            raise DivergedError(
                f"{error}, at {objective.where}: write it without what has an infinite slope there, such as √u or "
                "|u|^p with p < 1 at u = 0"
            ) from error
        start = optimizer.start  # type: ignore[attr-defined]
        objective.began(start.blocks, start.values, loss)
        return loss

    def gradient_factor(self, optimizer: Optimizer) -> None:
        """A step computes a Jacobian and no gradient."""
        return

    def columns(self, optimizer: Optimizer) -> dict[str, float]:
        """The damping."""
        return {"damping": float(optimizer.param_groups[0]["damping"])}
