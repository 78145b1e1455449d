"""Photos to find faces in."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.perception.faces import FaceFinder


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """(512, 512, 3): a NASA portrait, public domain. Her face is some 90 px wide around (225, 130)."""
    data = pytest.importorskip("skimage.data")
    return np.asarray(data.astronaut(), dtype=np.uint8)


@pytest.fixture(scope="session")
def finder() -> FaceFinder:
    """Its networks, loaded once for all tests."""
    return FaceFinder()
