"""On a GPU: the CPU's numbers, and a training step that never makes the processor wait for the device."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from pinnlab.engines import NTP, Engine
from pinnlab.jets import Collapsed, Field, IndexSet
from pinnlab.jets.operators import laplacian
from pinnlab.networks import MLP
from tests.truth import agree

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and there is none")
# torch's compiler uses deprecated parts of torch itself, and advises on precision
compiling = (
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:TensorFloat32:UserWarning"),
)
COMPOSITIONS = {
    "recurrence": lambda: NTP(),
    "partitions": lambda: NTP("faa_di_bruno"),
    "compiled": lambda: NTP(compile=True),
}
EVERY_COMPOSITION = [pytest.param(name, marks=compiling if name == "compiled" else ()) for name in COMPOSITIONS]
LAPLACIAN = Collapsed.over((0, 1, 2), [], 3)
SETS = {"line": IndexSet.simplex(1, 6), "plane": IndexSet.closure([(4, 2), (0, 5)]), "laplacian": LAPLACIAN}


def evaluate(engine: Engine, network: nn.Module, points: Tensor, indices: IndexSet | Collapsed) -> list[Tensor]:
    """Coefficients, and the gradient of a sum of their squares for every parameter."""
    columns = {f"x{axis}": column for axis, column in enumerate(points.unbind(-1))}
    u = engine.fields(network, columns, ("u",), indices)["u"].coefficients
    return [u, *torch.autograd.grad(u.square().sum(), list(network.parameters()), allow_unused=True)]


@gpu
@pytest.mark.slow
@pytest.mark.parametrize("indices", SETS)
@pytest.mark.parametrize("activation", ["tanh", "sin", "gelu"])
@pytest.mark.parametrize("composition", EVERY_COMPOSITION)
def test_a_gpu_gives_the_same_numbers(composition: str, activation: str, indices: str):
    dimension = SETS[indices].dimension
    network, points = MLP(dimension, 1, 16, 2, activation=activation), torch.rand(50, dimension)
    truth = evaluate(
        NTP("faa_di_bruno" if composition == "partitions" else "recurrence"), network, points, SETS[indices]
    )
    found = evaluate(COMPOSITIONS[composition](), network.cuda(), points.cuda(), SETS[indices])
    for there, here in zip(found, truth, strict=True):
        if here is None:  # the last bias does not show in what is differentiated
            assert there is None
            continue
        agree(there.cpu(), here, 1e-12, (composition, activation, indices))


def flow(u: Field, x: Field, y: Field) -> Field:
    """A residual with a gathered derivative, a product, a function, a seam and constants."""
    seam = torch.where(x.value > 0.5, u.d(x, x, y), 2.0)
    return u.d(x) * u + torch.exp(u.d(y, y)) - 0.1 * laplacian(u, x, y) + seam + (u * u).d(y)


def flow_step(engine: Engine, device: str) -> Callable[[], None]:
    network = MLP(2, 1, 8, 2).to(device)
    optimiser = torch.optim.Adam(network.parameters())
    x, y = torch.rand(2, 20).to(device).unbind()

    def step() -> None:
        optimiser.zero_grad()
        fields = engine.fields(network, {"x": x, "y": y}, ("u",), IndexSet.simplex(2, 3))
        flow(fields["u"], fields["x"], fields["y"]).value.square().mean().backward()
        optimiser.step()

    return step


def ball_step(engine: Engine, device: str) -> Callable[[], None]:
    network = MLP(3, 1, 8, 2, activation="gelu").to(device)
    points = dict(zip("xyz", torch.rand(3, 20).to(device).unbind(), strict=True))

    def step() -> None:
        fields = engine.fields(network, points, ("u",), LAPLACIAN)
        laplacian(fields["u"], *(fields[name] for name in "xyz")).value.square().mean().backward()

    return step


def still_step(engine: Engine, device: str) -> Callable[[], None]:
    """One of two inputs is not differentiated along."""
    network = MLP(2, 1, 8, 2, activation="sin").to(device)
    t, x = torch.rand(2, 20).to(device).unbind()

    def step() -> None:
        fields = engine.fields(network, {"t": t, "x": x}, ("u",), IndexSet.closure([(0, 4)]))
        fields["u"].d(fields["x"], fields["x"]).d(fields["x"]).value.square().mean().backward()

    return step


STEPS = {"flow": flow_step, "ball": ball_step, "still": still_step}


@contextmanager
def synchronisation_refused() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@gpu
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Synchronization debug mode:UserWarning")
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("composition", EVERY_COMPOSITION)
def test_a_step_does_not_synchronise(composition: str, step: str):
    run = STEPS[step](COMPOSITIONS[composition](), "cuda")
    for _ in range(2):  # compilation, tables of products, the optimiser's state
        run()
    torch.cuda.synchronize()
    with synchronisation_refused():
        run()


class Moves(TorchDispatchMode):
    """Refuses moves to the device for which the processor would wait."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.ops.aten._to_copy.default and args[0].device.type == "cpu":
            assert kwargs.get("non_blocking") or str(kwargs.get("device", "cpu")) == "cpu", "a move that waits"
        return func(*args, **kwargs)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("composition", ["recurrence", "partitions"])
def test_a_step_reads_no_number_and_copies_none(composition: str, step: str, monkeypatch: pytest.MonkeyPatch):
    """What can be seen of it without a GPU: on the meta device there are no numbers to read."""
    made = torch.tensor

    def tensor(data, **options):
        assert torch.device(options.get("device") or "cpu").type == "cpu", "a tensor of numbers, copied to the device"
        return made(data, **options)

    run = STEPS[step](COMPOSITIONS[composition](), "meta")
    run()  # tables of products
    monkeypatch.setattr(torch, "tensor", tensor)
    with Moves():
        run()
