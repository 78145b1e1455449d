"""The bundled head and its anatomy, once for all tests of this room."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from inference_core.training.extractor.anatomy import Anatomy

NEEDED = ("torch", "onnx", "numba")
collect_ignore_glob = [] if all(map(importlib.util.find_spec, NEEDED)) else ["*"]


@pytest.fixture(scope="session")
def anatomy() -> Anatomy:
    from inference_core.head import load_head
    from inference_core.training.extractor.anatomy import build_anatomy

    return build_anatomy(load_head())
