"""Listing the equations that ship, and starting a new one."""

import inspect
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pinnlab import problems
from pinnlab.cli import main
from pinnlab.commands.equations import SHIPPED, entries
from pinnlab.equations import Equation

REPOSITORY = Path(__file__).parents[2]


def test_the_list_is_what_the_package_offers():
    offered = {name: getattr(problems, name) for name in problems.__all__}
    listed = {entry.name: entry for entry in entries(SHIPPED)}
    assert listed.keys() == offered.keys()
    for name, cls in offered.items():
        assert listed[name].inputs == cls.inputs and listed[name].outputs == cls.outputs
        assert listed[name].summary == inspect.getdoc(cls).splitlines()[0]
        assert listed[name].exact == (cls.exact is not Equation.exact)
        for option in inspect.signature(cls).parameters.values():
            assert (
                option.kind in (option.VAR_POSITIONAL, option.VAR_KEYWORD) or f"{option.name}=" in listed[name].options
            )


@pytest.mark.parametrize("arguments", [["--help"], ["equations"], ["compare", "--help"], ["new-equation", "--help"]])
def test_what_does_not_train_starts_at_once(arguments):
    code = (
        "import sys\nfrom pinnlab.cli import main\n"
        "try:\n    status = main(sys.argv[1:])\nexcept SystemExit as end:\n    status = end.code\n"
        "print([name for name in ('torch', 'lightning', 'wandb', 'matplotlib') if name in sys.modules])\n"
        "sys.exit(status)"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=REPOSITORY)
    print(f"{' '.join(arguments)}: {time.perf_counter() - started:.2f} s")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_new_equation_passes_its_own_test(tmp_path):
    assert main(["new-equation", "HeatRod2D", "--folder", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "heat_rod2_d.py", "heat_rod2_d.yaml", "test_heat_rod2_d.py",
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_heat_rod2_d.py"],
        capture_output=True, text=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_what_a_new_equation_names_next_solves_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new-equation", "HeatRod3D", "--folder", "of mine"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("next: cd 'of mine' && python -m pinnlab fit --model.equation heat_rod3_d.HeatRod3D --tol ")
    monkeypatch.chdir("of mine")
    assert main(shlex.split(line.partition("-m pinnlab ")[2])) == 0
    assert "reached" in capsys.readouterr().out.splitlines()[-1]
    assert main(["new-equation", "Another"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("next: python -m pinnlab fit ")


def test_nothing_is_overwritten(tmp_path, capsys):
    arguments = ["new-equation", "Mine", "--folder", str(tmp_path)]
    assert main(arguments) == 0
    assert main(arguments) == 2
    assert "exists: choose another name" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mine", "My-Own", "2D", "None"])
def test_a_name_must_be_that_of_a_class(name, tmp_path, capsys):
    assert main(["new-equation", name, "--folder", str(tmp_path)]) == 2
    assert "is no class name" in capsys.readouterr().err
