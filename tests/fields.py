"""Problems of several unknown fields and of corners, with known solutions."""

import itertools
import math

import numpy as np
import torch

from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Interval, PointSet, Polygon
from pinnlab.jets.operators import laplacian
from pinnlab.networks import Corner


class Rod(Equation):
    """−(k u')' = e^x on [0, 1], u(0) = u(1) = 0, with k = 1 on the left and 10 on the right of x = 1/2.

    a is u on the left and b on the right; at the interface u and k u' are continuous. With k_a a = −e^x + c x + d and
    k_b b = −e^x + c x + e, where the fluxes agree, c, d and e follow from the three other conditions.
    """

    inputs, outputs = ("x",), ("a", "b")
    k = (1.0, 10.0)

    def constraints(self):
        left, right = Interval(x=(0, 0.5)), Interval(x=(0.5, 1))
        middle = PointSet(x=[0.5])
        return {
            "left": Constraint(left, lambda x, a: self.k[0] * a.d(x, x) + torch.exp(x), points=30),
            "right": Constraint(right, lambda x, b: self.k[1] * b.d(x, x) + torch.exp(x), points=30),
            "start": Constraint(PointSet(x=[0.0]), lambda a: a),
            "end": Constraint(PointSet(x=[1.0]), lambda b: b),
            "interface": Constraint(middle, lambda x, a, b: (a - b, self.k[0] * a.d(x) - self.k[1] * b.d(x))),
        }

    def exact(self, x):
        k, e = self.k, math.exp(0.5)
        # d = 1; (c/2 + d − e^½)/k_a = (c/2 + f − e^½)/k_b; c + f = e
        matrix = np.array([[0.5 / k[0] - 0.5 / k[1], -1 / k[1]], [1.0, 1.0]])
        c, f = np.linalg.solve(matrix, [(e - 1) / k[0] - e / k[1], math.e])
        return (-torch.exp(x) + c * x + 1) / k[0], (-torch.exp(x) + c * x + f) / k[1]


L_SHAPE = Polygon([(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)])
SINGULAR = Corner(sides=(0, 270))


class Elbow(Equation):
    """Δu = 0 on an L-shape with the walls of u = 0.7 r^{2/3} sin(2θ/3) + e^x cos y."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        return {
            "interior": Constraint(L_SHAPE, lambda x, y, u: laplacian(u, x, y), points=500),
            "walls": Constraint(L_SHAPE.boundary, lambda x, y, u: u - self.exact(x, y), points=300, weight=100.0),
        }

    def exact(self, x, y):
        return 0.7 * SINGULAR(x=x, y=y) + torch.exp(x) * torch.cos(y)


class ElbowWithFactor(Elbow):
    """The same, with the factor 0.7 an unknown of the equation."""

    def __init__(self, linear=True):
        super().__init__()
        self.k = Unknown(0.0, truth=0.7, linear=linear)


class LoadedElbow(Equation):
    """−Δu = 1 on an L-shape, u = 0 on the walls."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        return {
            "interior": Constraint(L_SHAPE, lambda x, y, u: laplacian(u, x, y) + 1, points=800),
            "walls": Constraint(L_SHAPE.boundary, lambda u: u, points=500, weight=100.0),
        }


CORNERS = [((1, 0), 90), ((1, 1), 180), ((-1, 1), 270), ((-1, -1), 0), ((0, -1), 90)]
"""The right angles of the L and the direction of the first side of each."""


def corner_functions():
    """What the solution of −Δu = 1 on the L is made of beside smooth functions: all are harmonic."""
    rays = [Corner(sides=(0, 270), order=k) for k in (1, 2, 4, 5, 7, 8)]
    rays.append(Corner(sides=(0, 270), order=3, logarithm=True))
    return rays + [Corner(at=at, sides=(side, side + 90), logarithm=True) for at, side in CORNERS]


