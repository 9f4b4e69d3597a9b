import dataclasses
import importlib
import logging
from pathlib import Path

import pytest
import yaml

from pinnlab.cli import main
from pinnlab.commands.options.configuration import read_chain
from pinnlab.errors import UserError
from pinnlab.renamed import CLASSES, OPTIONS, former
from pinnlab.reporting.description import build, find
from pinnlab.training import LBFGS, SSBFGS, Adam, GaussNewton, Phase, Plateau, SSBroyden

CONFIGURATION = """
model:
  equation:
    class_path: pinnlab.equations.ViscousBurgers
    init_args: {viscosity: 0.1, moderation: 0.2}
  phases:
    - class_path: pinnlab.training.broyden.SSBroyden
    - class_path: Adam
data:
  sampler:
    interior: {class_path: Graded, init_args: {axis: 1}}
"""


@pytest.mark.parametrize("path", sorted(CLASSES))
def test_former_paths_work_and_say_the_new_one(path, caplog):
    with caplog.at_level(logging.WARNING, logger="pinnlab"):
        kind = find(path)
    assert kind.__name__ == CLASSES[path].rpartition(".")[2]
    assert f"{path} is an old name: write {CLASSES[path]}" in caplog.text


def test_configurations_are_read_with_the_names_of_today(tmp_path, caplog):
    file = tmp_path / "run.yaml"
    file.write_text(CONFIGURATION)
    (content,) = read_chain(file)
    assert content["model"]["equation"] == {
        "class_path": "pinnlab.problems.ViscousBurgers",
        "init_args": {"viscosity": 0.1, "normalisation": 0.2},
    }
    phases = [phase["class_path"] for phase in content["model"]["phases"]]
    assert phases == ["pinnlab.training.SSBroyden", "Adam"]
    assert content["data"]["sampler"]["interior"]["class_path"] == "Clustered"
    assert "moderation of ViscousBurgers is an old name: write normalisation" in caplog.text
    assert caplog.text.count("is an old name") == 4


def test_another_packages_class_of_the_same_name_keeps_its_options(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("model: {equation: {class_path: mine.ViscousBurgers, init_args: {moderation: 1}}}")
    (content,) = read_chain(file)
    assert content["model"]["equation"]["init_args"] == {"moderation": 1}


def test_records_of_earlier_runs_are_read_with_the_names_of_today():
    from pinnlab.problems import ViscousBurgers

    description = {"class_path": "pinnlab.equations.ViscousBurgers", "init_args": {"moderation": 0.5}}
    equation = build(description)
    assert isinstance(equation, ViscousBurgers) and equation.normalisation == 0.5


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("pinnlab.equations", "ViscousBurgers", "pinnlab.problems.ViscousBurgers"),
        ("pinnlab.geometry", "At", "pinnlab.geometry.PointSet"),
        ("pinnlab.geometry", "spaced", "pinnlab.geometry.subsample"),
        ("pinnlab.collocation", "Graded", "pinnlab.collocation.Clustered"),
        ("pinnlab.training", "Stall", "pinnlab.training.Plateau"),
        ("pinnlab.training.phases", "Stall", "pinnlab.training.Plateau"),
    ],
)
def test_modules_offer_what_they_had_under_its_former_name(module, old, new, caplog):
    package = importlib.import_module(module)
    assert getattr(package, old) is find(new)
    assert f"{module}.{old} is an old name: write {new}" in caplog.text
    with pytest.raises(AttributeError, match="no attribute 'Boltzmann'"):
        package.Boltzmann  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'Boltzmann'"):
        former(module, "Boltzmann")


@pytest.mark.parametrize(
    "words", [["--data.sampler", "Graded"], ["--data.sampler=Graded"], ["--data.sampler", "{class_path: Graded}"]]
)
def test_options_of_the_command_line_are_read_with_the_names_of_today(words, tmp_path, caplog, capsys):
    command = ["fit", "--model.equation", "Poisson", *words, "--data.sampler.axis", "0", "--print_config"]
    with pytest.raises(SystemExit):
        main(command)
    assert "Clustered" in capsys.readouterr().out
    assert "Graded is an old name: write Clustered" in caplog.text


PHASES = """
model:
  phases:
    - class_path: pinnlab.training.Adam
      init_args: {steps: 5, below: 1e-3, stall: {steps: 4}}
    - class_path: GaussNewton
      init_args: {steps: 3, hold: 2, stall: null}
"""
phases = pytest.mark.parametrize("phase", [Adam, LBFGS, SSBFGS, SSBroyden, GaussNewton])


@dataclasses.dataclass(eq=False, kw_only=True)
class Theirs(GaussNewton):
    """A phase of a user's, with an option of the name that one of ours had."""

    hold: int = 7


