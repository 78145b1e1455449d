"""A short clip with everything in it: a face that moves, a range without one, and the face again after a cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.clip import VideoWriter
from inference_core.head import load_head
from inference_core.reconstruct.models import Models
from inference_core.take import Take, TakeMeta, save_take

FACE_UNTIL, BLANK_UNTIL, FRAMES = 14, 18, 28
"""Frames 0..13 show a face, 14..17 none, 18..27 the face again, elsewhere and larger."""
SIDE = 256


@pytest.fixture(scope="session")
def models() -> Models:
    return Models.load()


@pytest.fixture(scope="session")
def mean_person(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A take of the mean head. With it as the identity, and a focal length, nobody has to be estimated: 2 s less."""
    head = load_head()
    meta = TakeMeta(head.head_id, head.sha256, head.expression_names, "nobody.mp4", 25.0, "0", {})

    def none(*shape: int) -> NDArray[np.float32]:
        return np.zeros((1, *shape), np.float32)

    path = tmp_path_factory.mktemp("known") / "take.npz"
    take = Take(
        meta=meta,
        shape=np.zeros(head.shape_count, np.float32),
        expression=none(head.expression_count),
        jaw=none(3),
        neck=none(3),
        eyes=none(2, 3),
        eyelids=none(2),
        head_rotation=none(3),
        head_translation=none(3),
        intrinsics=np.array([300, 300, 128, 128], np.float32),
        image_size=np.array([SIDE, SIDE], np.int32),
        frame_index=np.zeros(1, np.int32),
        timestamp=np.zeros(1),
        valid=np.ones(1, np.bool_),
        confidence=np.ones(1, np.float32),
        landmarks_68=none(68, 2),
        landmarks_68_head=none(68, 3),
        bbox=none(4),
    )
    save_take(path, take)
    return path


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
