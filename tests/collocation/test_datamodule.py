"""The data module by itself and under a real Trainer; warnings are errors."""

import subprocess
import sys
import warnings
from dataclasses import dataclass

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything

from pinnlab.collocation import Grid, Halton, Sobol, residual_adaptive
from pinnlab.collocation.batches import shard
from pinnlab.collocation.datamodule import Collocation
from pinnlab.errors import UserError
from pinnlab.geometry import Box, PointSet, Region, size


@dataclass(frozen=True)
class Term:
    region: Region
    points: int = 128


BOX = Box(t=(0, 1), x=(-1, 1))
TERMS = {
    "interior": Term(BOX, 31),
    "initial": Term(BOX.face("t", 0), 7),
    "walls": Term(BOX.faces("x"), 10),
    "data": Term(PointSet(t=[0.1, 0.2, 0.3], x=[0.0, 0.1, 0.2], u=[1.0, 2.0, 3.0])),
}


def bound(**options):
    data = Collocation(**{"seed": 0, **options})
    data.bind(TERMS)
    return data


def flat(batch):
    return {f"{name}/{column}": v for name, points in batch.items() for column, v in points.items()}


def same(one, other):
    one, other = flat(one), flat(other)
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_counts():
    data = bound(points={"interior": 50})
    assert data.totals == {"interior": 50, "initial": 7, "walls": 10, "data": 3}
    assert {name: size(points) for name, points in data.batch(0).items()} == data.totals
    assert bound(points={"interior": 31}, sampler=Grid()).totals["interior"] == 30


def test_fixed_points_stay():
    data = bound()
    assert same(data.batch(0), data.batch(10**6))


def test_resampled_points_change_on_schedule_and_are_reproducible():
    data = bound(resample_every=5)
    assert same(data.batch(5), data.batch(9))
    for name in ("interior", "initial", "walls"):
        before, after = data.batch(4)[name]["x"], data.batch(5)[name]["x"]
        moved = before != after
        assert moved.all() if name != "walls" else not moved.any()
        t = [data.batch(step)[name]["t"] for step in (4, 5)]
        assert (t[0] != t[1]).all() if name != "initial" else True
    assert same(data.batch(7), bound(resample_every=5).batch(7))
    assert same({"d": data.batch(0)["data"]}, {"d": data.batch(5)["data"]})


def test_constraints_have_streams_of_their_own():
    data = Collocation(seed=0)
    data.bind({"one": Term(BOX, 16), "two": Term(BOX, 16)})
    assert not same({"": data.batch(0)["one"]}, {"": data.batch(0)["two"]})
    alone = Collocation(seed=0)
    alone.bind({"two": Term(BOX, 16)})
    assert same({"": alone.batch(0)["two"]}, {"": data.batch(0)["two"]})


def test_seed(monkeypatch):
    monkeypatch.delenv("PL_GLOBAL_SEED", raising=False)
    assert Collocation().seed == 0
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    monkeypatch.setenv("PL_SEED_WORKERS", "0")
    seed_everything(17, verbose=False)
    assert Collocation().seed == 17
    assert Collocation(seed=3).seed == 3
    assert not same({"": bound(seed=1).batch(0)["interior"]}, {"": bound(seed=2).batch(0)["interior"]})


def test_sampler_by_constraint():
    data = bound(sampler={"initial": Grid()})
    torch.testing.assert_close(data.batch(0)["initial"]["x"], torch.linspace(-1, 1, 7))
    assert same({"": data.batch(0)["interior"]}, {"": bound().batch(0)["interior"]})


@pytest.mark.parametrize("world", [1, 2, 3, 8, 40])
def test_shares_are_disjoint_and_cover_all(world):
    for name, points in bound().batch(0).items():
        shares = [shard(points, rank, world) for rank in range(world)]
        sizes = [size(share) for share in shares]
        assert sum(sizes) == size(points)
        assert max(sizes) - min(sizes) <= 1
        for column, values in points.items():
            together = torch.cat([share[column] for share in shares])
            assert torch.equal(together.sort().values, values.sort().values), name