@phases
def test_every_phase_has_the_options_that_the_former_names_stand_for(phase):
    options = {field.name for field in dataclasses.fields(phase)}
    assert set(OPTIONS[phase.__name__].values()) <= options
    assert not OPTIONS[phase.__name__].keys() & options
    assert OPTIONS["Phase"].items() <= OPTIONS[phase.__name__].items()


@phases
def test_phases_in_records_are_read_with_the_names_of_today(phase, caplog):
    stall = {"class_path": "pinnlab.training.Stall", "init_args": {"steps": 3}}
    arguments = {"steps": 9, "below": 1e-3, "stall": stall}
    made = build({"class_path": f"pinnlab.training.{phase.__name__}", "init_args": arguments})
    assert (made.steps, made.tolerance, made.plateau) == (9, 1e-3, Plateau(3))
    assert f"below of {phase.__name__} is an old name: write tolerance" in caplog.text


def test_phases_in_configurations_are_read_with_the_names_of_today(tmp_path, caplog):
    file = tmp_path / "run.yaml"
    file.write_text(PHASES)
    (content,) = read_chain(file)
    assert [phase["init_args"] for phase in content["model"]["phases"]] == [
        {"steps": 5, "tolerance": 1e-3, "plateau": {"steps": 4}},
        {"steps": 3, "freeze": 2, "plateau": None},
    ]
    assert "hold of GaussNewton is an old name: write freeze" in caplog.text


@phases
def test_a_former_option_in_a_call_is_refused_with_its_name_of_today(phase):
    with pytest.raises(UserError, match=rf"^below of {phase.__name__} is an old name: write tolerance$"):
        phase(5, below=1e-3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'beneath'"):
        phase(5, beneath=1e-3)


def test_a_users_phase_has_the_former_names_of_its_base_but_for_its_own_options(caplog):
    assert Theirs(5, hold=3).hold == 3
    with pytest.raises(UserError, match=r"^stall of Theirs is an old name: write plateau$"):
        Theirs(5, stall=None)
    made = build({"class_path": f"{__name__}.Theirs", "init_args": {"steps": 5, "hold": 3, "below": 2.0}})
    assert isinstance(made, Phase) and (made.hold, made.freeze, made.tolerance) == (3, 0, 2.0)
    assert "below of Theirs is an old name: write tolerance" in caplog.text


def printed(capsys, *words):
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["fit", "--model.equation", "Poisson", *words, "--print_config"])
    output = capsys.readouterr()
    return yaml.safe_load(output.out)["model"]["phases"], output.err


def test_entries_of_the_phases_are_changed_by_former_names_too(tmp_path, caplog, capsys):
    file = tmp_path / "run.yaml"
    file.write_text(PHASES)
    words = ["--model.phases.1.hold", "1", "--model.phases.0.stall.decrease=0.5", "--model.phases.0.below", "2.0"]
    (adam, newton), _ = printed(capsys, "--config", str(file), *words)
    assert newton["init_args"]["freeze"] == 1 and newton["init_args"]["plateau"] is None
    assert adam["init_args"]["plateau"] == {"steps": 4, "decrease": 0.5} and adam["init_args"]["tolerance"] == 2.0
    # LBFGS has a plateau of 10 steps by default, and keeps its decrease
    (_, lbfgs), _ = printed(capsys, "--model.phases.1.stall.steps", "3")
    assert lbfgs["init_args"]["plateau"] == {"steps": 3, "decrease": 1e-3}
    entry = "{class_path: GaussNewton, init_args: {steps: 2, hold: 1}}"
    (_, newton), _ = printed(capsys, "--model.phases.1", entry)
    assert newton["init_args"]["freeze"] == 1


def test_a_former_option_of_a_users_phase_is_refused_in_one_line(tmp_path, capsys, monkeypatch):
    (tmp_path / "renamed_theirs.py").write_text(
        "import dataclasses\nfrom pinnlab.training import GaussNewton\n\n\n"
        "@dataclasses.dataclass(eq=False, kw_only=True)\nclass Theirs(GaussNewton):\n    more: int = 1\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    phases = "[{class_path: renamed_theirs.Theirs, init_args: {steps: 2, hold: 1}}]"
    assert main(["fit", "--model.equation", "Poisson", "--model.phases", phases]) == 2
    assert "hold of Theirs is an old name: write freeze" in capsys.readouterr().err


def test_the_changelog_has_every_old_name_with_its_new_one():
    text = (Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]
    wanted = list(CLASSES.items()) + [pair for names in OPTIONS.values() for pair in names.items()]
    assert wanted
    for old, new in wanted:
        assert any(f"`{old}`" in before and f"`{new}`" in now for before, now in rows), old
