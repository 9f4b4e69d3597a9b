"""The package as installed: versions and what an import costs."""

import subprocess
import sys

import pinnlab


def test_importing_the_package_stays_light():
    heavy = ("torch", "lightning", "wandb", "matplotlib")
    code = f"import sys, pinnlab; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version_is_a_release_number():
    assert all(part.isdigit() for part in pinnlab.__version__.split("."))


def test_what_the_package_offers_is_there():
    assert all(getattr(pinnlab, name).__name__ == name for name in pinnlab.__all__)
    assert not hasattr(pinnlab, "laplace")
