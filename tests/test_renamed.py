import logging

import pytest

from pinnlab.commands.options.configuration import read_chain
from pinnlab.renamed import CLASSES, former
from pinnlab.reporting.description import build, find

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
    ],
)
def test_modules_offer_what_they_had_under_its_former_name(module, old, new, caplog):
    from importlib import import_module

    package = import_module(module)
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
    from pinnlab.cli import main

    command = ["fit", "--model.equation", "Poisson", *words, "--data.sampler.axis", "0", "--print_config"]
    with pytest.raises(SystemExit):
        main(command)
    assert "Clustered" in capsys.readouterr().out
    assert "Graded is an old name: write Clustered" in caplog.text
