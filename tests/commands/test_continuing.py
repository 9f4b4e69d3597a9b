"""The command that continues a run."""

import shlex
from pathlib import Path

import pytest

from pinnlab.commands.training.resuming import continuing


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "a.yaml", "--run.name", "old", "--x", "1"],
        ["--config", "a.yaml", "--run.name=old", "--ckpt_path=last", "--x", "1"],
        ["--ckpt_path", "last", "--config", "a.yaml", "--x", "1"],
    ],
)
def test_the_name_and_the_checkpoint_are_given_once(arguments):
    words = shlex.split(continuing("fit", arguments, Path("some runs"), Path("some runs/a/b c")))
    begin = ["python", "-m", "pinnlab", "fit", "--config", "a.yaml", "--x", "1"]
    assert words == [*begin, "--run.name", "a/b c", "--ckpt_path", "last"]


def test_a_run_elsewhere_is_named_by_its_whole_path(tmp_path):
    words = shlex.split(continuing("fit", [], Path("runs"), tmp_path))
    assert words[-3:] == [str(tmp_path), "--ckpt_path", "last"]