def test_held_out_points_are_dense_and_new():
    data = bound(held_out=257, sampler=Sobol())
    held_out, training = data.held_out_batch(), data.batch(0)
    for name in ("interior", "initial", "walls"):
        free = "t" if name == "walls" else "x"
        assert size(held_out[name]) == 257
        assert TERMS[name].region.contains(held_out[name]).all()
        assert not set(held_out[name][free].tolist()) & set(training[name][free].tolist())
    assert size(held_out["data"]) == 3
    assert (held_out["initial"]["x"].diff() > 0).all()
    assert same(held_out, bound(held_out=257, resample_every=3).held_out_batch())
    grid = Collocation(sampler=Grid(), points={"initial": 1001}, seed=0)
    grid.bind(TERMS)
    trained = grid.batch(0)["initial"]["x"]
    assert not torch.isin(grid.held_out_batch()["initial"]["x"], trained).any()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: bound(points={"wall": 3}), "points: no constraint 'wall'; there are interior, initial"),
        (lambda: bound(sampler={"wall": Sobol()}), "sampler: no constraint 'wall'; there are interior"),
        (lambda: bound(points={"walls": 0}), r"points.walls: the number of points must be positive"),
        (lambda: bound(resample_every=-1), "resample_every must not be negative"),
        (lambda: bound(held_out=0), "held_out must be positive"),
        (lambda: bound(seed=-1), "seed must not be negative"),
        (lambda: Collocation().batch(0), "call bind"),
        (lambda: Collocation().train_dataloader(), "call bind"),
        (lambda: bound().train_dataloader(), "attribute steps"),
        (lambda: bound().replace("wall", {}), "no constraint 'wall'"),
        (lambda: bound().restore("wall"), "no constraint 'wall'"),
        (lambda: bound().candidates("wall", 3), "no constraint 'wall'"),
        (lambda: bound().replace("interior", {"x": torch.ones(3)}), "need the columns t, x; got x"),
        (
            lambda: bound().replace("interior", {"t": torch.ones(2), "x": torch.ones(3)}),
            "columns of one length",
        ),
    ],
)
def test_bad_input_is_one_clear_line(build, message):
    with pytest.raises(UserError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)


class Fit(LightningModule):
    """u(t, x) = a t + b x + c, fitted to u = x² on the points; remembers what it was given."""

    def __init__(self, action=None):
        super().__init__()
        self.network = torch.nn.Linear(2, 1)
        self.seen, self.held_out, self.action = [], [], action

    def loss(self, batch):
        points = batch["interior"]
        u = self.network(torch.stack([points["t"], points["x"]], 1))[:, 0]
        return ((u - points["x"] ** 2) ** 2).mean()

    def training_step(self, batch, index):
        self.seen.append({name: {k: v.clone() for k, v in points.items()} for name, points in batch.items()})
        if self.action:
            self.action(self, index)
        return self.loss(batch)

    def validation_step(self, batch, index):
        self.held_out.append(batch)
        self.log("val_loss", self.loss(batch), batch_size=1, sync_dist=True)

    def test_step(self, batch, index):
        self.validation_step(batch, index)

    def predict_step(self, batch, index):
        return self.loss(batch)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-2)


class Saving(Fit):
    """Writes a checkpoint after the sixth step, where ModelCheckpoint would."""

    def on_train_batch_end(self, outputs, batch, index):
        if index == 5:
            self.trainer.save_checkpoint(f"{self.trainer.default_root_dir}/at_six.ckpt")


def trainer(path, **options):
    return Trainer(
        **{
            "accelerator": "cpu",
            "devices": 1,
            "max_epochs": 1,
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "use_distributed_sampler": False,
            "default_root_dir": path,
            **options,
        }
    )


@pytest.fixture
def strict(monkeypatch):
    """Warnings are errors; `srun` on the path would make Lightning warn."""
    monkeypatch.setenv("PATH", "")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Lightning's own use of a deprecated torch class.
        warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
        yield


