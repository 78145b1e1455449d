"""MakeHuman's skins, brows and irises on the Open Head."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from inference_core.head import landmarks_68
from inference_core.training.extractor.anatomy import LIPS, Anatomy
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.subject import PORTRAIT, SIZE, draw_subject
from inference_core.training.extractor.textures import BARE, PACKED, Complexion, load_textures, surface_of
from inference_core.training.raster import interpolate, rasterise


def test_the_packed_file_is_small_and_its_card_true() -> None:
    card = json.loads(PACKED.with_suffix(".card.json").read_text(encoding="utf-8"))
    assert card["sha256"] == hashlib.sha256(PACKED.read_bytes()).hexdigest()
    assert card["license"] == "CC0-1.0"
    assert PACKED.stat().st_size < 6e6
    assert len(load_textures().skins) == len(card["skins"])


def test_lips_are_redder_and_brows_lie_above_the_eyes(anatomy: Anatomy) -> None:
    head = anatomy.head
    subject = draw_subject(head, np.random.default_rng(4), PORTRAIT)
    raster = rasterise(subject.points, anatomy.triangles, subject.intrinsics, (SIZE, SIZE))
    pixels = interpolate(raster, anatomy.triangles, anatomy.fields)
    seen = surface_of(anatomy, raster, pixels, Complexion(0, 1, 0.5, 1.0, 1.0, 1, 1.0))
    place = pixels[..., :3]
    marks = landmarks_68(head, head.template.astype(np.float64), 0.0)

    away = [np.linalg.norm(place[..., :2] - point[:2], axis=2) for point in (marks[31], marks[35])]
    shown = raster.triangle >= 0
    lip = shown & (pixels[..., LIPS] > 0.8)
    cheek = (np.abs(np.minimum(*away) - 0.025) < 0.006) & shown & (pixels[..., LIPS] < 0.01)
    cheek &= (place[..., 2] > 0.03) & (place[..., 1] < marks[30, 1])
    assert lip.sum() > 50 and cheek.sum() > 50
    redness = seen.tone[..., 0] - seen.tone[..., 1]
    assert redness[lip].mean() > redness[cheek].mean() + 0.1
    rows, columns = np.nonzero(seen.brow > 0.3)
    assert len(rows) > 20
    height = place[rows, columns, 1]
    assert (height > marks[36:48, 1].mean()).mean() > 0.95
    assert (height < marks[17:27, 1].max() + 0.01).mean() > 0.95


def test_bare_is_bare(anatomy: Anatomy) -> None:
    subject = draw_subject(anatomy.head, np.random.default_rng(5))
    raster = rasterise(subject.points, anatomy.triangles, subject.intrinsics, (SIZE, SIZE))
    seen = surface_of(anatomy, raster, np.zeros((SIZE, SIZE, 20), np.float32), BARE)
    assert not seen.tone.any() and not seen.brow.any()


def test_a_sample_repeats(anatomy: Anatomy) -> None:
    one, two = (draw_sample(anatomy, np.random.default_rng(6)) for _ in range(2))
    assert (one.rgb == two.rgb).all() and (one.labels == two.labels).all()
