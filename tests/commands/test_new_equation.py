"""Starting an equation of one's own: from an example, or from one that ships."""

import doctest
import importlib.util
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pinnlab import problems
from pinnlab.cli import main
from pinnlab.commands.catalogue.copying import copied
from pinnlab.commands.catalogue.entries import SHIPPED, entries
from pinnlab.commands.templates import test_of_copy as text_of_test

REPOSITORY = Path(__file__).parents[2]
LISTED = {entry.name: entry for entry in entries(SHIPPED)}


def pytest_in(folder, *files):
    """What pytest says of files of a folder, warnings being errors."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *files],
        capture_output=True, text=True, cwd=folder, env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_new_equation_passes_its_own_test(tmp_path):
    assert main(["new-equation", "HeatRod2D", "--folder", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "heat_rod2_d.py", "heat_rod2_d.yaml", "test_heat_rod2_d.py",
    ]  # fmt: skip
    done = pytest_in(tmp_path, "test_heat_rod2_d.py")
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


@pytest.mark.slow
def test_a_copy_passes_its_own_test(tmp_path):
    """Of a reference, periodic conditions, holes, unknowns with Sobolev weights, and several outputs."""
    count = {"Lorenz": 3, "kdv": 3, "FOURHOLES": 3, "self_similar_burgers": 2, "Kovasznay": 2}
    for number, like in enumerate(count):
        assert main(["new-equation", f"Own{number}", "--like", like, "--folder", str(tmp_path)]) == 0
    done = pytest_in(tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"{sum(count.values())} passed" in done.stdout


def test_the_configuration_of_a_copy_solves_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new-equation", "Convection", "--like", "Lorenz"]) == 0
    assert main(["fit", "--config", "convection.yaml", "--run.name", "one"]) == 0
    assert "reached" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize("name", LISTED)
def test_a_copy_is_the_same_equation_from_public_imports(name, tmp_path):
    text = copied(LISTED[name], "OfMine")
    (tmp_path / "of_mine.py").write_text(text)
    module, cls = load(tmp_path / "of_mine.py"), getattr(problems, name)
    own = vars(sys.modules[cls.__module__])
    for key, value in vars(module).items():
        if not key.startswith("__") and getattr(value, "__module__", module.__name__) != module.__name__:
            assert own[key] is value, key
    assert own.keys() - vars(module).keys() == {name}
    assert name not in [word.partition("(")[0] for word in text.split() if "(" in word]
    assert not any(f"from pinnlab.{inner}" in text for inner in ("equations.", "jets.", "geometry."))
    equation = module.OfMine()
    equation.check()
    assert equation.constraints().keys() == cls().constraints().keys()
    torch.set_default_dtype(torch.float32)  # as examples are written
    assert doctest.testmod(module).failed == 0


@pytest.mark.slow
def test_the_test_of_a_copy_sees_what_is_wrong(tmp_path):
    for number, (name, old, new) in enumerate(
        [
            ("Lorenz", "(x - 1, y - 1, z - 1)", "(x - 2, y - 1, z - 1)"),
            ("Kovasznay", "u.d(x) + v.d(y)", "u.d(x) - v.d(y)"),
            ("LaneEmden", "theta.d(r, r)", "theta.d(r, r) / (r - r)"),
        ]
    ):
        text = copied(LISTED[name], f"Own{number}")
        assert old in text
        (tmp_path / f"own{number}.py").write_text(text.replace(old, new))
        (tmp_path / f"test_own{number}.py").write_text(text_of_test(f"Own{number}", f"own{number}", LISTED[name].truth))
    done = pytest_in(tmp_path, "-k", "not configuration")
    failed = sorted(line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED"))
    assert failed == [
        "test_own0.py::test_the_reference_satisfies_every_condition_without_derivatives",
        "test_own1.py::test_the_exact_solution_satisfies_every_constraint",
        "test_own2.py::test_every_residual_is_a_number_at_its_points",
    ], done.stdout


@pytest.mark.slow
def test_a_copy_without_a_truth_is_tested_too(tmp_path):
    text = copied(LISTED["LShape"], "OfMine")
    (tmp_path / "of_mine.py").write_text(text[: text.index("    def reference")])
    (tmp_path / "of_mine.yaml").write_text("model: {equation: of_mine.OfMine}")
    (tmp_path / "test_of_mine.py").write_text(text_of_test("OfMine", "of_mine", None))
    done = pytest_in(tmp_path)
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout


def test_examples_of_a_copy_have_its_name_and_prose_does_not():
    text = copied(LISTED["Lorenz"], "Weather")
    assert "class Weather(Equation):" in text and "in Weather().solution(" in text
    assert "Lorenz' model of convection" in text and "(Lorenz 1963" in text
    assert text.startswith('"""Weather: a copy of Lorenz to change.\n\nLorenz\' system.\n"""\n')
    assert "a network with the initial values and the walls of `Front`" in copied(LISTED["ViscousBurgers"], "Front")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Mine", "--like", "Lorentz"], "no equation 'Lorentz' ships (did you mean Lorenz?)"),
        (["Mine", "--like", "qqq"], "no equation 'qqq' ships; python -m pinnlab equations lists them all"),
        (["Box", "--like", "KdV"], "KdV uses the name 'Box' already"),
    ],
)
def test_what_cannot_be_copied_is_said(arguments, said, tmp_path, capsys):
    assert main(["new-equation", *arguments, "--folder", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_copying_needs_no_torch(tmp_path):
    code = (
        "import sys\nfrom pinnlab.cli import main\nmain(['new-equation', 'Mine', '--like', 'KdV'])\n"
        "print('torch' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.stdout.splitlines()[-1] == "False", done.stderr
