"""HEIC: one picture or a grid, turned, mirrored, with EXIF; and every damage one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ExifTags, Image

from inference_core.errors import BadInput
from inference_core.evaluation.heif_files import can_write, write_heic
from inference_core.perception.image import read_photo
from tests.conftest import CASES

pytestmark = pytest.mark.skipif(not can_write(), reason="this FFmpeg cannot write HEVC")

HEIGHT, WIDTH, TILE = 150, 220, 64


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    """Smooth, and different in each corner, so that a turn, a mirror and a swapped tile show."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [255 * x / WIDTH, 255 * y / HEIGHT, 128 + 100 * np.sin(x / 40) * np.cos(y / 30)]
    return np.stack(planes, axis=2).astype(np.uint8)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirror", [None, 0, 1])
def test_a_grid_is_put_together_and_stood_upright(
    tmp_path: Path, picture: NDArray[np.uint8], turns: int, mirror: int | None
) -> None:
    write_heic(tmp_path / "IMG.HEIC", picture, TILE, turns=turns, mirror=mirror)
    expected = np.rot90(picture, turns)
    if mirror is not None:
        expected = expected[:, ::-1] if mirror else expected[::-1]
    photo = read_photo(tmp_path / "IMG.HEIC")
    assert photo.rgb.shape == expected.shape
    assert np.abs(photo.rgb.astype(int) - expected).mean() < 4
    assert np.abs(photo.rgb.astype(int) - expected).max() < 60


def test_exif_tells_the_focal_length_and_its_orientation_is_not_applied_again(
    tmp_path: Path, picture: NDArray[np.uint8]
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 50
    write_heic(tmp_path / "a.heic", picture, TILE, turns=3, exif=exif.tobytes())
    photo = read_photo(tmp_path / "a.heic")
    assert photo.size == (HEIGHT, WIDTH)
    assert photo.focal.source == "exif_35mm"


def test_the_case_is_read() -> None:
    path = CASES / "17_avif_background" / "still.heic"
    if not path.exists():
        pytest.skip("needs ../shared/cases")
    assert read_photo(path).size == (400, 512)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_a_sentence(tmp_path: Path, picture: NDArray[np.uint8], data: st.DataObject) -> None:
    whole = tmp_path / "whole.heic"
    if not whole.exists():
        write_heic(whole, picture, TILE)
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(12, min(900, len(content)) - 1))
        content[place] = data.draw(st.integers(0, 255))
    damaged = tmp_path / "damaged.heic"
    damaged.write_bytes(bytes(content[: data.draw(st.integers(40, len(content)))]))
    try:
        assert read_photo(damaged).rgb.ndim == 3
    except BadInput as error:
        assert "damaged.heic" in error.sentence
