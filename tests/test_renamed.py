import logging

import pytest

from pinnlab import renamed as former
from pinnlab.commands.options.configuration import read_chain
from pinnlab.reporting.description import build, find

NAMES = sorted(former._PACKAGES)


@pytest.mark.parametrize("path", NAMES)
def test_former_class_paths_work_and_say_the_new_one(path, caplog):
    with caplog.at_level(logging.WARNING, logger="pinnlab"):
        kind = find(path)
    assert kind.__name__ == path.rpartition(".")[2]
    assert f"{path} is an old name: write {former._PACKAGES[path]}" in caplog.text


def test_configurations_are_read_with_the_names_of_today(tmp_path, caplog):
    file = tmp_path / "run.yaml"
    file.write_text(
        "model:\n  equation:\n    class_path: pinnlab.equations.Poisson\n"
        "  phases:\n    - class_path: pinnlab.training.broyden.SSBroyden\n    - class_path: Adam\n"
    )
    (content,) = read_chain(file)
    assert content["model"]["equation"]["class_path"] == "pinnlab.problems.Poisson"
    phases = [phase["class_path"] for phase in content["model"]["phases"]]
    assert phases == ["pinnlab.training.SSBroyden", "Adam"]
    assert caplog.text.count("is an old name") == 2


def test_records_of_earlier_runs_are_read_with_the_names_of_today():
    from pinnlab.problems import Poisson

    assert isinstance(build({"class_path": "pinnlab.equations.Poisson"}), Poisson)


def test_the_package_of_equations_offers_what_ships_under_its_former_name(caplog):
    import pinnlab.equations
    from pinnlab.problems import ViscousBurgers

    assert pinnlab.equations.ViscousBurgers is ViscousBurgers
    assert "write pinnlab.problems.ViscousBurgers" in caplog.text
    with pytest.raises(AttributeError, match="no attribute 'Boltzmann'"):
        pinnlab.equations.Boltzmann  # noqa: B018
