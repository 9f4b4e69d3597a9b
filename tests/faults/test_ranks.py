"""Several processes train as one does: the same points, λ, loss and parameters, whatever the optimiser."""

import pytest
import torch

POINTS = ["--data.points", "{interior: 301, origin: 31}", "--run.checkpoint_steps", "1000000"]
ADAM = "[{class_path: Adam, init_args: {steps: 200}}]"
LBFGS = "[{class_path: LBFGS, init_args: {steps: 20, inner: 1}}]"
BROYDEN = "[{class_path: SSBroyden, init_args: {steps: 20, inner: 1}}]"
GAUSS_NEWTON = "[{class_path: GaussNewton, init_args: {steps: 10, plateau: null}}]"
CHOLESKY = GAUSS_NEWTON.replace("plateau: null", "plateau: null, factorisation: cholesky")
SMALL = ["--data.points", "{interior: 5, origin: 3}", "--model.network.width", "12"]


def last(lab, name):
    return torch.load(lab.path(name) / "checkpoints" / "last.ckpt", map_location="cpu", weights_only=True)


def difference(lab, one, other):
    """The largest difference of parameters, λ and loss (relative) between two runs."""
    a, b = last(lab, one)["state_dict"], last(lab, other)["state_dict"]
    found = max(float((a[key] - b[key]).abs().max()) for key in a)
    for here, there in zip(lab.record(one), lab.record(other), strict=True):
        for key in ("loss", "lam", *(name for name in here if name.startswith("loss/"))):
            x, y = float(here[key]), float(there[key])
            found = max(found, abs(x - y) / max(1.0, abs(x)))
    return found


@pytest.mark.parametrize("accelerator", ["cpu", "gpu"], ids=["gloo", "nccl"])
@pytest.mark.parametrize(
    ("phases", "options", "count", "bound"),
    [
        (ADAM, POINTS, 2, 1e-12),
        (LBFGS, POINTS, 2, 1e-10),
        # reduces what L-BFGS does
        pytest.param(BROYDEN, POINTS, 2, 1e-8, marks=pytest.mark.long),
        (GAUSS_NEWTON, POINTS, 2, 1e-8),
        # fewer rows than parameters, and two end points for three ranks
        (GAUSS_NEWTON, SMALL, 3, 1e-8),
        # a sum of Gram matrices
        pytest.param(CHOLESKY, POINTS, 2, 1e-8, marks=pytest.mark.long),
        (CHOLESKY, SMALL, 3, 1e-8),
        (ADAM.replace("200", "20"), SMALL, 3, 1e-12),
    ],
    ids=["Adam", "L-BFGS", "Broyden", "Gauss-Newton", "few rows", "Cholesky", "few rows, Cholesky", "empty share"],
)
def test_ranks_train_as_one(lab, phases, options, count, bound, accelerator):
    if accelerator == "gpu" and torch.cuda.device_count() < count:
        pytest.skip(f"needs {count} CUDA devices, and there are {torch.cuda.device_count()}")
    options = [*options, "--model.phases", phases, "--trainer.accelerator", accelerator]
    one = lab.start("one", *options)
    assert lab.fit_ranks("several", count, *options) == [0] * count, lab.log("several")
    one.join()
    assert one.exitcode == 0, lab.log("one")
    found = difference(lab, "one", "several")
    print(f"{phases}: largest difference {found:.1e}")
    assert found <= bound
    assert lab.summary("several")["metrics"].keys() == lab.summary("one")["metrics"].keys()
    for name, value in lab.summary("one")["metrics"].items():
        assert lab.summary("several")["metrics"][name] == pytest.approx(value, rel=1e-3, abs=1e-9)
    assert [phase["steps"] for phase in lab.summary("several")["phases"]] == [int(lab.record("one")[-1]["step"])]


STAGED = """
model:
  network:
    class_path: Staged
    init_args:
      stages:
        - {class_path: MLP, init_args: {depth: 1, width: 8}}
        - class_path: Rescaled
          init_args: {low: [-0.5], high: [0.5], network: {class_path: MLP, init_args: {depth: 1, width: 6}}}
  phases:
    - {class_path: GaussNewton, init_args: {steps: 4}}
    - {class_path: Adam, init_args: {steps: 5, stage: 2}}
    - {class_path: LBFGS, init_args: {steps: 2, inner: 3, stage: 2}}
    - {class_path: GaussNewton, init_args: {steps: 5, stage: 2}}
"""


