"""Runs killed at random moments go on to the same bits as one that was left alone."""

import signal
import time
from random import Random

import pytest

from pinnlab.reporting.folder import RunFolder


@pytest.mark.long
def test_killed_at_random_moments(lab, kills=20):
    """kill -9 at a random moment of each phase, and of what comes before the first; then `--ckpt_path last`."""
    started = time.monotonic()
    assert lab.fit("whole") == 0, lab.log("whole")
    phases = lab.summary("whole")["phases"]
    before = time.monotonic() - started - lab.summary("whole")["seconds"]
    value, record = lab.summary("whole")["unknowns"]["lam"]["value"], lab.record("whole")
    assert {row["phase"] for row in record} == {"1 Adam", "2 LBFGS", "3 GaussNewton"}
    random = Random(0)
    for kill in range(kills):
        name, where = f"killed-{kill}", kill % 4
        process = lab.start(name)
        if where:
            # the checkpoint with which the phase began
            ended = phases[where - 2]["name"]
            begun = lab.path(name) / "checkpoints" / (f"phase_{where - 1}_{ended}.ckpt" if where > 1 else "last.ckpt")
            lab.wait(begun.exists, process)
        process.join(random.uniform(0, phases[where - 1]["seconds"] if where else before))
        process.kill()
        process.join()
        assert process.exitcode in (-signal.SIGKILL, 0), lab.log(name)
        if not RunFolder(lab.path(name)).finished:
            assert lab.fit(name, "--ckpt_path", "last") == 0, lab.log(name)
        assert lab.summary(name)["unknowns"]["lam"]["value"] == value
        assert lab.record(name) == record


@pytest.mark.long
def test_killed_again_and_again(lab):
    """The same run, killed as soon as it has gone on for three checkpoints, until it ends."""
    assert lab.fit("whole") == 0
    folder, kills = lab.path("killed") / "checkpoints", 0
    while True:
        process = lab.start("killed", "--ckpt_path", "last")
        seen = set()
        while process.is_alive() and len(seen) < 12:
            if (folder / "last.ckpt").exists():
                seen.add((folder / "last.ckpt").stat().st_mtime_ns)
            time.sleep(0.001)
        process.kill()
        process.join()
        if RunFolder(lab.path("killed")).finished:
            break
        assert process.exitcode == -signal.SIGKILL, lab.log("killed")
        kills += 1
        assert kills < 30
    assert kills > 0
    assert lab.summary("killed")["unknowns"] == lab.summary("whole")["unknowns"]
    assert lab.record("killed") == lab.record("whole")
