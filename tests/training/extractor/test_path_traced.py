"""A head lit by Cycles: camera and normals are the rasteriser's, light and classes are not."""

from __future__ import annotations

import numpy as np
import pytest

from inference_core.training.extractor.anatomy import Anatomy
from inference_core.training.extractor.shade import BACKGROUND, FACE, HAIR, SKIN_OTHER

pytest.importorskip("bpy", reason="Cycles is in Blender's module bpy")


def test_the_picture_lies_under_the_truth(anatomy: Anatomy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_IO_ENABLE_OPENEXR", "1")
    from inference_core.training.extractor import cycles_scene, path_traced

    monkeypatch.setattr(cycles_scene, "SAMPLES", 2)
    studio = path_traced.Studio()
    seen: list[np.ndarray] = []  # Cycles' pictures, before anything was put in front of them
    render = studio._scene.render
    monkeypatch.setattr(studio._scene, "render", lambda intrinsics: _kept(render(intrinsics), seen))
    sample = studio.draw(anatomy, np.random.default_rng(3))
    assert sample.rgb.shape == (256, 256, 3) and sample.rgb.std() > 5
    covered = seen[0][..., 3] > 0.5
    skin = (sample.labels >= FACE) & (sample.labels <= SKIN_OTHER)
    assert skin.mean() > 0.15
    assert covered[skin].mean() > 0.99  # what is labelled is where Cycles put it
    assert (sample.labels == HAIR).mean() > 0.02
    assert (~covered & (sample.labels != BACKGROUND)).sum() < 400
    length = np.linalg.norm(sample.normals, axis=2)
    np.testing.assert_allclose(length[skin], 1, atol=1e-4)
    assert (length[~skin] == 0).all()


def _kept(made: tuple[np.ndarray, np.ndarray], seen: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    seen.append(made[0])
    return made


def test_what_the_camera_sees_decides_the_class() -> None:
    from inference_core.training.extractor.path_traced import FACIAL_HAIR_AT, HAIR_AT, HEAD_AT, TORSO_AT, _labels

    painted = np.full((16, 16), FACE, np.uint8)
    painted[:, 12:] = BACKGROUND
    index = np.full((16, 16), HEAD_AT, np.uint8)
    index[:4] = HAIR_AT
    index[8, 8] = HAIR_AT  # a single hair is no haircut
    index[10, :] = FACIAL_HAIR_AT
    index[12:] = TORSO_AT
    alpha = np.ones((16, 16), np.float32)
    alpha[0] = 0.2
    labels = _labels(painted, index, alpha)
    assert (labels[1:4] == HAIR).all() and (labels[0] != HAIR).all()  # wisps before the background
    assert labels[8, 8] == FACE
    assert (labels[10, :12] == FACE).all() and (labels[10, 12:] == BACKGROUND).all()  # a beard over the torso
    assert (labels[12:] == BACKGROUND).all()
