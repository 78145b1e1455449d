"""The bundled head and its anatomy, once for all tests of this room."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("numba", reason="training needs numba")

from inference_core.head import load_head
from inference_core.training.extractor.anatomy import Anatomy, build_anatomy


@pytest.fixture(scope="session")
def anatomy() -> Anatomy:
    return build_anatomy(load_head())
