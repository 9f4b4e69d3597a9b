"""The data of a training run: batches of collocation points."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import torch
from lightning.pytorch import LightningDataModule

from pinnlab.collocation.batches import Batch, Batches, minibatch, shard
from pinnlab.collocation.held_out import held_out
from pinnlab.collocation.samplers import Sampler, Sobol
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region, select, size
from pinnlab.geometry.region import Pilot


class Sampled(Protocol):
    """The attributes of a constraint that the data module needs.

    Example:
        >>> from pinnlab.equations import Constraint
        >>> from pinnlab.geometry import Interval
        >>> constraint: Sampled = Constraint(Interval(x=(0, 1)), lambda u: u)
        >>> constraint.points
        128
    """

    @property
    def region(self) -> Region:
        """The region of its points."""
        ...

    @property
    def points(self) -> int:
        """The number of points by default."""
        ...


class Collocation(LightningDataModule):
    """Collocation points for each constraint of an equation, fixed or drawn anew at intervals of steps.

    `batch(step)` depends on the seed and on `step // resample_every` alone (and on points put in by
    `replace`), so every rank and every resumed run finds the same points. Each rank trains on its share.

    Before training, `bind` gives the constraints and the attribute `steps` the length of the run. The whole
    run is one epoch. It begins at `first_step`, a number or a function that returns one; when Lightning resumes a
    checkpoint from the middle of the run, it sets the number.

    Example:
        >>> from pinnlab.problems import Blasius
        >>> data = Collocation(points={"interior": 50}, resample_every=10, seed=0)
        >>> data.bind(Blasius().constraints())
        >>> {name: size(points) for name, points in data.batch(0).items()}
        {'interior': 50, 'wall': 1, 'shear': 1, 'stream': 1}
        >>> torch.equal(data.batch(9)["interior"]["eta"], data.batch(10)["interior"]["eta"])
        False
    """

    def __init__(
        self,
        points: dict[str, int] | None = None,
        sampler: Sampler | dict[str, Sampler] | None = None,
        resample_every: int = 0,
        seed: int | None = None,
        held_out: int = 1001,
    ) -> None:
        """Take the options; nothing is sampled yet.

        Args:
            points: The number of points of constraints by name, all ranks together; other constraints have their own.
                Of given points, such as measurements, fewer than there are make a minibatch: that many at a time,
                others at each draw, all of them once before any comes again.
            sampler: One sampler for all constraints, or samplers by name; Sobol by default.
            resample_every: The number of steps after which fresh points are drawn; 0 keeps the points.
            seed: The seed of all points; that of `seed_everything` by default, or 0.
            held_out: The number of points of each constraint for validation, test and prediction.

        Raises:
            UserError: a number is out of range.
        """
        super().__init__()
        for name, count in (points or {}).items():
            if count < 1:
                raise UserError(f"points.{name}: the number of points must be positive, not {count}")
        if resample_every < 0:
            raise UserError(f"resample_every must not be negative (0 keeps the points), not {resample_every}")
        if held_out < 1:
            raise UserError(f"held_out must be positive, not {held_out}")
        self.seed = int(os.environ.get("PL_GLOBAL_SEED", 0)) if seed is None else seed
        if self.seed < 0:
            raise UserError(f"the seed must not be negative, not {self.seed}")
        self.points = dict(points or {})
        self.sampler = sampler if sampler is not None else Sobol()
        self.resample_every = resample_every
        self.held_out = held_out
        self.steps: int | None = None
        self.first_step: int | Callable[[], int] = 0
        self.adaptive = False
        """Whether a callback replaces points while the run goes on."""
        self._regions: dict[str, Region] | None = None
        self._counts: dict[str, int] = {}
        self._replaced: Batch = {}
        # Grows with each replacement, so that a running epoch notices.
        self._revision = 0

    def bind(self, constraints: Mapping[str, Sampled]) -> None:
        """Take the regions and numbers of points of an equation's constraints.

        Raises:
            UserError: `points`, `sampler` or a replacement names a constraint that the equation lacks, or one of the
                first two or `resample_every` would have no effect.
        """
        by_name = self.sampler if isinstance(self.sampler, dict) else {}
        for option, names in (("points", self.points), ("sampler", by_name), ("replaced", self._replaced)):
            for name in names:
                if name not in constraints:
                    raise UserError(f"{option}: no constraint {name!r}; there are {', '.join(constraints)}")
        self._regions = {name: constraint.region for name, constraint in constraints.items()}
        self._counts = {name: self.points.get(name, c.points) for name, c in constraints.items()}
        self._refuse_without_effect(by_name)

    def batch(self, step: int) -> Batch:
        """The points of all ranks at a step, by constraint.

        Raises:
            UserError: nothing is bound yet.
        """
        draw = self._draw(step)
        return {
            name: self._replaced[name] if name in self._replaced else self._sample(name, draw) for name in self._bound()
        }

    @property
    def totals(self) -> dict[str, int]:
        """The number of points of each constraint over all ranks, by which residuals are normalised."""
        return {name: size(points) for name, points in self.batch(0).items()}

    @property
    def changes(self) -> bool:
        """Whether later steps may see other points."""
        return self.resample_every > 0 or self.adaptive

    def held_out_batch(self) -> Batch:
        """Dense points that training does not use, by constraint; given points are returned as they are.

        See `held_out` of this package. The training points are those that the run begins with.
        """
        return {
            name: held_out(region, self.held_out, self._key(f"{name}/held-out"), self._sample(name, 0))
            for name, region in self._bound().items()
        }

    def candidates(self, name: str, n: int, draw: int = 0) -> Points:
        """Uniform points of a constraint's region to choose from, as `residual_adaptive` does."""
        return Sobol().sample(self._known(name), n, self._key(f"{name}/candidates"), draw)

    def replace(self, name: str, points: Points) -> None:
        """Train on these points from the next batch on, instead of drawing any, until `restore`.

        Give all ranks the same points; each takes its share.

        Raises:
            UserError: no such constraint, no points, or other columns than its region has.
        """
        expected = self._sampler(name).sample(self._known(name), self._counts[name], 0)
        if points.keys() != expected.keys():
            raise UserError(
                f"the points of {name} need the columns {', '.join(expected)}; got {', '.join(points) or 'none'}"
            )
        if len({len(column) for column in points.values()}) != 1 or size(points) == 0:
            raise UserError(f"the points of {name} need columns of one length, at least one point")
        self._replaced[name] = {column: values.detach().clone() for column, values in points.items()}
        self._revision += 1

    def restore(self, name: str) -> None:
        """Go back to the sampler's points from the next batch on."""
        self._known(name)
        self._replaced.pop(name, None)
        self._revision += 1

    def train_dataloader(self) -> Batches:
        """This rank's share of the batches of all steps.

        Raises:
            UserError: `steps` has not been set, or nothing is bound yet.
        """
        self._bound()
        if self.steps is None:
            raise UserError("the length of the run is unknown; set the attribute steps of Collocation")
        return Batches(self._training, self.steps, self)

    def val_dataloader(self) -> Batches:
        """One batch of the held-out points, the same on every rank."""
        return Batches(lambda: iter([self.held_out_batch()]), 1)

    def test_dataloader(self) -> Batches:
        """One batch of the held-out points, the same on every rank."""
        return self.val_dataloader()

    def predict_dataloader(self) -> Batches:
        """One batch of the held-out points, the same on every rank."""
        return self.val_dataloader()

    def state_dict(self) -> dict[str, Any]:
        """The seed and the replaced points: with the configuration, all that determines the batches."""
        replaced = {name: dict(points) for name, points in self._replaced.items()}
        return {"seed": self.seed, "replaced": replaced}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the points of the run that was saved, its seed included.

        Raises:
            UserError: a replaced constraint does not exist in the equation.
        """
        replaced = state_dict["replaced"]
        for name in replaced if self._regions is not None else ():
            self._known(name)
        self.seed = state_dict["seed"]
        self._replaced = {name: dict(points) for name, points in replaced.items()}
        self._revision += 1

    def _training(self) -> Iterator[Batch]:
        assert self.steps is not None
        rank, world = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        first = self.first_step() if callable(self.first_step) else self.first_step
        current: tuple[int, int] | None = None
        share: Batch = {}
        for step in range(first, self.steps):
            wanted = (self._draw(step), self._revision)
            if wanted != current:
                share = {name: shard(points, rank, world) for name, points in self.batch(step).items()}
                current = wanted
            yield share

    def _refuse_without_effect(self, by_name: Mapping[str, Sampler]) -> None:
        first, second = self.batch(0), self.batch(self.resample_every)
        for name, region in self._bound().items():
            if not region.given:
                continue
            count = size(region.place(1, Pilot()))
            if self.points.get(name, count) > count:
                raise UserError(
                    f"points.{name}: {self.points[name]} has no effect: its points are given, {count} of them"
                )
            if name in by_name:
                raise UserError(f"sampler.{name} has no effect: its points are given")
        if self.resample_every and all(
            torch.equal(column, second[name][key]) for name, points in first.items() for key, column in points.items()
        ):
            raise UserError(
                f"resample_every: {self.resample_every} has no effect: given points and those of a Grid are the same "
                "at every draw; take a sampler such as Sobol, or a smaller number of given points"
            )

    def _draw(self, step: int) -> int:
        return step // self.resample_every if self.resample_every else 0

    def _bound(self) -> dict[str, Region]:
        if self._regions is None:
            raise UserError("Collocation has no constraints yet; call bind(equation.constraints()) first")
        return self._regions

    def _known(self, name: str) -> Region:
        regions = self._bound()
        if name not in regions:
            raise UserError(f"no constraint {name!r}; there are {', '.join(regions)}")
        return regions[name]

    def _sampler(self, name: str) -> Sampler:
        return self.sampler.get(name, Sobol()) if isinstance(self.sampler, dict) else self.sampler

    def _sample(self, name: str, draw: int) -> Points:
        region, key = self._known(name), self._key(name)
        points = self._sampler(name).sample(region, self._counts[name], key, draw)
        if not region.given or self.points.get(name, size(points)) >= size(points):
            return points
        return select(points, minibatch(size(points), self.points[name], key, draw))

    def _key(self, name: str) -> int:
        """A seed for each purpose, by name: a further constraint leaves the points of the others."""
        return int.from_bytes(hashlib.sha256(f"{self.seed}/{name}".encode()).digest()[:8])
