"""Elementary functions of series, each given by the polynomial differential system that it satisfies.

A function σ is described as data: the values of its states s_1 = σ, s_2, … at a number, and polynomials with
s_i'(x) = P_i(x, s). For a series x over a graded algebra with degrees |k| the grading is a derivation, so the
coefficients of s_i = s_i(x) obey, degree by degree (Griewank & Walther, Evaluating Derivatives, ch. 13),

    |k| s_{i,k} = Σ_{e_a e_b = e_k, |a| ≥ 1} |a| x_a P_{i,b},

O(n²) multiply-adds for order n, where the sum over integer partitions grows exponentially in √n. The adjoint is
one truncated correlation with P_1 = σ'(x), which is recomputed from the states: nothing else is saved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from pinnlab.jets.series.algebra import Algebra
from pinnlab.jets.series.termwise import Polynomial


@dataclass(frozen=True, eq=False)
class Elementary:
    """A function σ of one number with σ = s_1 and s_i' = P_i(x, s), P_i at most quadratic.

    Attributes:
        name: The name of σ.
        initial: x ↦ (s_1(x), s_2(x), …), elementwise on tensors.
        system: The polynomial P_i for every state.

    Example:
        The function σ(x) = x e^x satisfies σ' = σ + s_2 and s_2' = s_2 with s_2 = e^x:

        >>> import torch
        >>> from pinnlab.jets import IndexSet
        >>> from pinnlab.jets.functions.elementary import Elementary
        >>> from pinnlab.jets.functions.recurrence import recurrence
        >>> function = Elementary("x exp", lambda x: (x * x.exp(), x.exp()), ({(1,): 1, (2,): 1}, {(2,): 1}))
        >>> recurrence(function, torch.tensor([0.0, 1.0]), IndexSet.simplex(1, 3))  # x + x² + x³/2
        tensor([0.0000, 1.0000, 1.0000, 0.5000])
    """

    name: str
    initial: Callable[[Tensor], Sequence[Tensor]]
    system: tuple[Polynomial, ...]

    @property
    def uses_argument(self) -> bool:
        """Whether any polynomial refers to x itself."""
        return any(0 in monomial for polynomial in self.system for monomial in polynomial)


Composition = Callable[[Elementary, Tensor, Algebra], Tensor]
"""How σ is composed with a series, a stack x of shape `(K, ...)`: by `recurrence`, or by `faa_di_bruno`."""


class Kernels(ABC):
    """How the recurrence and its adjoint are carried out, without a graph: eagerly, or compiled."""

    @abstractmethod
    def solve(self, function: Elementary, x: Tensor, algebra: Algebra) -> tuple[Tensor, ...]:
        """The series of all states, each `(K, ...)`, from leading coefficients `(S, ...)` of the argument."""

    @abstractmethod
    def adjoint(
        self,
        function: Elementary,
        algebra: Algebra,
        rows: int,
        variables: Sequence[Tensor],
        gradients: Sequence[Tensor | None],
    ) -> Tensor:
        """Σ_i correlate(gradient_i, P_i(variables)), `(rows, ...)`; a gradient that is None counts as zero."""
