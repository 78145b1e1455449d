"""The test head in FLAME's form, made once from the part of FLAME 2023 Open beside a developer's checkout."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from inference_core.head import Head, load_head
from tests.conftest import flame_folder


@pytest.fixture(scope="session")
def flame_file(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A FLAME file, a pickle of protocol 2."""
    return flame_folder(shared_data, tmp_path_factory) / "flame_test.pkl"


@pytest.fixture(scope="session")
def flame_model(flame_file: Path) -> dict[str, Any]:
    """Its dictionary."""
    with flame_file.open("rb") as file:
        content: dict[str, Any] = pickle.load(file)
    return content


@pytest.fixture(scope="session")
def flame_head_file(flame_head_path: Path) -> Path:
    """Our head file made from it."""
    return flame_head_path


@pytest.fixture(scope="session")
def flame_head(flame_head_file: Path) -> Head:
    """And read."""
    return load_head(flame_head_file)
