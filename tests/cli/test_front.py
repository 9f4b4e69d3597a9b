"""The front of the command line: quick, light, and clear about what it does not know."""

import subprocess
import sys
import time

import pytest

import pinnlab
from pinnlab.cli import COMMANDS, main


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"], ["fit", "--help"], ["equations"]], ids=" ".join)
def test_answers_without_importing_torch(arguments):
    code = f"import sys; from pinnlab.cli import main; print(main({arguments}), 'torch' in sys.modules)"
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("module", ["compare", "equations", "figures", "new_equation"])
def test_commands_that_read_records_and_sources_need_no_torch(module):
    heavy = ("torch", "lightning", "scipy", "matplotlib")
    code = f"import sys, pinnlab.commands.{module}; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_simplest_way_in_comes_first(capsys):
    assert main(["fit", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: python -m pinnlab fit --model.equation Poisson\n")
    assert main(["validate", "--help"]) == 0
    assert "--tol" not in capsys.readouterr().out


def test_overview_names_every_command_with_its_help(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert any(line.split(maxsplit=1) == [name, command.help] for line in shown.splitlines())


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pinnlab {pinnlab.__version__}\n"


def test_unknown_command_suggests_the_nearest(capsys):
    assert main(["fti"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and "'fit'" in captured.err and not captured.out
