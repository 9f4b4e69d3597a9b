"""A real browser, installed where root may do so."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.recorded import write_run as write_run


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program; skips, saying why, where there is none."""
    script = Path(__file__).parent / "install.sh"
    if shutil.which("chromium") is None and shutil.which("apt-get") is not None:
        done = subprocess.run([str(script)], capture_output=True, text=True, timeout=600)
        if done.returncode:
            pytest.skip(f"no Chromium: {done.stderr.strip().splitlines()[-1:] or 'installing it failed'}")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium, and no apt-get to install it with")
    return program
