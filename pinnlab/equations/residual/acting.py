"""Whole-grid operators as residuals get them: applied to fields, with the derivatives that they supply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pinnlab.equations.inputs import axes
from pinnlab.jets import Field
from pinnlab.operators import WholeOperator


class Acting:
    """An operator that acts on fields: `hilbert @ u` has the values H u and the derivative (H u)' = H u'.

    Attributes:
        operator: The operator.
        names: The axes of the equation's inputs -> their names, by which the operator knows its derivatives.
        matrix: Its matrix in the dtype and on the device of the points.

    Example:
        >>> from pinnlab.operators import Antiderivative, GaussLegendre
        >>> operator = Antiderivative(GaussLegendre(x=(0, 1), nodes=2))
        >>> integral = Acting(operator, {0: "x"}, operator.matrix)
        >>> integral @ torch.ones(2, dtype=torch.float64)
        tensor([0.2113, 0.7887], dtype=torch.float64)
    """

    def __init__(self, operator: WholeOperator, names: Mapping[int | range, str], matrix: Tensor) -> None:
        """Takes the operator with its matrix."""
        self.operator, self.names, self.matrix = operator, names, matrix

    def __matmul__(self, u: Any) -> Any:
        """The result at the nodes, for a field, a column of the points, or any tensor `(M,)`."""
        if not isinstance(u, Field):
            return self.operator @ u
        found = u.apply(torch.matmul, (self.matrix, u), {})
        found.derived = lambda coordinate: self._derivative(u, coordinate)
        return found

    def _derivative(self, u: Field, coordinate: Field) -> Field:
        assert coordinate.axis is not None
        values, slopes = self.operator.derivative(self.names[coordinate.axis])
        terms = []
        if values is not None:
            terms.append(self._like(values) @ u)
        if slopes is not None:
            terms.append(self._like(slopes) @ u.d(coordinate))
        if len(terms) == 1:
            return terms[0]
        found = terms[0] + terms[1]
        found.derived = lambda along: terms[0].d(along) + terms[1].d(along)
        return found

    def _like(self, operator: WholeOperator) -> Acting:
        return Acting(operator, self.names, operator.matrix.to(self.matrix))


def acting(operators: Mapping[str, object], inputs: Sequence[str], like: Tensor) -> dict[str, object]:
    """The operators of a constraint by name as its residual gets them.

    Args:
        operators: Operators, or matrices of the user's own, whose results have no derivatives.
        inputs: The equation's inputs.
        like: A column of the points, in whose dtype and on whose device the matrices have to be.
    """
    names = {axis: name for name, axis in axes(inputs).items()}

    def act(operator: object) -> object:
        if isinstance(operator, WholeOperator):
            return Acting(operator, names, operator.matrix.to(like))
        return operator.to(like) if isinstance(operator, Tensor) else operator

    return {name: act(operator) for name, operator in operators.items()}
