"""Affine maps of some coordinates: translations, rotations and scalings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Points, stack, unstack


@dataclass(frozen=True, eq=False)
class Motion:
    """The map p ↦ A p + b of named coordinates; others stay.

    Attributes:
        names: The coordinates, numbers each.
        matrix: A, `(d, d)`, invertible.
        shift: b, `(d,)`.

    Example:
        >>> quarter = turn(math.pi / 2, ("x", "y"), (0.0, 0.0))
        >>> moved = quarter.forward({"x": torch.tensor([1.0]), "y": torch.tensor([0.0])})
        >>> moved["y"], quarter.back(moved)["x"]
        (tensor([1.]), tensor([1.]))
    """

    names: tuple[str, ...]
    matrix: Tensor
    shift: Tensor

    def forward(self, points: Points) -> Points:
        """The points where the map takes them."""
        places = stack(points, self.names)
        return points | unstack(places @ self.matrix.T.to(places) + self.shift.to(places), self.names)

    def back(self, points: Points) -> Points:
        """The points that the map takes here."""
        places = stack(points, self.names)
        inverse = torch.linalg.inv(self.matrix).to(places)
        return points | unstack((places - self.shift.to(places)) @ inverse.T, self.names)

    def covectors(self, points: Points, names: Sequence[str]) -> tuple[Points, Tensor]:
        """The normals of mapped surfaces, and how much of a surface's measure there is now, `(N,)`.

        A unit normal n becomes the direction of A⁻ᵀ n, and the measure is multiplied by |det A| |A⁻ᵀ n|.

        Args:
            points: Columns `normal_x`, … of the surface among them.
            names: All coordinates of the surface.
        """
        normal = {name: points[f"normal_{name}"] for name in names}
        places = stack(normal, self.names)
        normal |= unstack(places @ torch.linalg.inv(self.matrix).to(places), self.names)
        length = stack(normal, names).norm(dim=1)
        scaled = {
            f"normal_{name}": column / (length[:, None] if column.dim() > 1 else length)
            for name, column in normal.items()
        }
        return scaled, length * abs(self.factor)

    @property
    def factor(self) -> float:
        """The determinant of A."""
        return float(torch.linalg.det(self.matrix))

    @property
    def similarity(self) -> float | None:
        """The factor of all lengths; None if there is no such factor."""
        scale = abs(self.factor) ** (1 / len(self.names))
        product = self.matrix @ self.matrix.T
        same = torch.allclose(product, scale**2 * torch.eye(len(self.names)).to(product), rtol=0, atol=1e-12 * scale**2)
        return scale if same else None

    def over(self, names: Sequence[str]) -> Motion | None:
        """The map of those of its coordinates that a region has; None if it has none of them.

        Raises:
            UserError: if these mix with others.
        """
        index = [i for i, name in enumerate(self.names) if name in names]
        if len(index) in (0, len(self.names)):
            return self if index else None
        rest = [i for i in range(len(self.names)) if i not in index]
        if bool(self.matrix[index][:, rest].any()):
            raise UserError(
                f"a region of {', '.join(names)} alone cannot be turned in {', '.join(self.names)}: "
                "give it all of these coordinates, as a product with a Box has"
            )
        return Motion(tuple(self.names[i] for i in index), self.matrix[index][:, index], self.shift[index])


def turn(angle: float, plane: tuple[str, str], about: tuple[float, float]) -> Motion:
    """The rotation by an angle from the first coordinate of a plane to the second, about a place in the plane."""
    c, s = math.cos(angle), math.sin(angle)
    matrix = torch.tensor([[c, -s], [s, c]], dtype=torch.float64)
    place = torch.tensor(about, dtype=torch.float64)
    return Motion(plane, matrix, place - matrix @ place)


def shifted(by: Mapping[str, float]) -> Motion:
    """The translation by a number along each of these coordinates."""
    eye = torch.eye(len(by), dtype=torch.float64)
    return Motion(tuple(by), eye, torch.tensor(list(by.values()), dtype=torch.float64))


def stretched(factors: Mapping[str, float]) -> Motion:
    """The multiplication of each of these coordinates by a number."""
    diagonal = torch.diag(torch.tensor(list(factors.values()), dtype=torch.float64))
    return Motion(tuple(factors), diagonal, torch.zeros(len(factors), dtype=torch.float64))
