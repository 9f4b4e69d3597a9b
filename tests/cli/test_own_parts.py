"""Parts of a user's own, each in one file outside of the package: an optimiser phase and a figure."""

import csv

import pytest
import torch

PHASE = '''
from dataclasses import dataclass

import torch
from pinnlab.training import Phase


@dataclass(eq=False, kw_only=True)
class Descent(Phase):
    """Gradient descent with momentum."""

    lr: float = 1e-3
    momentum: float = 0.9

    def optimizer(self, parameters):
        return torch.optim.SGD(parameters, lr=self.lr, momentum=self.momentum)

    def step(self, optimizer, objective, step):
        return float(optimizer.step(objective.closure(optimizer)))

    def columns(self, optimizer):
        return {"speed": optimizer.param_groups[0]["lr"]}
'''

FIGURE = """
def speed(record):
    return [lambda axis: axis.plot(record.rows["step"], record.rows["optimiser/speed"])]


def nothing(record):
    return []
"""


def rows(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


@pytest.fixture
def own(runs):
    (runs.folder / "own_phase.py").write_text(PHASE)
    (runs.folder / "own_figure.py").write_text(FIGURE)
    return runs


def descent(steps):
    options = f"{{class_path: own_phase.Descent, init_args: {{steps: {steps}, lr: 1.0e-3}}}}"
    return ["--model.phases", f"[{options}]", "--trainer.limit_val_batches", "0"]


def test_a_phase_trains_by_its_class_path_and_its_columns_are_in_the_record(own):
    assert own.fit("one", *descent(6)).status == 0
    found = rows(own.folder / "runs" / "one")
    losses = [float(row["loss"]) for row in found]
    assert len(losses) == 7 and losses == sorted(losses, reverse=True)
    assert {float(row["optimiser/speed"]) for row in found} == {1e-3}
    assert "speed" not in own.summary("one")["unknowns"]
    # a figure of the columns beside the package's own, and none where it has no panels
    outcome = own.run("figures", "runs/one", "--formats", "png", "--add", "own_figure.speed", "own_figure.nothing")
    drawn = {path.stem for path in (own.folder / "runs" / "one" / "figures").glob("*.png")}
    assert outcome.status == 0 and {"speed", "history"} < drawn and "nothing" not in drawn


def test_its_momentum_is_in_the_checkpoint(own):
    stop = "from lightning.pytorch import Callback\nclass Stop(Callback):\n"
    stop += "    def on_train_batch_end(self, trainer, module, *rest):\n"
    stop += "        trainer.should_stop = module.schedule.step >= 3\n"
    (own.folder / "own_stop.py").write_text(stop)
    assert own.fit("whole", *descent(6)).status == 0
    assert own.fit("part", *descent(6), "--trainer.callbacks", "[own_stop.Stop]").status == 0
    assert own.fit("part", *descent(6), "--ckpt_path", "last").status == 0
    one, two = (own.folder / "runs" / name for name in ("whole", "part"))
    assert rows(one) == rows(two)
    states = [torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"] for run in (one, two)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("own_figure.missing", "missing"),
        ("nowhere.speed", "nowhere"),
        ("speed", "speed"),
        ("broken.speed", "line 1, in <module>: NameError"),
        ("unwritten.speed", "line 1: SyntaxError"),
        ("fails.history", "another figure 'history'"),
        ("fails.division", "ZeroDivisionError"),
    ],
)
def test_a_figure_that_cannot_be_drawn_is_one_line(own, path, reason):
    (own.folder / "runs" / "one").mkdir(parents=True)
    (own.folder / "runs" / "one" / "metrics.csv").write_text("step,phase,seconds,loss\n")
    (own.folder / "broken.py").write_text("speed = unknown\n")
    (own.folder / "unwritten.py").write_text("def speed(:\n")
    fails = "def history(record):\n    return []\ndef division(record):\n    return 1 / 0\n"
    (own.folder / "fails.py").write_text(fails)
    outcome = own.run("figures", "runs/one", "--add", path)
    assert outcome.status == 2 and outcome.err.count("\n") == 1 and reason in outcome.err