@pytest.mark.usefixtures("strict")
def test_a_trainer_sees_every_step_without_a_warning(tmp_path):
    data, module = bound(resample_every=4, held_out=33), Fit()
    data.steps = 10
    runner = trainer(tmp_path)
    runner.fit(module, datamodule=data)
    assert runner.num_training_batches == 10
    assert len(module.seen) == 10
    assert all(same(seen, data.batch(step)) for step, seen in enumerate(module.seen))
    runner.validate(module, datamodule=data, verbose=False)
    runner.test(module, datamodule=data, verbose=False)
    assert all(same(batch, data.held_out_batch()) for batch in module.held_out)
    assert len(runner.predict(module, datamodule=data)) == 1


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("own_counter", [False, True], ids=["loader state", "callable"])
def test_a_resumed_run_goes_on_with_the_same_points(tmp_path, own_counter):
    def data():
        made = bound(resample_every=2)
        made.steps = 12
        return made

    whole = Saving()
    trainer(tmp_path).fit(whole, datamodule=data())
    assert len(whole.seen) == 12

    second, resumed = Fit(), data()
    if own_counter:
        resumed.first_step = lambda: 6
    runner = trainer(tmp_path)
    runner.fit(second, datamodule=resumed, ckpt_path=tmp_path / "at_six.ckpt")
    assert runner.global_step == 12
    assert all(same(a, b) for a, b in zip(whole.seen[6:], second.seen, strict=True))
    for key, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[key])


@pytest.mark.usefixtures("strict")
def test_refined_points_reach_training_and_the_checkpoint(tmp_path):
    """RAD on the residual's magnitude: the batch after the replacement holds exactly the chosen points."""
    chosen = {}

    def refine(module, index):
        if index != 3:
            return
        data = module.trainer.datamodule
        candidates = data.candidates("interior", 2000)
        with torch.no_grad():
            u = module.network(torch.stack([candidates["t"], candidates["x"]], 1))[:, 0]
        r = (u - candidates["x"] ** 2).abs() + 10 * (candidates["x"] > 0.5)
        chosen.update(residual_adaptive(candidates, r, 45, k=4, c=0, generator=torch.Generator().manual_seed(0)))
        data.replace("interior", chosen)

    data, module = bound(resample_every=5), Fit(refine)
    data.steps = 8
    runner = trainer(tmp_path)
    runner.fit(module, datamodule=data)
    assert all(same(seen, bound(resample_every=5).batch(step)) for step, seen in enumerate(module.seen[:4]))
    for seen in module.seen[4:]:
        assert same({"": seen["interior"]}, {"": chosen})
    # The other constraints are drawn anew as before.
    assert same({"": module.seen[5]["walls"]}, {"": bound(resample_every=5).batch(5)["walls"]})
    assert float((chosen["x"] > 0.5).double().mean()) > 0.95
    assert data.totals["interior"] == 45

    runner.save_checkpoint(tmp_path / "refined.ckpt")
    saved = torch.load(tmp_path / "refined.ckpt", weights_only=True)
    other = bound(resample_every=5, seed=8)
    other.load_state_dict(saved["Collocation"])
    assert same(other.batch(7), data.batch(7))
    other.restore("interior")
    assert same(other.batch(7), bound(resample_every=5).batch(7))


def test_replaced_points_are_a_copy():
    data = bound()
    points = {"t": torch.zeros(3), "x": torch.zeros(3)}
    data.replace("interior", points)
    points["x"] += 1
    assert data.batch(0)["interior"]["x"].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.usefixtures("strict")
def test_two_real_ranks_share_the_points_of_one(tmp_path):
    """Two processes under DDP: what they train on, put together, is the batch of one process."""
    runner = trainer(tmp_path, devices=2, strategy="ddp_fork")
    data, module = bound(resample_every=2, sampler=Halton()), Fit(save_share)
    data.steps = 4
    runner.fit(module, datamodule=data)
    shares = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in range(2)]
    for step in range(4):
        for name, points in data.batch(step).items():
            for column, values in points.items():
                merged = torch.empty_like(values)
                merged[0::2], merged[1::2] = (shares[rank][step][name][column] for rank in range(2))
                assert torch.equal(merged, values)
    assert data.totals["interior"] == 31


def save_share(module, index):
    if index == 3:
        rank = module.trainer.global_rank
        torch.save(module.seen, f"{module.trainer.default_root_dir}/rank{rank}.pt")


def test_samplers_do_not_import_lightning():
    code = "import sys, pinnlab.collocation, pinnlab.geometry; sys.exit('lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
