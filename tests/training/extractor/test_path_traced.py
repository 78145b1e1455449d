"""A head lit by Cycles: camera and truth are the rasteriser's, the light is not."""

from __future__ import annotations

import numpy as np
import pytest

from inference_core.training.extractor.anatomy import Anatomy
from inference_core.training.extractor.shade import BACKGROUND, FACE, SKIN_OTHER

pytest.importorskip("bpy", reason="Cycles is in Blender's module bpy")


def test_the_picture_lies_under_the_truth(anatomy: Anatomy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_IO_ENABLE_OPENEXR", "1")
    from inference_core.training.extractor import cycles_scene, path_traced

    monkeypatch.setattr(cycles_scene, "SAMPLES", 2)
    studio = path_traced.Studio()
    seen: list[np.ndarray] = []
    render = studio._scene.render
    monkeypatch.setattr(studio._scene, "render", lambda intrinsics: seen.append(render(intrinsics)) or seen[-1])
    sample = studio.draw(anatomy, np.random.default_rng(3))
    assert sample.rgb.shape == (256, 256, 3) and sample.rgb.std() > 5
    covered = seen[0][..., 3] > 0.5
    skin = (sample.labels >= FACE) & (sample.labels <= SKIN_OTHER)
    assert skin.mean() > 0.15
    assert covered[skin].mean() > 0.99  # what is labelled is where Cycles put it
    assert (~covered & (sample.labels != BACKGROUND)).sum() < 400
    length = np.linalg.norm(sample.normals, axis=2)
    np.testing.assert_allclose(length[skin], 1, atol=1e-4)
    assert (length[~skin] == 0).all()
