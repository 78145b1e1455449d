"""A portrait's skin on another person's shape."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from inference_core.errors import BadInput
from inference_core.training.extractor.anatomy import Anatomy
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.subject import PORTRAIT, SIZE, draw_subject
from inference_core.training.extractor.textures import BARE, PortraitSkins, draw_complexion, surface_of
from inference_core.training.raster import interpolate, rasterise


def _file(folder: Path, *pictures: np.ndarray) -> Path:
    coded = {f"p{n}": cv2.imencode(".png", picture[..., ::-1])[1] for n, picture in enumerate(pictures)}
    np.savez(folder / "skins.npz", **coded)
    return folder / "skins.npz"


def test_what_the_skin_shows_lies_where_its_uv_is(anatomy: Anatomy, tmp_path: Path) -> None:
    """Red grows along u, green along v: each pixel's tone must say where in the UV its surface lies."""
    size = 256
    ramp = np.linspace(40, 240, size)
    picture = np.stack([np.tile(ramp, (size, 1)), np.tile(ramp[::-1, None], (1, size)), np.full((size, size), 90.0)], 2)
    people = PortraitSkins.load(_file(tmp_path, picture.astype(np.uint8)), anatomy)
    subject = draw_subject(anatomy.head, np.random.default_rng(4), PORTRAIT)
    raster = rasterise(subject.points, anatomy.triangles, subject.intrinsics, (SIZE, SIZE))
    wears = replace(BARE, strength=1.0, person=0)
    tone = surface_of(anatomy, raster, np.zeros((SIZE, SIZE, 1), np.float32), wears, people).tone
    places = interpolate(raster, anatomy.uv_triangles, anatomy.head.uv)
    shown = (raster.triangle >= 0) & (tone > -3.1).all(axis=2) & (tone < 0.89).all(axis=2)
    assert shown.sum() > 5000
    for channel in (0, 1):
        level = np.exp(tone[..., channel] + people.usual[0, channel]) - 0.004
        srgb = 255 * (1.055 * np.maximum(level, 1e-4) ** (1 / 2.4) - 0.055)
        assert np.abs(srgb - (40 + 200 * places[..., channel]))[shown].max() < 4


def test_half_of_the_faces_wear_one_and_all_of_them_repeat(anatomy: Anatomy, tmp_path: Path) -> None:
    grey = np.full((16, 16, 3), 120, np.uint8)
    people = PortraitSkins.load(_file(tmp_path, grey, grey), anatomy)
    rng = np.random.default_rng(1)
    worn = [draw_complexion(rng, bald=False, people=len(people)).person for _ in range(400)]
    assert 160 < sum(person >= 0 for person in worn) < 240
    one, two = (draw_sample(anatomy, np.random.default_rng(6), people=people) for _ in range(2))
    assert (one.rgb == two.rgb).all()


def test_no_skins_is_said(anatomy: Anatomy, tmp_path: Path) -> None:
    (tmp_path / "skins.npz").write_bytes(b"none")
    with pytest.raises(BadInput, match="holds no skins"):
        PortraitSkins.load(tmp_path / "skins.npz", anatomy)
