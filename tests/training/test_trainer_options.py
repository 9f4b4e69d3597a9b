"""Options of Lightning's trainer: each works on a run of phases or is refused before the first step."""

import inspect

import pytest
from lightning.pytorch import Trainer, callbacks

import pinnlab
from pinnlab.cli import main
from pinnlab.equations import Constraint, Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.networks import MLP
from pinnlab.training import Adam
from pinnlab.training.setup.trainer_options import check_options, check_processes


class Decay(Equation):
    inputs, outputs = ("t",), ("u",)

    def constraints(self):
        line = Interval(t=(0, 1))
        return {
            "ode": Constraint(line, lambda t, u: u.d(t) + u, points=9),
            "start": Constraint(line.face("t", 0), lambda u: u - 1),
        }


def small(inputs, outputs):
    return MLP(inputs, outputs, width=5, depth=1)


def solve(steps=4, **options):
    return pinnlab.solve(Decay(), small, phases=[Adam(steps, lr=0.01)], accelerator="cpu", **options)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"max_epochs": 10}, "phases say how long"),
        ({"max_epochs": None}, "phases say how long"),
        ({"max_steps": 3}, "phases say how long"),
        ({"min_steps": 9}, "phases say how long"),
        ({"limit_train_batches": 2}, "phases say how long"),
        ({"fast_dev_run": True}, "few steps"),
        ({"overfit_batches": 1}, "data.points"),
        ({"accumulate_grad_batches": 2}, "data.points"),
        ({"gradient_clip_val": 1.0}, "smaller lr"),
        ({"inference_mode": True}, "derivatives"),
        ({"use_distributed_sampler": True}, "share"),
        ({"precision": "16-mixed"}, "64-true"),
        ({"precision": "bf16-true"}, "64-true"),
        ({"check_val_every_n_epoch": 2}, "val_check_interval"),
        ({"limit_val_batches": 3}, "0 does not"),
        ({"val_check_interval": 5}, "more than the 4"),
        ({"val_check_interval": 0}, "positive"),
        ({"log_every_n_steps": 0}, "positive"),
        ({"barebones": True}, "evaluation"),
        ({"accelerator": "nothing"}, "accelerator"),
        ({"devices": 0}, "devices"),
        ({"strategy": "nothing"}, "strategy"),
        ({"profiler": "nothing"}, "profiler"),
        ({"callbacks": [callbacks.EarlyStopping("held_out_loss")]}, "val_check_interval.*tolerance and plateau"),
        ({"callbacks": [callbacks.EarlyStopping("held_out_loss", check_on_train_epoch_end=True)],
          "val_check_interval": 2}, "val_check_interval"),
        ({"callbacks": [callbacks.ModelCheckpoint(monitor="held_out_loss")]}, "val_check_interval"),
        ({"callbacks": [callbacks.ModelCheckpoint()]}, "enable_checkpointing"),
        ({"callbacks": [callbacks.LearningRateMonitor()]}, "column optimiser/lr"),
        ({"callbacks": [callbacks.StochasticWeightAveraging(0.1)]}, "optimisers"),
        ({"callbacks": [callbacks.LearningRateFinder()]}, "lr"),
        ({"callbacks": [callbacks.BatchSizeFinder()]}, "data.points"),
        ({"callbacks": [callbacks.GradientAccumulationScheduler({0: 2})]}, "data.points"),
        ({"callbacks": [callbacks.RichProgressBar()]}, "enable_progress_bar"),
    ],
)  # fmt: skip
def test_what_has_no_effect_is_refused(options, word):
    options = {"accelerator": "cpu"} | options
    with pytest.raises(UserError, match=word) as refused:
        pinnlab.solve(Decay(), small, phases=[Adam(4)], **options)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        {"max_epochs": 1, "max_steps": -1, "min_epochs": 0},
        {"limit_val_batches": 0},
        {"limit_val_batches": 1.0},
        {"precision": 64},
        {"precision": "32-true"},
        {"num_sanity_val_steps": 1},
        {"deterministic": True},
        {"val_check_interval": 0.5},
    ],
)
def test_what_works_is_taken(options):
    solution = solve(**options)
    assert solution.history["step"][-1] == 4
    assert ("held_out_loss" in solution.metrics) == (options.get("limit_val_batches") != 0)


