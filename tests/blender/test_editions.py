"""Takes of the first edition: points of the head show in the same places of the picture before and after."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from n2f_blender.errors import HeadError
from n2f_blender.files.editions import FirstEdition, brought_up
from n2f_blender.files.frames import rotation_matrices
from n2f_blender.files.head import bundled_head_path, load_head
from n2f_blender.files.library import head_for_take, read_take
from n2f_blender.files.take import Take, load_take
from tests.blender.performances import performance


def old_take(folder: Path, seed: int) -> Path:
    """A performance that names the first edition, with its 300 shape values."""
    head = load_head(bundled_head_path())
    assert head.first_edition is not None
    arrays = performance(bundled_head_path(), seed, frames=6)
    meta = json.loads(str(arrays["meta"])) | {"head_sha256": head.first_edition.sha256}
    shape = np.random.default_rng(seed).normal(scale=0.5, size=head.first_edition.map.shape[1] - 1)
    path = folder / f"old_{seed}.npz"
    np.savez(path, **(arrays | {"meta": np.array(json.dumps(meta)), "shape": shape.astype(np.float32)}))
    return path


def in_camera(take: Take, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(F, N, 3) of points (F, N, 3) in head space."""
    turned = points @ rotation_matrices(take.head_rotation).transpose(0, 2, 1)
    return np.asarray(turned + take.head_translation[:, None])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_any_map_leaves_the_picture_as_it_was(seed: int) -> None:
    random = np.random.default_rng(seed)
    take = _any_take(random)
    edition = FirstEdition("old", 0.2 * random.normal(size=(4 + 6, 1 + len(take.shape))))
    new = brought_up(take, edition, "new")
    assert new.meta.head_sha256 == "new"
    assert np.allclose(new.shape, (edition.map @ [1.0, *take.shape])[:4])
    before, after = in_camera(take, take.landmarks_68_head), in_camera(new, new.landmarks_68_head)
    assert np.abs(before - after).max() < 1e-9


def _any_take(random: np.random.Generator) -> Take:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return load_take(old_take(Path(folder), int(random.integers(1000))))


def test_an_old_take_opens_with_the_head_that_is_here(tmp_path: Path) -> None:
    path = old_take(tmp_path, 3)
    old, new = load_take(path), read_take(path)
    head = head_for_take(new, {})
    assert new.meta.head_sha256 == head.sha256 != old.meta.head_sha256
    assert new.shape.shape == head.shape_dirs.shape[2:]
    assert np.abs(new.shape).max() < 4  # an ordinary person stays one
    assert np.array_equal(new.expression, old.expression)


def test_a_take_of_an_earlier_build_opens_as_it_is(tmp_path: Path) -> None:
    head = load_head(bundled_head_path())
    arrays = performance(bundled_head_path(), 2, frames=3)
    for build in (*head.earlier_builds, "0" * 64):
        meta = json.loads(str(arrays["meta"])) | {"head_sha256": build}
        np.savez(tmp_path / "take.npz", **(arrays | {"meta": np.array(json.dumps(meta))}))
        take = read_take(tmp_path / "take.npz")
        if build in head.earlier_builds:
            assert head_for_take(take, {}).sha256 == head.sha256 != build
        else:
            with pytest.raises(HeadError, match="another version"):
                head_for_take(take, {})


def test_other_takes_are_left_alone(tmp_path: Path) -> None:
    np.savez(tmp_path / "take.npz", **performance(bundled_head_path(), 1, frames=3))
    assert read_take(tmp_path / "take.npz").meta.head_sha256 == load_head(bundled_head_path()).sha256