@pytest.mark.parametrize("engine", ["NTP", pytest.param("Autograd", marks=pytest.mark.long)])
def test_ranks_train_stages_as_one(lab, engine):
    (lab.folder / "staged.yaml").write_text(STAGED)
    options = ["--config", str(lab.folder / "staged.yaml"), "--data.resample_every", "0", "--model.engine", engine]
    one = lab.start("one", *options)
    assert lab.fit_ranks("several", 2, *options) == [0, 0], lab.log("several")
    one.join()
    assert one.exitcode == 0, lab.log("one")
    scales = [last(lab, name)["state_dict"]["residuals.network._extra_state"] for name in ("one", "several")]
    assert scales[0][1] > 0
    assert difference(lab, "one", "several") <= 1e-8


NONLOCAL = """
import math
from pinnlab.equations import Constraint, Equation, Shift, Unknown, Whole, periodic
from pinnlab.geometry import Box, PointSet
from pinnlab.operators import Antiderivative, GaussLegendre

class Mixed(Equation):
    inputs, outputs = ("t", "x"), ("u",)

    def __init__(self):
        super().__init__()
        self.lam = Unknown(0.3)
        self.rule = GaussLegendre(x=(0, 1), nodes=5)

    def constraints(self):
        box = Box(t=(0, 1), x=(0, 1))
        return {
            "interior": Constraint(
                box, lambda u, t, x, lam, later: later.u - u - lam * u.d(x), points=31, places={"later": Shift(t=0.1)}
            ),
            "periodic": periodic(box, "x", "u", points=5),
            "mass": Whole(self.rule, self.mass, each=Box(t=(0, 1)), points=5),
            "integral": Whole(
                self.rule, lambda u, x, S: u - S @ u - x, operators={"S": Antiderivative}, each=Box(t=(0, 1)), points=3
            ),
            "mean": Whole(PointSet(t=[0.0] * 7, x=[i / 6 for i in range(7)]), lambda u: u - 3 * u.mean()),
        }

    def mass(self, u, weight, t):
        return (weight * u * u).sum() - 1 - t[0]
"""


@pytest.mark.parametrize("engine", ["NTP", pytest.param("Autograd", marks=pytest.mark.long)])
def test_rows_of_several_points_train_as_one(lab, engine):
    """Periodic pairs, delays, and groups of nodes of which one rank has more than the other, or none."""
    (lab.folder / "mixed.py").write_text(NONLOCAL)
    phases = "[{class_path: Adam, init_args: {steps: 5}}, {class_path: LBFGS, init_args: {steps: 2, inner: 3}},"
    phases += " {class_path: GaussNewton, init_args: {steps: 4}}]"
    options = ["--model.equation", "mixed.Mixed", "--data.points", "{}", "--data.resample_every", "0"]
    options += ["--model.engine", engine, "--model.phases", phases]
    one = lab.start("one", *options)
    assert lab.fit_ranks("several", 2, *options) == [0, 0], lab.log("several")
    one.join()
    assert one.exitcode == 0, lab.log("one")
    assert difference(lab, "one", "several") <= 1e-10


STOP = """
from lightning.pytorch import Callback

class Stop(Callback):
    def __init__(self, step: int):
        self.step = step

    def on_train_batch_end(self, trainer, module, *rest):
        trainer.should_stop = module.schedule.step == self.step or trainer.should_stop
"""


@pytest.mark.long
def test_rows_of_several_points_are_resumed_with_the_same_bits(lab):
    (lab.folder / "mixed.py").write_text(NONLOCAL)
    (lab.folder / "stops.py").write_text(STOP)
    options = ["--model.equation", "mixed.Mixed", "--data.points", "{}"]
    phases = "[{class_path: Adam, init_args: {steps: 6}}, {class_path: GaussNewton, init_args: {steps: 6}}]"
    options += ["--model.phases", phases]

    def fit(name, step, *more):
        stop = f"[{{class_path: stops.Stop, init_args: {{step: {step}}}}}]"
        assert lab.fit(name, *options, "--trainer.callbacks", stop, *more) == 0, lab.log(name)

    fit("whole", -1)
    fit("parts", 3)
    for step in (8, -1):
        fit("parts", step, "--ckpt_path", "last")
    a, b = last(lab, "whole")["state_dict"], last(lab, "parts")["state_dict"]
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert lab.record("whole") == lab.record("parts")
