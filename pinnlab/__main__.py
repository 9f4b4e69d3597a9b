"""`python -m pinnlab`."""

from pinnlab.cli import run

run()
