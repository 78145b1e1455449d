"""The built head and what the build knows of its topology."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from inference_core.head import Head, load_head

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))


@pytest.fixture(scope="session")
def head() -> Head:
    """The bundled Open Head."""
    return load_head()


@pytest.fixture(scope="session")
def mirror(head: Head) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(V,) the vertex on the other side, found from the template alone."""
    from scipy.spatial import cKDTree

    template = head.template.astype(np.float64)
    distance, index = cKDTree(template).query(template * [-1.0, 1.0, 1.0])
    assert distance.max() < 1e-6
    return np.asarray(index, dtype=np.int64)
