"""Run folders without training."""

from tests.recorded import write_run as write_run
