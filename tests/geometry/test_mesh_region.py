"""Solids from files of triangles."""

import math
import sys

import numpy as np
import pytest
import torch
import trimesh

from pinnlab.collocation import Sobol
from pinnlab.errors import UserError
from pinnlab.geometry import Ball, Mesh
from tests.geometry.conformance import Conformance


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """A ring of 12 sides with a hole, and a ball of 80 triangles, in files."""
    folder = tmp_path_factory.mktemp("meshes")
    ring().export(folder / "ring.stl")
    trimesh.creation.icosphere(1).export(folder / "ball.obj")
    return folder


def ring():
    return trimesh.creation.annulus(0.5, 1.0, 0.8, sections=12)


def loaded(mesh):
    """A mesh by way of a file."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        mesh.export(Path(folder) / "part.stl")
        return Mesh(Path(folder) / "part.stl")


class TestRing(Conformance):
    """Regular polygons of 12 sides: area 12 r² sin 30° / 2, length 24 r sin 15°."""

    region, exact, lines, points, sharp = loaded(ring()), 1e-6, 800, 3000, 0.97
    volume = 3 * 0.75 * 0.8
    area = 2 * 3 * 0.75 + 24 * math.sin(math.pi / 12) * 1.5 * 0.8


class TestTetrahedron(Conformance):
    region = loaded(
        trimesh.Trimesh([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)])
    )
    volume, area, exact, lines = 1 / 6, 1.5 + math.sqrt(3) / 2, 1e-6, 1500


def test_measures_are_those_of_the_mesh(files, monkeypatch):
    monkeypatch.chdir(files)
    mesh = trimesh.creation.icosphere(1)
    for scale in (1.0, 1e-3):
        region = Mesh("ball.obj", scale=scale)
        assert region.measure == pytest.approx(mesh.volume * scale**3, rel=1e-6)
        assert region.boundary.measure == pytest.approx(mesh.area * scale**2, rel=1e-6)


def test_membership_is_that_of_half_spaces(files):
    """The ball of triangles is convex: a point is inside where it is behind all planes."""
    mesh = trimesh.creation.icosphere(1)
    places = np.random.default_rng(0).uniform(-1, 1, (2000, 3))
    behind = np.einsum("tk,ptk->pt", mesh.face_normals, places[:, None] - mesh.triangles[None, :, 0]).max(1) <= 0
    found = Mesh(files / "ball.obj").contains({name: torch.from_numpy(places[:, i]) for i, name in enumerate("xyz")})
    assert (found.numpy() == behind).all() and 0.3 < behind.mean() < 0.6


def test_a_mesh_is_combined(files):
    region = Mesh(files / "ball.obj") - Ball(radius=0.5)
    hole = region.boundary & Ball(radius=0.6)
    assert hole.measure == pytest.approx(math.pi)
    points = Sobol().sample(hole, 50, seed=0)
    torch.testing.assert_close(points["normal_x"], -2 * points["x"])


def test_triangles_that_are_listed_the_other_way_round_make_the_same_solid(files):
    mesh = ring()
    mesh.invert()
    region = loaded(mesh)
    points = Sobol().sample(region.boundary, 50, seed=0)
    outside = {name: points[name] + 1e-3 * points[f"normal_{name}"] for name in "xyz"}
    assert region.measure > 0 and not region.contains(outside).any()


def test_bad_files_are_refused_in_one_line(files):
    holed = ring()
    holed.update_faces(np.arange(len(holed.faces)) > 0)
    holed.export(files / "holed.stl")
    (files / "text.stl").write_text("no mesh")
    (files / "a.xyz").write_text("")
    for name, message in {
        "holed.stl": "not watertight",
        "none.stl": "no such file",
        "text.stl": "no mesh can be read|no triangles",
        "a.xyz": "no mesh can be read|no triangles",
    }.items():
        with pytest.raises(UserError, match=message) as caught:
            Mesh(files / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="scale of a mesh must be positive"):
        Mesh(files / "ring.stl", scale=-1)
    with pytest.raises(UserError, match="three different"):
        Mesh(files / "ring.stl", names=("x", "y"))


def test_without_trimesh_one_line_says_so(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "trimesh", None)
    with pytest.raises(UserError, match=r"a Mesh needs trimesh: pip install 'pinnlab\[mesh\]'"):
        Mesh(files / "ring.stl")
