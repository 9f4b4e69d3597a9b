"""The examples in docstrings, run as `python -m doctest` does: in the module's namespace, in torch's default dtype."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest
import torch

import pinnlab

ROOT = Path(pinnlab.__file__).parent
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Found by their text, so that collecting the tests imports nothing of the package.
FILES = [path for path in sorted(ROOT.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]
MODULES = [".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__") for path in FILES]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_run(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # where runs are written
    monkeypatch.setenv("WANDB_MODE", "disabled")
    torch.set_default_dtype(torch.float32)
    attempted = failed = 0
    for test in doctest.DocTestFinder().find(import_module(name)):
        torch.manual_seed(0)
        result = doctest.DocTestRunner(optionflags=OPTIONS).run(test, clear_globs=True)
        attempted, failed = attempted + result.attempted, failed + result.failed
    assert failed == 0, capsys.readouterr().out
    assert attempted > 0, f"{name} has examples outside the docstrings of what it defines"