def test_early_stopping_looks_where_held_out_points_are_evaluated():
    stopping = callbacks.EarlyStopping("held_out_loss", min_delta=10.0, patience=2)
    solution = solve(200, callbacks=[stopping], val_check_interval=5)
    # the first evaluation sets the mark, two more do not reach it
    assert solution.model.schedule.step == 15
    assert stopping.best_score != solution.metrics["held_out_loss"] > 0


def test_a_checkpoint_of_the_best_is_kept(tmp_path):
    best = callbacks.ModelCheckpoint(tmp_path / "best", "best", monitor="held_out_loss")
    solve(20, callbacks=[best], val_check_interval=5, enable_checkpointing=True, folder=tmp_path / "run")
    assert (tmp_path / "best" / "best.ckpt").exists() and best.best_model_score > 0


def test_a_limit_in_time_ends_a_run_with_its_record(tmp_path):
    solution = solve(10**6, max_time="00:00:00:01", folder=tmp_path / "run")
    assert 0 < solution.model.schedule.step < 10**6
    rows = pinnlab.reporting.folder.RunFolder(tmp_path / "run").read_rows()
    assert list(rows["step"]) == list(solution.history["step"])


@pytest.mark.filterwarnings("ignore:The `srun` command is available")  # where the tests on SLURM installed it
def test_slurm_starts_as_many_tasks_as_there_are_processes():
    trainer = Trainer(accelerator="cpu", devices=2, logger=False, enable_checkpointing=False)
    check_processes(trainer, {"SLURM_NTASKS": "2"})
    check_processes(trainer, {})
    with pytest.raises(UserError, match=r"SLURM starts 4 tasks.*2 × 1: set --trainer.devices"):
        check_processes(trainer, {"SLURM_NTASKS": "4"})


def test_the_defaults_of_the_package_are_allowed():
    from pinnlab.training.setup.settings import TRAINER_DEFAULTS

    check_options(TRAINER_DEFAULTS)


CONFIG = """
model:
  equation: decay_of_options.Decay
  network: {class_path: MLP, init_args: {depth: 1, width: 5}}
  phases: [{class_path: Adam, init_args: {steps: 500}}]
data: {held_out: 21}
trainer:
  accelerator: cpu
  callbacks:
    - {class_path: EarlyStopping, init_args: {monitor: held_out_loss, min_delta: 10.0, patience: 1}}
"""


def test_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    imports = "from pinnlab.equations import Constraint, Equation\nfrom pinnlab.geometry import Interval\n\n\n"
    (tmp_path / "decay_of_options.py").write_text(imports + inspect.getsource(Decay))
    (tmp_path / "early.yaml").write_text(CONFIG)
    assert main(["fit", "--config", "early.yaml", "--run.name", "a"]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "runs").exists()
    assert main(["fit", "--config", "early.yaml", "--run.name", "b", "--trainer.val_check_interval", "10"]) == 0
    assert "stopped after step 20 of phase 1 (Adam)" in capsys.readouterr().out
    for mode in ("onlin", "true"):
        monkeypatch.setenv("WANDB_MODE", mode)
        assert main(["fit", "--config", "early.yaml", "--run.name", "c", "--trainer.callbacks", "null"]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and repr(mode) in said and "offline" in said
    monkeypatch.setenv("WANDB_MODE", "disabled")
    names = {"NTASKS": "4", "NTASKS_PER_NODE": "4", "JOB_NAME": "x", "PROCID": "0", "LOCALID": "0", "NODEID": "0"}
    for name, value in (names | {"NODELIST": "n1", "JOB_ID": "1"}).items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    assert main(["fit", "--config", "early.yaml", "--run.name", "d", "--trainer.callbacks", "null"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "SLURM starts 4 tasks" in said
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["b"]
