"""Solids whose surface is a mesh of triangles, from files such as STL and OBJ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, coordinate_names, select, stack, tolerance, unstack
from pinnlab.geometry.numbers import number
from pinnlab.geometry.scattered import Parametrised, Scattered
from pinnlab.geometry.shapes.box import Box
from pinnlab.geometry.shapes.pieces import choose, cumulative, in_triangles

_AT_ONCE = 2**21
"""Pairs of a point and a triangle that are looked at together."""


class Mesh(Scattered):
    r"""The solid inside of a watertight mesh of triangles.

    A point is inside where the mesh winds around it: the solid angles of all triangles, seen from the point, sum to 4π
    (van Oosterom and Strackee 1983, for the angle of one). Each point looks at each triangle, so that a mesh of some
    ten thousand triangles is slow. Volume and area are exact.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "corner.off"
        >>> corners, triangles = "0 0 0  1 0 0  0 1 0  0 0 1", "3 0 2 1  3 0 1 3  3 0 3 2  3 1 2 3"
        >>> _ = file.write_text("\n".join(["OFF", "4 4 0", *corners.split("  "), *triangles.split("  ")]))
        >>> corner = Mesh(file, scale=6.0)
        >>> round(corner.measure, 9), corner.contains({name: torch.tensor([1.0, 3.0]) for name in "xyz"})
        (36.0, tensor([ True, False]))
    """

    dimension = parameters = 3

    def __init__(self, path: str | Path, scale: float = 1.0, names: Sequence[str] = ("x", "y", "z")) -> None:
        """Read a file; a relative path is one from the folder in which the program runs.

        Args:
            path: The file, of a kind that trimesh reads: STL, OBJ, PLY, OFF.
            scale: The factor of all lengths, such as 1e-3 for a file in millimetres.
            names: The coordinates.

        Raises:
            UserError: trimesh is not installed, the file is none or holds no mesh, the mesh is not watertight, or the
                scale is not positive.
        """
        self.names = coordinate_names(names, 3)
        factor = number(scale, "the scale of a mesh")
        if factor <= 0:
            raise UserError(f"the scale of a mesh must be positive, not {scale!r}")
        found = _read(Path(path))
        if not found.is_watertight or not found.is_winding_consistent:
            raise UserError(f"{path}: the mesh is not watertight, so that it has no inside: close its holes first")
        corners = torch.from_numpy(np.array(found.triangles, dtype=np.float64)) * factor
        volume = float(torch.linalg.det(corners - corners.mean((0, 1))).sum()) / 6
        if volume == 0:
            raise UserError(f"{path}: the mesh has no volume")
        # triangles that are listed clockwise from outside are turned over
        self.corners = corners if volume > 0 else corners.flip(1)
        self.volume = abs(volume)
        lower, upper = corners.amin((0, 1)), corners.amax((0, 1))
        self.box = Box(**{name: (lower[i], upper[i]) for i, name in enumerate(self.names)})

    @property
    def measure(self) -> float:
        """The volume: the sum of signed tetrahedra."""
        return self.volume

    @property
    def extent(self) -> Ends:
        """The box around it."""
        return self.box.extent

    def contains(self, points: Points) -> Tensor:
        """Which points are inside, or on a triangle."""
        turns, touching = self.winding(points)
        return (turns > 0.5) | touching

    def winding(self, points: Points) -> tuple[Tensor, Tensor]:
        """How often the mesh winds around each point, `(N,)`, and which points lie on a triangle up to rounding."""
        places = stack(points, self.names)
        slack = tolerance(places, max(self.scales.values()))
        turns = torch.zeros(len(places), dtype=torch.float64)
        touching = torch.zeros(len(places), dtype=torch.bool)
        near = self.box.contains(points).nonzero()[:, 0]
        for rows in near.split(max(1, _AT_ONCE // len(self.corners))):
            turns[rows], touching[rows] = _around(self.corners, places[rows].double().cpu(), slack)
        return turns.to(places.device), touching.to(places.device)

    def throw(self, unit: Tensor) -> tuple[Points, Tensor]:
        """The points of the box around it that are inside."""
        points = self.box.map(unit)
        kept = self.contains(points).nonzero()[:, 0]
        return select(points, kept), kept

    def surfaces(self) -> list[Parametrised]:
        """All triangles, as one surface."""
        return [MeshSurface(self)]


class MeshSurface(Parametrised):
    r"""The triangles of a mesh, with the normal of each as columns.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "corner.off"
        >>> corners, triangles = "0 0 0  1 0 0  0 1 0  0 0 1", "3 0 2 1  3 0 1 3  3 0 3 2  3 1 2 3"
        >>> _ = file.write_text("\n".join(["OFF", "4 4 0", *corners.split("  "), *triangles.split("  ")]))
        >>> MeshSurface(Mesh(file)).map(torch.tensor([[0.1, 0.5]]))["normal_z"]
        tensor([-1.])
    """

    dimension = 2

    def __init__(self, mesh: Mesh) -> None:
        """Take the solid that it bounds."""
        self.mesh, self.names = mesh, mesh.names
        a, b, c = mesh.corners.unbind(1)
        normals = torch.linalg.cross(b - a, c - a)
        double = normals.norm(dim=1)
        self.area = float(double.sum() / 2)
        self.normals = normals / double.clamp_min(torch.finfo(double.dtype).tiny)[:, None]
        self.shares = cumulative(double)

    @property
    def measure(self) -> float:
        """The area of all triangles."""
        return self.area

    @property
    def extent(self) -> Ends:
        """The box around it."""
        return self.mesh.extent

    def contains(self, points: Points) -> Tensor:
        """Which points lie on a triangle."""
        return self.mesh.winding(points)[1]

    def map(self, unit: Tensor) -> Points:
        """The first number chooses a triangle in proportion to its area; its remainder is the first parameter there."""
        triangle, a = choose(self.shares.to(unit), unit[:, 0])
        places = in_triangles(self.mesh.corners.to(unit)[triangle], a, unit[:, 1])
        return unstack(places, self.names) | unstack(self.normals.to(unit)[triangle], self.names, "normal_")


def _around(corners: Tensor, places: Tensor, slack: float) -> tuple[Tensor, Tensor]:
    """The winding number of all triangles `(T, 3, 3)` around places `(P, 3)`, and which places lie on one."""
    a, b, c = (corner[None] - places[:, None] for corner in corners.unbind(1))
    la, lb, lc = (side.norm(dim=2) for side in (a, b, c))
    # tan of half the solid angle is this volume over the other number, which is negative on the triangle itself
    volume = (torch.linalg.cross(a, b) * c).sum(2)
    other = la * lb * lc + (a * b).sum(2) * lc + (b * c).sum(2) * la + (c * a).sum(2) * lb
    first, second, third = corners.unbind(1)
    area = torch.linalg.cross(second - first, third - first).norm(dim=1)
    longest = torch.stack([(second - first).norm(dim=1), (third - second).norm(dim=1), (first - third).norm(dim=1)])
    on = (volume.abs() <= slack * area) & (other <= 2 * slack * longest.amax(0).square())
    return torch.atan2(volume, other).sum(1) / (2 * math.pi), on.any(1)


def _read(path: Path) -> Any:
    """The mesh of a file, by trimesh.

    Raises:
        UserError: see `Mesh`.
    """
    try:
        import trimesh
    except ImportError:
        raise UserError("a Mesh needs trimesh: pip install 'pinnlab[mesh]'") from None
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    try:
        found = trimesh.load_mesh(path)
        triangles = len(found.faces)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: no mesh can be read: {reason}") from None
    if not triangles:
        raise UserError(f"{path}: the file holds no triangles")
    return found
