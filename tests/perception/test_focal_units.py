"""Millimetres given as pixels are refused or asked about; what can be pixels passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from inference_core.errors import BadInput
from inference_core.perception.focal_units import check_focal_length
from inference_core.perception.image import read_photo


@pytest.mark.parametrize(
    ("pixels", "size"), [(35, (512, 512)), (50, (4000, 3000)), (85.0, (300, 400)), (1e300, (9, 9))]
)
def test_what_no_lens_has_is_refused(pixels: float, size: tuple[int, int]) -> None:
    with pytest.raises(BadInput, match="focal length"):
        check_focal_length(pixels, size)


def test_the_refusal_says_what_the_millimetres_are() -> None:
    with pytest.raises(BadInput) as caught:
        check_focal_length(35, (3600, 2400))
    assert "is it in mm?" in caught.value.sentence
    assert "3500 pixels" in caught.value.remedy


def test_millimetres_that_could_be_pixels_are_asked_about() -> None:
    note = check_focal_length(105, (256, 256))
    assert note is not None and "If it is in mm" in note


@pytest.mark.parametrize(("pixels", "size"), [(600, (512, 512)), (300, (256, 256)), (90_000, (2560, 1440))])
def test_pixels_pass(pixels: float, size: tuple[int, int]) -> None:
    assert check_focal_length(pixels, size) is None


@pytest.mark.parametrize("pixels", [0.0, -5.0, float("nan"), float("inf")])
def test_what_is_no_length_is_refused(pixels: float) -> None:
    with pytest.raises(BadInput, match="positive number of pixels"):
        check_focal_length(pixels, (100, 100))


def test_a_photo_is_asked_with_its_own_size(tmp_path: Path) -> None:
    Image.new("RGB", (400, 300)).save(tmp_path / "a.png")
    with pytest.raises(BadInput, match="is it in mm"):
        read_photo(tmp_path / "a.png", 35)
    assert read_photo(tmp_path / "a.png", 480).focal[:3] == (480.0, "given", "")
