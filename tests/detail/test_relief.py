"""Relief that is known is found again: from slopes, from normals, from brightness; and what is no relief gives none."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.detail.evidence import Evidence
from inference_core.detail.files import write_detail
from inference_core.detail.form import form_slopes, slopes
from inference_core.detail.ground import Ground, ground_of
from inference_core.detail.heights import heights_of
from inference_core.detail.lines import line_heights, lines_of
from inference_core.detail.pictures import RANGE
from inference_core.detail.relief import Layer, Relief
from inference_core.formats.json_values import BadRequest
from inference_core.formats.options import ReconstructOptions
from inference_core.head import Head, load_head
from inference_core.look.atlas import atlas_of
from inference_core.look.light import Light
from inference_core.look.study import Study
from inference_core.reconstruct.files import write_files
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstructor
from inference_core.take.take import load_take
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.pool import sample_rng
from inference_core.training.extractor.sample import draw_sample

SIZE = 512
Picture = NDArray[np.float32]


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def ground(head: Head) -> Ground:
    return ground_of(atlas_of(head, SIZE), head.template.astype(np.float64))


def alike(one: Picture, other: Picture, where: NDArray[np.bool_]) -> float:
    return float(np.corrcoef(one[where], other[where])[0, 1])


def furrows(ground: Ground, width: float, depth: float) -> Picture:
    """(H, W) mm: a grid of level furrows on the forehead, `width` mm sigma, every 12 mm."""
    row, column = np.mgrid[: ground.inside.shape[0], : ground.inside.shape[1]] * ground.typical
    middle = ground.inside.shape[1] * ground.typical / 2
    along = np.exp(-0.5 * ((column - middle) / 25) ** 2)
    waves = sum(np.exp(-0.5 * ((row - place) / width) ** 2) for place in (25.0, 37.0, 49.0))
    return np.asarray(-depth * waves * along, np.float32)


def normals_over(ground: Ground, heights: Picture) -> Picture:
    """(H, W, 3): of the surface that stands `heights` over the mesh."""
    down, across = np.gradient(heights)
    dual_x, dual_y = ground.inverse
    turned = ground.normal - across[..., None] * dual_x - down[..., None] * dual_y
    return np.asarray(turned / np.maximum(np.linalg.norm(turned, axis=2, keepdims=True), 1e-6), np.float32)


def test_slopes_of_a_known_relief_give_it_back() -> None:
    row, column = np.mgrid[:201, :150].astype(np.float32)
    known = np.sin(column / 9) * np.cos(row / 14)
    down, across = np.gradient(known)
    ones = np.ones_like(known)
    found = heights_of(across, down, ones, np.full_like(known, (2 * np.pi / 2000) ** 2))
    assert alike(found, known, ones > 0) > 0.995
    assert np.std(found) == pytest.approx(np.std(known), rel=0.05)


def test_waves_longer_than_the_longest_are_left_out() -> None:
    column = np.tile(np.arange(400, dtype=np.float32), (100, 1))
    ones = np.ones_like(column)

    def share(wave: float) -> float:
        known = np.sin(2 * np.pi * column / wave)
        found = heights_of(np.gradient(known, axis=1), 0 * known, ones, np.full_like(known, (2 * np.pi / 50) ** 2))
        return float(np.std(found[:, 100:-100]) / np.std(known[:, 100:-100]))

    assert share(16) > 0.85 > 0.6 > share(50) > 0.4 > 0.1 > share(200)


def test_normals_of_a_known_relief_give_its_slopes(ground: Ground) -> None:
    known = furrows(ground, 2.0, 0.4)
    found = slopes(ground, normals_over(ground, known))
    down, across = np.gradient(known)
    sure = cv2.erode(ground.inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert np.abs(found[..., 1] - down)[sure].max() < 0.02 * np.abs(down).max()
    assert np.abs(found[..., 0] - across)[sure].max() < 0.02 * np.abs(down).max()


def test_normals_that_are_the_meshes_own_say_nothing(ground: Ground) -> None:
    difference, trust = form_slopes(ground, ground.normal, np.zeros(ground.inside.shape, np.float32), 0.05)
    assert np.abs(difference).max() < 1e-3
    assert 0.0 <= trust.min() <= trust.max() <= 1.0


def seen_as(ground: Ground, head: Head, bright: Picture, light: Light) -> Evidence:
    sitter = SimpleNamespace(vertices=head.template.astype(np.float64))
    study = cast(Study, SimpleNamespace(light=light, sitter=sitter))
    shown = ground.inside.astype(np.float32)
    bright = np.repeat(bright[..., None], 3, axis=2)
    return Evidence(ground, study, np.zeros((len(ground.part.texels), 2), np.float32), bright, shown, 0.5)


def heights_seen(evidence: Evidence) -> Picture:
    return line_heights(evidence, lines_of(evidence, evidence.shown))


@pytest.fixture(scope="module")
def even() -> Light:
    coefficients = np.zeros((9, 3))
    coefficients[0] = 1 / 0.282095
    return Light(coefficients)


def test_furrows_are_seen_by_their_darkness(ground: Ground, head: Head, even: Light) -> None:
    known = furrows(ground, 1.2, 0.4)
    rng = np.random.default_rng(1)
    bright = known / 2.4 + 0.01 * rng.standard_normal(known.shape).astype(np.float32)
    found = heights_seen(seen_as(ground, head, bright, even))
    assert alike(found, known, known < -0.04) > 0.8
    assert found.min() < -0.1


def test_stubble_moles_and_grain_are_no_relief(ground: Ground, head: Head, even: Light) -> None:
    rng = np.random.default_rng(2)
    shape = ground.inside.shape
    spots = (rng.random(shape) < 0.03).astype(np.float32)
    stubble = -0.35 * cv2.GaussianBlur(spots, (0, 0), 0.8) / cv2.GaussianBlur(spots, (0, 0), 0.8).max()
    mole = np.zeros(shape, np.float32)
    cv2.circle(mole, (shape[1] // 3, 2 * shape[0] // 3), 5, -0.5, -1)
    lined = heights_seen(seen_as(ground, head, furrows(ground, 1.2, 0.4) / 2.4, even))
    for dark in (stubble, cv2.GaussianBlur(mole, (0, 0), 1.0), 0.05 * rng.standard_normal(shape).astype(np.float32)):
        found = heights_seen(seen_as(ground, head, dark, even))
        inner = cv2.erode(ground.inside.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
        assert np.abs(found[inner]).mean() < 0.1 * np.abs(lined[lined < -0.05]).mean()


def test_light_from_one_side_does_not_move_a_furrow(ground: Ground, head: Head, even: Light) -> None:
    """The wall that turns away is dark, the other bright: the furrow lies between them."""
    aside = Light(even.coefficients + np.outer(np.eye(9)[1], [0.9] * 3))  # from above
    known = furrows(ground, 1.2, 0.3)
    lit = normals_over(ground, known)
    change = 0.9 * 0.488603 * (lit[..., 1] - ground.normal[..., 1]) / (1 + 0.9 * 0.488603 * ground.normal[..., 1])
    found = heights_seen(seen_as(ground, head, (known / 2.4 + change).astype(np.float32), aside))
    assert alike(found, known, known < -0.03) > 0.75


def test_files_hold_what_was_found(head: Head, ground: Ground, tmp_path: Path) -> None:
    heights = ground.whole(furrows(ground, 2.0, 0.4))
    down, across = np.gradient(heights)
    layer = Layer(heights, np.stack([across, -down], axis=2))
    relief = Relief(layer, None, np.ones_like(heights), 0.7, 0.1)
    write_detail(tmp_path, head, relief)
    facts = json.loads((tmp_path / "detail.json").read_text(encoding="utf-8"))
    assert (facts["head_sha256"], facts["kind"], facts["size"]) == (head.sha256, "static", SIZE)
    stored = cv2.imread(str(tmp_path / facts["displacement"]), cv2.IMREAD_UNCHANGED)
    assert np.abs((stored.astype(float) - 32768) / 32767 * RANGE - heights).max() < 2e-4
    normal = cv2.imread(str(tmp_path / facts["normal"]), cv2.IMREAD_UNCHANGED)[..., ::-1] / 32767.5 - 1
    assert np.abs(np.linalg.norm(normal, axis=2) - 1).max() < 1e-3
    # Above a furrow the surface falls towards it: its normal leans down, and -Y is down the picture.
    row, column = np.unravel_index(np.argmax(down < -0.03), down.shape)
    assert normal[row, column, 1] < 0


def test_the_choice_is_checked() -> None:
    assert ReconstructOptions().detail == "none", "it costs nothing unless it is asked for"
    assert ReconstructOptions.read({"detail": "moving"}).detail == "moving"
    with pytest.raises(BadRequest, match="no detail 'much'"):
        ReconstructOptions.read({"detail": "much"})


def test_a_photo_leaves_detail_beside_its_take(tmp_path: Path) -> None:
    """A rendered face through the product: what is written fits the head, and the take names it."""
    picture = tmp_path / "face.png"
    sample = draw_sample(build_anatomy(load_head()), sample_rng(7, 3))
    cv2.imwrite(str(picture), cv2.resize(sample.rgb, None, fx=2, fy=2)[..., ::-1])
    reconstructor = Reconstructor(Models.load())
    options = ReconstructOptions(look="none", hair="none", detail="moving")
    photo, faces, _, _ = reconstructor.faces_of(picture, options)
    made = reconstructor.finished(reconstructor.reconstruct(photo, faces[0][1], options), options)
    assert made.detail is not None, made.warnings
    assert made.detail.moving is not None
    assert 0.1 < made.detail.seen <= 1.0
    heights = made.detail.static.heights[made.detail.confidence > 0.5]
    assert 0.0 < np.abs(heights).mean() < 1.0, "mm"
    files, _ = write_files(tmp_path / "out", reconstructor.models, made)
    assert files.detail is not None
    facts = json.loads(files.detail.read_text(encoding="utf-8"))
    assert facts["kind"] == "moving"
    for region in facts["moving"]["regions"]:
        assert (files.detail.parent / region["mask"]).is_file()
    assert load_take(files.take).meta.detail == files.detail.name
