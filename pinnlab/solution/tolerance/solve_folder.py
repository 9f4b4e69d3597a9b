"""What a solve to a tolerance leaves in a folder, and what it says meanwhile."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch

from pinnlab.collocation.datamodule import Collocation
from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.errors import UserError
from pinnlab.networks import Build
from pinnlab.reporting.configured import configuration
from pinnlab.reporting.description import IndescribableError, describe
from pinnlab.reporting.files import write_arrays, write_atomically
from pinnlab.reporting.folder import RunFolder
from pinnlab.reporting.record.arrays import covered, exact_arrays, solution_arrays, where
from pinnlab.reporting.record.provenance import commit, versions
from pinnlab.reporting.record.rows import RowWriter
from pinnlab.reporting.sources import data, keep
from pinnlab.solution.solution import Solution
from pinnlab.strategy.journal import Journal
from pinnlab.strategy.recipe import Recipe
from pinnlab.training.phases import GaussNewton
from pinnlab.training.setup.settings import bind

# What the files of measurements had when a solve was begun.
_CHECKSUMS = "data.json"
_RECORD = "# What a solve to a tolerance found, for load and the commands. solve.json has what it was begun with.\n"


class SolveFolder:
    """The folder of a solve: a journal while it goes on, and at its end all that other runs leave.

    A solve that was killed has a journal and no summary; a solve with the same arguments in its folder goes on there.

    Attributes:
        journal: Its journal.
    """

    def __init__(
        self,
        path: Path,
        equation: Equation,
        recipe: Recipe,
        tol: float,
        seed: int,
        further: Mapping[str, Any] | None = None,
    ) -> None:
        """Makes the folder, or opens that of a solve which has not ended.

        Args:
            path: The folder.
            equation: The equation.
            recipe: What decides.
            tol: The tolerance.
            seed: Of features and points.
            further: Other arguments on which the numbers depend, as plain data; None where one was not given.

        Raises:
            UserError: if something else is there, a solve that has ended, or one with other arguments.
        """
        self._seed = seed
        about = {
            "seed_everything": seed,
            "tol": tol,
            **{name: value for name, value in (further or {}).items() if value is not None},
            "recipe": _description(recipe),
            "model": {"equation": _description(equation)},
        }
        self.folder = RunFolder(path)
        if self.folder.decisions.exists():
            self.folder = RunFolder.open(path)
            if self.folder.finished:
                raise UserError(f"the solve in {path} has ended: read it with pinnlab.load, or choose another folder")
            before = _flat(self.folder.read_begun() or about)
            now = _flat(about)
            for name, value in now.items():
                if before[name] != value:
                    raise UserError(
                        f"the solve in {path} was begun with {name} {before[name]}, not {value}: choose another folder"
                    )
        else:
            self.folder = RunFolder.create(path.parent, path.name, path.name)
            self.folder.decisions.touch()
        self._new = not self.folder.begun.exists()
        files, checksums = data(equation), self.folder.path / _CHECKSUMS
        if self._new:
            write_atomically(self.folder.begun, json.dumps(about))
            if files:
                write_atomically(checksums, json.dumps(files))
        elif checksums.exists() and json.loads(checksums.read_text()) != files:
            raise UserError(
                f"the solve in {path} was begun with other data in {', '.join(files)}: choose another folder"
            )
        self.journal = Journal(self.folder.decisions)

    @staticmethod
    def fresh(root: Path, default: str) -> Path:
        """A new folder for a solve that begins there: its name is `default` with the time.

        Raises:
            UserError: if nothing can be written there.
        """
        folder = RunFolder.create(root, None, default)
        folder.decisions.touch()
        return folder.path

    @contextmanager
    def worth_keeping(self) -> Iterator[None]:
        """Removes a new folder if the solve ends by an error before its first step; the folder is to be locked."""
        try:
            yield
        except Exception:
            if self._new and not self.journal.lines():
                shutil.rmtree(self.folder.path, ignore_errors=True)
            raise

    def finish(self, solution: Solution, network: Build) -> None:
        """Writes the record of a solve that has ended; one that can go on keeps its journal alone."""
        ending = solution.ending
        assert ending is not None
        if ending.broken_off:
            return
        model, folder = solution.model, self.folder
        points_of = Collocation(seed=self._seed)
        given = {
            "equation": model.equation, "network": network, "engine": NTP(), "phases": [GaussNewton(0)],
            "sobolev": None, "weights": None, "balancing": None, "hard": False,
        }  # fmt: skip
        write_atomically(folder.config, _RECORD + configuration(given, points_of, {"precision": "64-true"}, self._seed))
        columns = list(solution.history)
        writer = RowWriter(folder.metrics, columns)
        for values in zip(*solution.history.values(), strict=True):
            writer.write({name: value.item() for name, value in zip(columns, values, strict=True)})
        writer.close()
        checkpoint = {
            "state_dict": model.state_dict(),
            "pinnlab": {"equation": model.equation.name, "settings": {}, "schedule": model.schedule.state_dict()},
            # without it Lightning, which evaluates it, takes it for a checkpoint of its first versions
            "pytorch-lightning_version": lightning.__version__,
        }
        torch.save(checkpoint, folder.checkpoints / "last.ckpt")
        bind(model, points_of)
        name, points = where(model, points_of)
        found = covered(model, name, points, solution_arrays(model, name, points) | exact_arrays(model, points))
        write_arrays(folder.solution, found)
        folder.write_summary(
            {
                "equation": model.equation.name,
                "engine": "NTP",
                "seed": self._seed,
                "versions": versions(),
                "commit": commit(),
                "sources": keep(folder, model.equation, model.residuals.network),
                "data": data(model.equation),
                "phases": [],
                "seconds": ending.seconds,
                "unknowns": {
                    name: {
                        "value": solution.unknowns[name],
                        "truth": unknown.truth,
                        "error": solution.metrics.get(f"error_{name}"),
                    }
                    for name, unknown in model.equation.unknowns().items()
                },
                "metrics": solution.metrics,
                "findings": model.findings,
                "tolerance": vars(ending),
                "status": "finished",
                "failures": [],
                "signal": None,
            }
        )


def _flat(about: Mapping[str, Any]) -> dict[str, Any]:
    """What a solve was begun with, by the names of `pinnlab.solve`."""
    model = about.get("model")
    return {
        "equation": model.get("equation") if isinstance(model, dict) else None,
        "recipe": about.get("recipe"),
        "tol": about.get("tol"),
        "seed": about.get("seed_everything"),
        "tol_unknowns": about.get("tol_unknowns"),
        "start": about.get("start"),
    }


def _description(thing: Equation | Recipe) -> Any:
    """How an equation or a recipe was made, as plain data; the name of its class, where that cannot be described."""
    try:
        return json.loads(json.dumps(describe(thing)))
    except IndescribableError:
        return type(thing).__name__


def fingerprint(solution: Solution) -> str:
    """A number of a solution's parameters, the same for the same ones."""
    found = hashlib.sha256()
    for name, value in solution.model.state_dict().items():
        if isinstance(value, torch.Tensor):
            found.update(name.encode() + value.cpu().numpy().tobytes())
    return found.hexdigest()[:16]
