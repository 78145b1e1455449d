"""The tests' own forward pass is the core's, and the synthetic head is a head to both sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference_core.head import BUNDLED_HEAD, Camera, HeadParameters, load_head, pose_head
from inference_core.take import load_take
from n2f_blender.files import head as blender_head
from n2f_blender.files import take as blender_take
from tests.blender.reference import as_floats, forward, project, random_take, read_head
from tests.blender.synthetic_head import write_synthetic_head


@pytest.fixture(params=["egg", "open_head"])
def head_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "egg":
        return write_synthetic_head(tmp_path / "egg.npz")
    if not BUNDLED_HEAD.is_file():
        pytest.skip("the Open Head is not built")
    return BUNDLED_HEAD


@pytest.mark.parametrize("seed", range(3))
def test_reference_is_the_core(head_path: Path, seed: int) -> None:
    take = as_floats(random_take(head_path, seed))
    head = load_head(head_path)
    names = ("shape", "expression", "neck", "jaw", "eyes", "eyelids")
    values = {name: take[name] if name == "shape" else take[name][0] for name in names}
    values["shape"] = np.pad(values["shape"], (0, head.shape_count - len(values["shape"])))
    vertices = pose_head(head, HeadParameters(**values))
    expected = forward(read_head(head_path), take)
    assert 1000 * np.abs(vertices - expected).max() < 1e-3  # mm; the core's linear part is float32
    camera = Camera(take["head_rotation"][0], take["head_translation"][0], take["intrinsics"])
    assert np.abs(camera.project(expected) - project(take, expected)).max() < 1e-6


def test_both_sides_read_the_same_take(head_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "take.npz"
    np.savez(path, **random_take(head_path, 4, frames=3))
    core, blender = load_take(path), blender_take.load_take(path)
    for name in ("shape", "expression", "jaw", "eyes", "eyelids", "head_rotation", "intrinsics", "valid"):
        assert np.array_equal(getattr(core, name), getattr(blender, name).astype(getattr(core, name).dtype))
    assert blender.meta.head_sha256 == load_head(head_path).sha256 == blender_head.load_head(head_path).sha256
