"""What all tests share: float64, fixed seeds, and how conformance suites take their subjects."""

from collections.abc import Iterator

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("pinnlab", deadline=None, derandomize=True, database=None, max_examples=30)
hypothesis.settings.load_profile("pinnlab")


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    """Build everything in float64, as the command line does."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture(autouse=True)
def seed() -> None:
    """Draw the same numbers in every run."""
    torch.manual_seed(0)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test class that lists `subjects` and `dimensions` runs each test that asks for one with all of them."""
    suite = metafunc.cls
    if "dimension" in metafunc.fixturenames and hasattr(suite, "dimensions"):
        metafunc.parametrize("dimension", suite.dimensions)
    if "subject" in metafunc.fixturenames and hasattr(suite, "subjects"):
        subjects = suite.subjects
        metafunc.parametrize("subject", list(subjects.values()), ids=list(subjects))
