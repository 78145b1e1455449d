"""The test head in FLAME's form, made once from the part of FLAME 2023 Open beside a developer's checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inference_core.flame import convert_flame
from inference_core.flame.synthetic import make_model, save
from inference_core.head import Head, load_head


@pytest.fixture(scope="session")
def flame_model(shared_data: Path) -> dict[str, Any]:
    """The dictionary of a FLAME file."""
    return make_model(shared_data / "flame2023_open_identity" / "flame_basis.npz")


@pytest.fixture(scope="session")
def flame_file(flame_model: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a pickle of protocol 2."""
    path = tmp_path_factory.mktemp("flame") / "test_head.pkl"
    save(flame_model, path)
    return path


@pytest.fixture(scope="session")
def flame_head_file(flame_file: Path) -> Path:
    """Our head file made from it."""
    path = flame_file.with_name("test_head.npz")
    convert_flame(flame_file, path)
    return path


@pytest.fixture(scope="session")
def flame_head(flame_head_file: Path) -> Head:
    """And read."""
    return load_head(flame_head_file)
