"""Fixtures that several rooms share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of test data that lies beside a developer's checkout and is never committed."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared test data is not beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session", autouse=True)
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A library of heads for the tests alone, also for the processes they start: the developer's own stays out."""
    folder = tmp_path_factory.mktemp("library")
    earlier = os.environ.get("N2F_DATA")
    os.environ["N2F_DATA"] = str(folder)
    yield folder
    if earlier is None:
        del os.environ["N2F_DATA"]
    else:
        os.environ["N2F_DATA"] = earlier
