"""Records that were cut off or come from elsewhere, and files that cannot be written: one line for each command."""

import os
import shutil
from pathlib import Path

import pytest

from pinnlab.cli import main

SMALL = """
model:
  equation: Blasius
  network: {class_path: MLP, init_args: {depth: 1, width: 4}}
  phases: [{class_path: Adam, init_args: {steps: 2}}, {class_path: Adam, init_args: {steps: 2}}]
data: {points: {interior: 9}, held_out: 9}
trainer: {accelerator: cpu, log_every_n_steps: 1}
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("WANDB_MODE", "disabled")
        (folder / "small.yaml").write_text(SMALL)
        assert main(["fit", "--config", "small.yaml", "--run.name", "one"]) == 0
        yield folder / "runs" / "one"


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


DAMAGES = {
    "summary cut off": ("summary.json", half),
    "summary of something else": ("summary.json", lambda _: b'{"unknowns": {"a": 3}}'),
    "summary that is a list": ("summary.json", lambda _: b"[]"),
    "empty summary": ("summary.json", lambda _: b""),
    "configuration that is a list": ("config.yaml", lambda _: b"- a\n"),
    "configuration in no encoding": ("config.yaml", lambda _: b"\xff\xfe\x00\n"),
    "rows of something else": ("metrics.csv", lambda _: b"a,b\n1,2\n"),
    "rows of texts": ("metrics.csv", lambda _: b"step,phase,seconds,loss\n1,Adam,x,2\n"),
    "rows that are no text": ("metrics.csv", lambda _: bytes(range(256)) * 9),
    "solution cut off": ("solution.npz", half),
    "empty points": ("points.npz", lambda _: b""),
}
READERS = {"metrics.csv": "compare", "summary.json": "compare", "config.yaml": "compare"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_named(whole, tmp_path, capsys, damage):
    file, change = DAMAGES[damage]
    run = shutil.copytree(whole, tmp_path / "run")
    (run / file).write_bytes(change((run / file).read_bytes()))
    command = READERS.get(file, "figures")
    capsys.readouterr()
    assert main([command, str(run)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and f"run/{file} is damaged" in err


@pytest.mark.parametrize("content", [b"- a\n", b"", b"model: 3\n", b"a: [1\n", b"\xff\xfe\x00"])
@pytest.mark.parametrize("command", ["predict", "export"])
def test_a_solution_needs_its_configuration(whole, tmp_path, capsys, content, command):
    run = shutil.copytree(whole, tmp_path / "run")
    (run / "config.yaml").write_bytes(content)
    assert main([command, str(run)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "config.yaml" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "RUN", "--out", "a.onnx"],
        ["export", "RUN", "--out", "a.pt"],
        ["export", "RUN", "--out", "a.csv"],
        ["export", "RUN", "--out", "nowhere/a.pt2"],
        ["predict", "RUN", "--out", "a.pt2"],
        ["predict", "RUN", "--out", "nowhere/a.csv"],
        ["predict", "RUN", "--out", "folder.csv"],
        ["compare", "RUN", "--figure", "a.txt"],
        ["compare", "RUN", "--html", "nowhere/a.html"],
        ["compare", "RUN", "--csv", "folder.csv"],
        ["predict", "RUN", "--grid", "eta=0:1:9999999999999"],
    ],
    ids=" ".join,
)
def test_a_file_that_cannot_be_written_is_known_before_the_work(whole, tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    Path("folder.csv").mkdir()
    assert main([str(whole) if word == "RUN" else word for word in arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert os.listdir() == ["folder.csv"]


def test_two_phases_of_one_kind_are_told_apart(whole):
    from pinnlab.reporting.folder import RunFolder

    rows = RunFolder(whole).read_rows()
    assert list(rows["phase"]) == ["1 Adam"] * 3 + ["2 Adam"] * 3
    assert list(rows["step"]) == [0, 1, 2, 2, 3, 4]
