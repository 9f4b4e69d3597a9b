"""Eight examples of DeepXDE, written anew with its interface: networks, points and optimisers are those of its files.

Lu, Meng, Mao & Karniadakis (2021), version 1.15 and the folder `examples` of its repository. This module needs DeepXDE.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.peers.equations import TIMES, measured
from experiments.peers.watch import Watch
from pinnlab.errors import UserError

os.environ["DDE_BACKEND"] = "pytorch"
try:
    import deepxde as dde
except ImportError:
    raise UserError("DeepXDE is missing: install it by pip install -e '.[peers]'") from None
import torch

jacobian, hessian = dde.grad.jacobian, dde.grad.hessian
GLOROT, UNIFORM = "Glorot normal", "Glorot uniform"
_LOOK = 100


@dataclass(frozen=True)
class Peer:
    """A model of DeepXDE and how its example trains it.

    Attributes:
        model: The model.
        adam: The iterations of Adam.
        lbfgs: Whether L-BFGS follows, up to 15,000 iterations, which is its default.
        rate: The learning rate.
        unknowns: Numbers that are trained too.
    """

    model: Any
    adam: int
    lbfgs: bool = False
    rate: float = 1e-3
    unknowns: Sequence[Any] = ()

    def train(self, watch: Watch) -> str:
        """Trains it under a watch.

        Returns:
            Why it ended.
        """
        follow = Follow(watch)
        # tests of its own would take its time: the watch looks at errors
        quiet = {"callbacks": [follow], "verbose": 0, "display_every": self.adam}
        compiled: dict[str, Any] = {"verbose": 0, "external_trainable_variables": list(self.unknowns)}
        self.model.compile("adam", lr=self.rate, **compiled)
        self.model.train(iterations=self.adam, **quiet)
        if self.lbfgs and not watch.over:
            # the watch looks after every 100 iterations, in place of 1,000; how these are found is the same
            options = dde.optimizers.config.LBFGS_options
            options |= {"iter_per_step": _LOOK, "fun_per_step": _LOOK * 5 // 4}
            self.model.compile("L-BFGS", **compiled)
            self.model.train(**quiet)
        watch.mark()
        return "the cap" if watch.over else "its own end"


class Follow(dde.callbacks.Callback):
    """Shows a watch each step, and ends the training when that is over."""

    def __init__(self, watch: Watch) -> None:
        """Takes the watch."""
        super().__init__()
        self.watch = watch

    def on_train_begin(self) -> None:
        """Lets the clock run."""
        self.watch.begins()

    def on_epoch_end(self) -> None:
        """Looks."""
        self.model.stop_training = self.watch.looks() or self.model.stop_training


def prepared(seed: int) -> None:
    """Float64, and a seed."""
    dde.config.set_default_float("float64")
    dde.config.set_random_seed(seed)


def constant(value: float) -> Callable[[np.ndarray], float]:
    """A function of points that has one value."""
    return lambda x: value


def everywhere(_: np.ndarray, on_boundary: bool) -> bool:
    """All of a boundary, or of a start."""
    return on_boundary


def at(value: float) -> Callable[[np.ndarray, bool], bool]:
    """The end of an interval, or the side of a rectangle, at this first coordinate."""
    return lambda x, on_boundary: on_boundary and dde.utils.isclose(x[0], value)


def burgers() -> Peer:
    """`Burgers.py`."""

    def residual(x: Any, u: Any) -> Any:
        return jacobian(u, x, j=1) + u * jacobian(u, x, j=0) - 0.01 / np.pi * hessian(u, x)

    region = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 0.99))
    walls = dde.icbc.DirichletBC(region, lambda x: 0, everywhere)
    start = dde.icbc.IC(region, lambda x: -np.sin(np.pi * x[:, :1]), everywhere)
    data = dde.data.TimePDE(region, residual, [walls, start], num_domain=2540, num_boundary=80, num_initial=160)
    return Peer(dde.Model(data, dde.nn.FNN([2, 20, 20, 20, 1], "tanh", GLOROT)), 15000, lbfgs=True)


def helmholtz() -> Peer:
    """`Helmholtz_Dirichlet_2d.py`, with the boundary built in, as it comes."""
    k, n = 4 * np.pi, 20

    def residual(x: Any, u: Any) -> Any:
        source = k**2 * torch.sin(k * x[:, :1]) * torch.sin(k * x[:, 1:])
        return -hessian(u, x, i=0, j=0) - hessian(u, x, i=1, j=1) - k**2 * u - source

    def bubble(x: Any, u: Any) -> Any:
        return (x * (1 - x)).prod(1, keepdim=True) * u

    square = dde.geometry.Rectangle([0, 0], [1, 1])
    data = dde.data.PDE(square, residual, [], num_domain=n**2, num_boundary=4 * n)
    network = dde.nn.FNN([2, 150, 150, 150, 1], "sin", UNIFORM)
    network.apply_output_transform(bubble)
    return Peer(dde.Model(data, network), 5000)


def elbow() -> Peer:
    """`Poisson_Lshape.py`."""
    shape = dde.geometry.Polygon([[0, 0], [1, 0], [1, -1], [-1, -1], [-1, 1], [0, 1]])
    edge = dde.icbc.DirichletBC(shape, lambda x: 0, everywhere)

    def residual(x: Any, u: Any) -> Any:
        return -hessian(u, x, i=0, j=0) - hessian(u, x, i=1, j=1) - 1

    data = dde.data.PDE(shape, residual, edge, num_domain=1200, num_boundary=120)
    return Peer(dde.Model(data, dde.nn.FNN([2, 50, 50, 50, 50, 1], "tanh", UNIFORM)), 50000, lbfgs=True)


def kovasznay() -> Peer:
    """`Kovasznay_flow.py`."""
    reynolds = 20
    rate = reynolds / 2 - np.sqrt(reynolds**2 / 4 + 4 * np.pi**2)

    def residual(x: Any, w: Any) -> list[Any]:
        first = [[jacobian(w, x, i=i, j=j) for j in range(2)] for i in range(3)]
        flow = [
            w[:, :1] * first[i][0] + w[:, 1:2] * first[i][1] + first[2][i]
            - sum(hessian(w, x, component=i, i=j, j=j) for j in range(2)) / reynolds
            for i in range(2)
        ]  # fmt: skip
        return [*flow, first[0][0] + first[1][1]]

    def truth(x: np.ndarray) -> tuple[np.ndarray, ...]:
        e, angle = np.exp(rate * x[:, :1]), 2 * np.pi * x[:, 1:]
        return 1 - e * np.cos(angle), rate / (2 * np.pi) * e * np.sin(angle), (1 - e**2) / 2

    box = dde.geometry.Rectangle([-0.5, -0.5], [1, 1.5])
    given = [
        dde.icbc.DirichletBC(box, lambda x: truth(x)[0], everywhere, component=0),
        dde.icbc.DirichletBC(box, lambda x: truth(x)[1], everywhere, component=1),
        dde.icbc.DirichletBC(box, lambda x: truth(x)[2], at(1), component=2),
    ]
    data = dde.data.PDE(box, residual, given, num_domain=2601, num_boundary=400)
    return Peer(dde.Model(data, dde.nn.FNN([2, 50, 50, 50, 50, 3], "tanh", GLOROT)), 30000, lbfgs=True)


def rotation() -> Peer:
    """`ode_system.py`."""
    line = dde.geometry.TimeDomain(0, 10)
    start = [dde.icbc.IC(line, constant(value), everywhere, component=i) for i, value in enumerate((0, 1))]

    def residual(t: Any, y: Any) -> list[Any]:
        return [jacobian(y, t, i=0) - y[:, 1:], jacobian(y, t, i=1) + y[:, :1]]

    data = dde.data.PDE(line, residual, start, num_domain=35, num_boundary=2)
    return Peer(dde.Model(data, dde.nn.FNN([1, 50, 50, 50, 2], "tanh", UNIFORM)), 20000)


def diffusion() -> Peer:
    """`diffusion_1d.py`."""

    def truth(x: np.ndarray) -> np.ndarray:
        return np.sin(np.pi * x[:, :1]) * np.exp(-x[:, 1:])

    def residual(x: Any, u: Any) -> Any:
        source = (np.pi**2 - 1) * torch.exp(-x[:, 1:]) * torch.sin(np.pi * x[:, :1])
        return jacobian(u, x, j=1) - hessian(u, x) - source

    region = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 1))
    given = [dde.icbc.DirichletBC(region, truth, everywhere), dde.icbc.IC(region, truth, everywhere)]
    data = dde.data.TimePDE(region, residual, given, num_domain=40, num_boundary=20, num_initial=10)
    return Peer(dde.Model(data, dde.nn.FNN([2, 32, 32, 32, 1], "tanh", UNIFORM)), 10000)


def cantilever() -> Peer:
    """`Euler_beam.py`."""

    def residual(x: Any, u: Any) -> Any:
        return hessian(hessian(u, x), x) + 1

    line = dde.geometry.Interval(0, 1)
    ends = [
        dde.icbc.DirichletBC(line, lambda x: 0, at(0)),
        dde.icbc.NeumannBC(line, lambda x: 0, at(0)),
        dde.icbc.OperatorBC(line, lambda x, u, _: hessian(u, x), at(1)),
        dde.icbc.OperatorBC(line, lambda x, u, _: jacobian(hessian(u, x), x), at(1)),
    ]
    data = dde.data.PDE(line, residual, ends, num_domain=10, num_boundary=2)
    return Peer(dde.Model(data, dde.nn.FNN([1, 20, 20, 20, 1], "tanh", UNIFORM)), 10000)


def lorenz() -> Peer:
    """`Lorenz_inverse.py`, with measurements that are exact."""
    unknowns = [dde.Variable(1.0) for _ in range(3)]
    times = np.array(TIMES)[:, None]

    def residual(t: Any, w: Any) -> list[Any]:
        x, y, z = w[:, :1], w[:, 1:2], w[:, 2:]
        sigma, rho, beta = unknowns
        rates = [jacobian(w, t, i=i) for i in range(3)]
        return [rates[0] - sigma * (y - x), rates[1] - x * (rho - z) + y, rates[2] - x * y + beta * z]

    line = dde.geometry.TimeDomain(0, 3)
    start = [dde.icbc.IC(line, constant(value), everywhere, component=i) for i, value in enumerate((-8, 7, 27))]
    seen = [dde.icbc.PointSetBC(times, column[:, None], component=i) for i, column in enumerate(measured())]
    data = dde.data.PDE(line, residual, [*start, *seen], num_domain=400, num_boundary=2, anchors=times)
    network = dde.nn.FNN([1, 40, 40, 40, 3], "tanh", UNIFORM)
    return Peer(dde.Model(data, network), 20000, lbfgs=True, unknowns=unknowns)
