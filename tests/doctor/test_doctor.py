"""`doctor`: each check finds what is wrong and says what to do, and the report tells of all of them."""

import io
import json
import os
import socket
import stat

import pytest
from packaging.requirements import Requirement
from rich.console import Console

from pinnlab.cli import main
from pinnlab.commands.doctor import machine, self_check, services, software
from pinnlab.commands.doctor.command import CHECKS, examined, show
from pinnlab.commands.doctor.finding import Finding, State


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """An environment without a login, a job or a mode of W&B."""
    for name in [name for name in os.environ if name.startswith(("WANDB_", "SLURM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def states(check):
    return {finding.name: finding.state for finding in check()}


def test_the_report_is_one_screen_and_the_status_says_that_all_is_ready(nowhere, capsys):
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 45 and max(map(len, lines)) <= 120
    assert all(part in lines for part in CHECKS)
    assert lines[-1].startswith("pinnlab is ready")
    assert not any("\x1b" in line for line in lines)


def test_the_same_as_json_without_a_network(nowhere, capsys):
    def refuse(*arguments, **options):
        raise AssertionError("a network was asked")

    nowhere.setattr(socket, "getaddrinfo", refuse)
    nowhere.setattr(socket.socket, "connect", refuse)
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["usable"] is True
    assert {each["part"] for each in found["findings"]} == set(CHECKS)
    assert {"ok", "note", "warn"} >= {each["state"] for each in found["findings"]}


def test_a_folder_that_cannot_be_written_makes_the_status_one(nowhere, tmp_path, capsys):
    # a file in the place of the folder, since root may write everywhere
    (tmp_path / "runs").write_text("")
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "FAIL  runs" in shown and "--run.root FOLDER" in shown and "not ready" in shown


def test_a_check_that_fails_itself_is_a_finding():
    def broken():
        raise ImportError("libcudart.so:\nno such file")
        yield

    (found,) = examined("devices", broken)
    assert found.state is State.FAIL and "libcudart.so: no such file" in found.value


def test_more_threads_than_cores_are_warned_of(monkeypatch):
    few = list(machine.linear_algebra(cores=64))
    assert {finding.state for finding in few} == {State.OK} and {"torch", "scipy"} <= {f.name for f in few}
    monkeypatch.setattr("torch.get_num_threads", lambda: 8)
    many = {finding.name: finding for finding in machine.linear_algebra(cores=2)}
    assert many["torch"].state is State.WARN and "OMP_NUM_THREADS=2" in many["torch"].advice


def test_a_blas_that_cannot_be_limited_is_warned_of(monkeypatch):
    monkeypatch.setattr("threadpoolctl.threadpool_info", list)
    found = {finding.name: finding for finding in machine.linear_algebra()}
    assert found["scipy"].state is State.WARN and "tpqrt" in found["scipy"].advice


def test_a_full_disk_is_warned_of(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_LEAST_FREE", 2**60)
    assert {finding.state for finding in machine.folders(tmp_path)} == {State.WARN}
    assert list(tmp_path.iterdir()) == []


def test_the_key_of_wandb_is_found_and_not_shown(nowhere, tmp_path):
    assert states(services.tracking) == {"mode": State.NOTE}
    nowhere.setenv("WANDB_MODE", "onlin")
    assert states(services.tracking) == {"mode": State.FAIL}
    nowhere.setenv("WANDB_MODE", "online")
    assert states(services.tracking) == {"mode": State.OK, "key": State.WARN}
    (tmp_path / "netrc").write_text("machine api.wandb.ai\n  login user\n  password secret\n")
    (tmp_path / "netrc").chmod(stat.S_IRUSR)
    assert states(services.tracking) == {"mode": State.OK, "key": State.OK}
    assert "secret" not in str(list(services.tracking()))
    # the key of one server is none of another
    nowhere.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert states(services.tracking) == {"mode": State.OK, "key": State.WARN}
    nowhere.setenv("WANDB_API_KEY", "secret")
    assert states(services.tracking) == {"mode": State.OK, "key": State.OK}
    assert "secret" not in str(list(services.tracking()))


def test_a_job_of_slurm_is_told(nowhere, tmp_path):
    nowhere.setenv("PATH", str(tmp_path))
    assert states(services.cluster) == {"job": State.OK}
    for name, value in {"SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "bash", "SLURM_NTASKS": "4"}.items():
        nowhere.setenv(name, value)
    assert states(services.cluster) == {"job": State.WARN, "srun": State.WARN}
    (tmp_path / "srun").write_text("#!/bin/sh\n")
    (tmp_path / "srun").chmod(0o755)
    nowhere.setenv("SLURM_JOB_NAME", "fit")
    assert states(services.cluster) == {"job": State.OK}


def test_packages_that_are_missing_or_too_old_are_named(monkeypatch):
    assert software.complaint(Requirement("numpy>=2.0")) == ""
    assert "and >=99 is needed" in software.complaint(Requirement("numpy>=99"))
    assert software.complaint(Requirement("no-such-package")) == "no-such-package is missing"
    lines = ["numpy>=99", "wandb", 'no-such-package>=1; extra == "further"', 'wandb; extra == "known"']
    monkeypatch.setattr(software, "requires", lambda name: lines)
    monkeypatch.setattr(software, "metadata", lambda name: Extras())
    found = list(software.software())
    assert [f.advice for f in found if f.state is State.FAIL] == ["python -m pip install 'numpy>=99'"]
    assert {f.name: f.state for f in found if f.name[:5] == "extra"} == {
        "extra [further]": State.NOTE,
        "extra [known]": State.OK,
    }


class Extras:
    def get_all(self, name):
        return ["further", "known", "test"]


def test_a_solve_that_misses_its_truth_is_no_check_passed(monkeypatch):
    (found,) = self_check.self_check()
    assert found.state in (State.OK, State.WARN)
    monkeypatch.setattr(self_check, "_TOL", 1e-15)
    (found,) = self_check.self_check()
    assert found.state is State.FAIL


def test_colours_are_for_terminals():
    found = [Finding("devices", "load", "high", State.WARN, "wait")]
    for terminal in (False, True):
        written = io.StringIO()
        show(found, True, Console(file=written, force_terminal=terminal, color_system="standard" if terminal else None))
        assert ("\x1b[" in written.getvalue()) is terminal
        assert "→ wait" in written.getvalue() and "1 warning" in written.getvalue()
