"""Pictures as PNG, read back by OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from inference_core.formats.png import png, quick_png


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (200, 130)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_pixels_come_back(size: tuple[int, int], channels: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*size, channels), dtype=np.uint8)
    for data in (png(pixels), quick_png(pixels)):
        read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED).reshape(pixels.shape)
        back = {1: read, 3: read[..., ::-1], 4: read[..., (2, 1, 0, 3)] if channels == 4 else read}[channels]
        assert np.array_equal(back, pixels)


def test_the_number_of_threads_changes_no_byte() -> None:
    pixels = np.tile(np.arange(64, dtype=np.uint8)[:, None, None], (1, 64, 3))
    assert quick_png(pixels, threads=1) == quick_png(pixels, threads=3)


def test_flat_pictures_take_little_room() -> None:
    flat = np.zeros((200, 300, 3), np.uint8)
    flat[50:150, 80:220] = (200, 180, 160)
    assert len(quick_png(flat)) < 0.01 * flat.size
