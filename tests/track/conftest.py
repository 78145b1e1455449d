"""A short clip with everything in it: a face that moves, a range without one, and the face again after a cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.clip import VideoWriter
from inference_core.reconstruct.models import Models

FACE_UNTIL, BLANK_UNTIL, FRAMES = 14, 18, 28
"""Frames 0..13 show a face, 14..17 none, 18..27 the face again, elsewhere and larger."""
SIDE = 256


@pytest.fixture(scope="session")
def models() -> Iterator[Models]:
    loaded = Models.load()
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def portrait_pixels() -> NDArray[np.uint8]:
    data = pytest.importorskip("skimage.data")
    return np.asarray(data.astronaut(), dtype=np.uint8)


@pytest.fixture(scope="session")
def clip_path(tmp_path_factory: pytest.TempPathFactory, portrait_pixels: NDArray[np.uint8]) -> Path:
    """28 frames of 256 x 256 at 25 frames a second."""
    path = tmp_path_factory.mktemp("clip") / "bewegt 顔.mp4"
    with VideoWriter(path, (SIDE, SIDE), 25.0) as writer:
        for index in range(FRAMES):
            writer.write(frame_of(portrait_pixels, index))
    return path


def frame_of(portrait: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
    """(256, 256, 3): what the clip shows at a frame."""
    if FACE_UNTIL <= index < BLANK_UNTIL:
        return np.full((SIDE, SIDE, 3), (40, 90, 60), np.uint8)
    if index < FACE_UNTIL:
        x, y = 90 + 2 * index, 10 + index // 2
        return np.ascontiguousarray(portrait[y : y + SIDE, x : x + SIDE])
    x = 140 + 2 * (index - BLANK_UNTIL)
    return np.ascontiguousarray(np.repeat(np.repeat(portrait[40:168, x : x + 128], 2, axis=0), 2, axis=1))
