"""The benchmark: its records are those of configurations that ship, and counts are right on made-up rows."""

import csv
import doctest
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.benchmark import records, summary
from experiments.benchmark.__main__ import COLUMNS
from experiments.catalogue.entries import entries
from experiments.catalogue.pages import KEY, key_of
from experiments.tolerance.rows import Table

ROOT = Path(__file__).parents[2]
RECORDS = records.records()
ENTRIES = entries()
PATHS = {key_of(path): path for entry in ENTRIES for path in entry.configurations}


def test_examples_of_docstrings_run():
    result = doctest.testmod(records)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.problem)
def test_a_record_has_its_source_and_configurations_that_ship(record):
    assert 0 < record.error < 1 and record.source and record.means
    assert set(record.configurations) <= PATHS.keys()
    # what is not measured says why
    assert record.configurations or record.limit


def test_configurations_by_hand_are_no_part_of_the_catalogue_s_table():
    for entry in ENTRIES:
        assert not any(path.stem.endswith("_by_hand") for path in entry.measured)


def row(**numbers):
    return dict.fromkeys(COLUMNS, "") | {"status": "reached", "seconds": "5", "MiB": "400"} | numbers


def test_a_record_is_passed_by_a_smaller_error_of_the_whole_region():
    wave = next(record for record in RECORDS if record.problem.startswith("wave"))
    wave = replace(wave, error=1e-9)
    assert summary.passes(wave, row(**{"l2 of outputs": "0.99e-9"})) and not summary.passes(wave, None)
    assert not summary.passes(wave, row(**{"l2 of outputs": "1e-9"}))
    until = "the time limit, found up to 0.3"
    assert not summary.passes(wave, row(**{"l2 of outputs": "1e-12", "status": until}))


def test_the_table_has_a_line_for_each_configuration_and_says_what_limits_it():
    wave = replace(
        next(record for record in RECORDS if record.problem.startswith("wave")), error=1e-9, limit="rounding"
    )
    other = replace(wave, problem="other", configurations=(), limit="not in the catalogue")
    rows = {"waves/wave": row(**{"l2 of outputs": "2e-9", "tol": "1e-09"})}
    text = "\n".join(lines := summary.told([wave, other], rows))
    assert "`waves/wave`, tol 1e-09 | 2.0e-09 | 5 | 400 | no | rounding |" in lines[2]
    assert (
        "Measured: 1 of 2; the record is passed on 0" in text and "Not measured: other (not in the catalogue)." in text
    )
    rows |= {"waves/wave_by_hand": row(**{"l2 of outputs": "5e-10", "tol": "1e-12"})}
    assert "the record is passed on 1: wave" in "\n".join(summary.told([wave, other], rows))


def benchmark(names, out):
    command = [sys.executable, "-m", "experiments.benchmark", *names, "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return {found["configuration"]: found for found in Table(out, COLUMNS, KEY).rows()}


def test_a_configuration_is_measured(tmp_path):
    (found,) = benchmark(["ode/bratu"], tmp_path / "table.csv").values()
    assert found["status"] == "reached" and float(found["l2"]) == float(found["l2 of outputs"]) < 1e-8
    assert float(found["±"]) < 1e-7 and float(found["MiB"]) > 100


@pytest.mark.long
def test_a_subset_of_minutes_reaches_what_it_did(tmp_path):
    names = ["elliptic/helmholtz", "waves/wave", "waves/beam", "waves/advection", "elliptic/four_holes_by_hand"]
    found = benchmark(names, tmp_path / "table.csv")
    by_name = {name: record for record in RECORDS for name in record.configurations}
    for name in names:
        assert float(found[name]["l2 of outputs"]) < 1e-8 or summary.passes(by_name[name], found[name]), found[name]


def test_the_records_file_has_no_empty_figure():
    with records.FILE.open(newline="", encoding="utf-8") as lines:
        assert all(row["problem"] and row["error"] for row in csv.DictReader(lines))