class Conductivity(Equation):
    """u_t = (k(x) u_x)_x + f on [0, 1]², where u is measured and k is sought.

    u = e^{−t} sin x + e^{−2t} x and k = 1 + x²/2 + sin(2x)/4.
    """

    inputs, outputs = ("t", "x"), ("u", "k")

    def constraints(self):
        square = Interval(t=(0, 1)) * Interval(x=(0, 1))
        t, x = (axis.flatten() for axis in torch.meshgrid(*[torch.linspace(0, 1, 21).double()] * 2, indexing="ij"))
        measured = self.exact(t, x)[0]
        return {
            "balance": Constraint(square, self.balance, points=400),
            "data": Constraint(PointSet(t=t, x=x, m=measured), lambda u, m: u - m, weight=100.0),
        }

    def balance(self, t, x, u, k):
        return u.d(t) - (k * u.d(x)).d(x) - self.source(t, x)

    def source(self, t, x):
        """u_t − k' u_x − k u_xx of the solution."""
        k, slope = self.exact(t, x)[1], x + torch.cos(2 * x) / 2
        first = torch.exp(-t) * torch.cos(x) + torch.exp(-2 * t)
        rate = -torch.exp(-t) * torch.sin(x) - 2 * torch.exp(-2 * t) * x
        return rate - slope * first + k * torch.exp(-t) * torch.sin(x)

    def exact(self, t, x):
        return torch.exp(-t) * torch.sin(x) + torch.exp(-2 * t) * x, 1 + x * x / 2 + torch.sin(2 * x) / 4


def loaded_elbow(x, y):
    """The solution of −Δu = 1 on the L, and a bound of its error: by a method of particular solutions in numpy alone.

    u = −(x² + y²)/4 + Σ c_k h_k with harmonic h_k: r^{2k/3} sin(2kθ/3) around the corner of the L, Re and Im of z^k
    and, around every corner, of z² log z. The c_k make u small on the walls, by least squares; by the maximum
    principle its error is nowhere larger than on the walls.

    Args:
        x: Abscissae, `(N,)`.
        y: Ordinates, `(N,)`.
    """

    def basis(x, y):
        columns = []
        theta = np.arctan2(y, x) % (2 * math.pi)  # the cut lies outside of the L, but for rounding on its lower side
        theta[theta > 1.75 * math.pi] -= 2 * math.pi
        r = np.hypot(x, y)
        columns += [r ** (2 * k / 3) * np.sin(2 * k * theta / 3) for k in range(1, 31) if k % 3]
        z = (x + 1j * y) / 1.5
        columns += [np.ones_like(x), *(part for k in range(1, 31) for part in ((z**k).real, (z**k).imag))]
        for (a, b), side in [((0, 0), 135), *[(at, side + 45) for at, side in CORNERS]]:
            turned = ((x - a) + 1j * (y - b)) * np.exp(-1j * math.radians(side))
            with np.errstate(all="ignore"):
                columns.append(np.nan_to_num((turned**2 * np.log(turned)).imag))
                columns.append(np.nan_to_num((turned**2 * np.log(turned)).real))
        return np.stack(columns, -1)

    # points that crowd towards the ends of each side
    s = (1 - np.cos(np.linspace(0, math.pi, 400))) / 2
    ring = np.array(L_SHAPE.shape.geoms[0].exterior.coords)
    walls = np.concatenate([a + s[:, None] * (b - a) for a, b in itertools.pairwise(ring)])
    matrix = basis(*walls.T)
    scale = np.linalg.norm(matrix, axis=0)
    factors = np.linalg.lstsq(matrix / scale, (walls**2).sum(1) / 4, rcond=1e-14)[0] / scale
    middle = ring[:-1, None] + np.linspace(0.0005, 0.9995, 997)[None, :, None] * np.diff(ring, axis=0)[:, None]
    between = middle.reshape(-1, 2)
    error = np.abs(basis(*between.T) @ factors - (between**2).sum(1) / 4).max()
    return basis(x, y) @ factors - (x * x + y * y) / 4, error


def bump(x, y):
    """A smooth function of both inputs."""
    return torch.exp(-x * x - y * y)
