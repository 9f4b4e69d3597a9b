"""The journal of a solve: every decision with its answer, so that a solve that was killed goes on where it was."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from pinnlab.errors import UserError
from pinnlab.strategy.features import Features
from pinnlab.strategy.recipe import Accept, Answer, Decision, Outcome, Proposal, Recheck, Restart, Survey, Vary

Entry = tuple[Decision, Answer]


class Journal:
    """A file with one line of JSON for each decision and its answer.

    Example:
        >>> import tempfile
        >>> from pinnlab.strategy.features import Features
        >>> decision = Survey((Features(20, (4.0,)),), why="the scale")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Journal(Path(folder) / "decisions.jsonl").write(decision, (0.5,))
        ...     [(again, answer)] = Journal(Path(folder) / "decisions.jsonl").entries()
        >>> again == decision, answer
        (True, (0.5,))
    """

    def __init__(self, path: Path) -> None:
        """Takes the file, which need not exist yet."""
        self.path = path

    def write(self, decision: Decision, answer: Answer, seconds: float = 0.0) -> None:
        """Adds a line, and makes sure that it outlives the machine."""
        told = dataclasses.asdict(answer) if isinstance(answer, Outcome) else answer
        line = {"decision": type(decision).__name__, **dataclasses.asdict(decision), "answer": told, "seconds": seconds}
        self._end_at_a_line()
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _end_at_a_line(self) -> None:
        """Removes a last line that a crash cut off, so that the next one does not join it."""
        written = self.path.read_bytes() if self.path.exists() else b""
        if (whole := written.rfind(b"\n") + 1) < len(written):
            os.truncate(self.path, whole)

    def keep(self, number: int, piece: Mapping[str, Any]) -> None:
        """Writes the solutions of the accepted piece of that number, whole or not at all, before its line."""
        path = self._piece(number)
        torch.save(dict(piece), beside := path.with_suffix(".part"))
        beside.replace(path)

    def piece(self, number: int) -> dict[str, Any]:
        """The solutions of an accepted piece; no code that the file may hold is run.

        Raises:
            UserError: if there is no such file, or it is damaged.
        """
        try:
            found: dict[str, Any] = torch.load(self._piece(number), map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError):
            found = {}
        if not isinstance(found, dict) or not {"main", "other", "held_out", "errors", "sizes"} <= found.keys():
            raise UserError(f"{self._piece(number)} is missing or damaged: begin again in another folder")
        return found

    def _piece(self, number: int) -> Path:
        return self.path.with_name(f"piece_{number}.pt")

    def lines(self) -> list[dict[str, Any]]:
        """What was written; a last line that a crash cut off is dropped.

        Raises:
            UserError: if the file holds something else.
        """
        if not self.path.exists():
            return []
        try:
            return [json.loads(line) for line in self.path.read_text().splitlines(keepends=True) if line.endswith("\n")]
        except ValueError:
            raise self._damaged() from None

    def _damaged(self) -> UserError:
        return UserError(f"{self.path} is damaged: move it away to begin again")

    def entries(self) -> Iterator[Entry]:
        """The decisions and answers.

        Raises:
            UserError: as for `lines`.
        """
        for line in self.lines():
            try:
                entry = _decision(line), _answer(line["answer"])
            except (KeyError, TypeError):
                raise self._damaged() from None
            yield entry


def _decision(line: dict[str, Any]) -> Decision:
    match line["decision"]:
        case "Proposal":
            return Proposal(_features(line["features"]), line["end"], line["why"], line["enough"])
        case "Survey":
            return Survey(tuple(map(_features, line["features"])), line["end"], line["why"])
        case "Accept":
            return Accept()
        case "Recheck":
            return Recheck(line["window"], line["part"])
        case "Restart":
            return Restart(line["why"])
        case "Vary":
            return Vary(line["parameter"], line["value"], line["why"])
    raise UserError(f"a journal holds the unknown decision {line['decision']!r}")


def _features(content: dict[str, Any]) -> Features:
    scales, periodic = tuple(content["scales"]), tuple(content["periodic"])
    return Features(content["count"], scales, content["seed"], periodic, _layers(content["layers"]))


def _layers(content: list[list[list[float]]]) -> tuple[tuple[tuple[float, float], ...], ...]:
    return tuple(tuple((centre, width) for centre, width in some) for some in content)


def _answer(content: Any) -> Answer:
    if isinstance(content, dict):
        return Outcome(**content | {name: _layers(content[name]) for name in ("layers", "onward")})
    return None if content is None else tuple(content)
