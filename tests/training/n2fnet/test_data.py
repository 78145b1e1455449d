"""The stream of training data: drawn within its bounds, the same for the same seed, spoiled but never void."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from inference_core.head import Camera, Head, HeadParameters, pose_head
from inference_core.head.rotations import vector_from_matrix
from inference_core.n2fnet.placement import translation_from_placement
from inference_core.training.n2fnet.config import Config, HeadSpace, config_from_dict
from inference_core.training.n2fnet.crop import CROP_SIZE, crop_intrinsics, landmark_batch
from inference_core.training.n2fnet.draw import draw_expressions, draw_heads, mirrored_pairs
from inference_core.training.n2fnet.estimated import load_chunks, save_chunk
from inference_core.training.n2fnet.render import NormalRenderer
from inference_core.training.n2fnet.stream import make_chunk


def test_same_seed_same_chunk(head: Head) -> None:
    config = Config()
    renderer = NormalRenderer(head, 64)
    first, again, other = (make_chunk(head, renderer, config.space, config.corruption, (1, k), 3) for k in (0, 0, 1))
    assert np.array_equal(first.normals, again.normals)
    assert np.array_equal(first.shape, again.shape)
    assert not np.array_equal(first.shape, other.shape)


def test_draws_stay_within_what_a_face_can_do(head: Head) -> None:
    space = HeadSpace()
    drawn = draw_heads(np.random.default_rng(0), head, 500, space)
    p = drawn.parameters
    assert p.expression.min() >= 0 and p.expression.max() <= 1
    assert p.eyelids.min() >= 0 and p.eyelids.max() <= 1
    assert p.jaw[:, 0].min() >= 0 and np.degrees(p.jaw[:, 0].max()) <= space.jaw_open_limit_degrees
    assert p.shape.std() == pytest.approx(space.shape_sigma, rel=0.02)
    assert np.allclose(drawn.rotation @ drawn.rotation.swapaxes(1, 2), np.eye(3))
    assert (drawn.rotation[:, 2, 2] < 0).all()  # every face is turned towards the camera


def test_left_and_right_are_alike_more_often_than_not() -> None:
    names = ("jawForward", "mouthSmileLeft", "mouthSmileRight", "browDownLeft", "browDownRight")
    assert sorted(len(group) for group in mirrored_pairs(names)) == [1, 2, 2]
    weights, _ = draw_expressions(np.random.default_rng(0), names, 4000, HeadSpace())
    assert np.corrcoef(weights[:, 3], weights[:, 4])[0, 1] > 0.4
    lonely = (weights[:, 3] > 0.3) & (weights[:, 4] < 0.05)
    other = (weights[:, 4] > 0.3) & (weights[:, 3] < 0.05)
    assert lonely.sum() > 20 and other.sum() > 20


def test_normals_face_the_camera_and_agree_with_the_truth(head: Head) -> None:
    """A clean map is unit length on the face, 0 elsewhere, and its placement leads back to the camera."""
    chunk = make_chunk(head, NormalRenderer(head, 128), HeadSpace(), None, (2, 0), 4, exact_crop=True)
    normals = chunk.normals.astype(np.float32)
    length = np.linalg.norm(normals, axis=1)
    covered = length > 0
    assert np.abs(length[covered] - 1).max() < 2e-3
    assert 0.1 < covered.mean() < 0.8
    assert (normals[:, 2].sum(axis=(1, 2)) > 0).all()
    place = translation_from_placement(chunk.rotation, chunk.placement, chunk.intrinsics)
    assert (place[:, 2] > 0.2).all()


def test_rendered_normal_at_the_nose_tip_is_the_meshes(head: Head) -> None:
    """A head that looks straight into the camera shows its own normals, unturned: +X right, +Y up, +Z to the camera."""
    vertices = pose_head(head, HeadParameters.neutral(head, (1,)))
    rotation, translation = np.diag([1.0, -1.0, -1.0])[None], np.array([0.0, 0.0, 3.0])
    landmarks = landmark_batch(head, vertices, rotation)
    intrinsics = crop_intrinsics(np.random.default_rng(0), landmarks @ rotation[0].T + translation, HeadSpace(), True)
    camera = Camera(vector_from_matrix(rotation[0]), translation, intrinsics[0])
    view = NormalRenderer(head, 256).render(camera.to_camera(vertices[0]), intrinsics[0])
    left, right = (camera.project(landmarks[0, k]).astype(int) for k in (3, 13))  # jaw, image left and right
    inward = 14
    assert view.normals[left[1], left[0] + inward, 0] < -0.3
    assert view.normals[right[1], right[0] - inward, 0] > 0.3
    nose = camera.project(landmarks[0, 30]).astype(int)
    assert view.normals[nose[1], nose[0], 2] > 0.7
    assert view.face[nose[1], nose[0]]
    eye = camera.project(landmarks[0, 36:42].mean(axis=0)).astype(int)
    assert not view.face[eye[1], eye[0]]  # eyeballs are not facial skin


def test_spoiled_maps_keep_enough_of_the_face(head: Head) -> None:
    config = Config()
    renderer = NormalRenderer(head, 64)
    clean = make_chunk(head, renderer, config.space, None, (5, 0), 24)
    spoiled = make_chunk(head, renderer, config.space, config.corruption, (5, 0), 24)
    before = (clean.normals != 0).any(axis=1).sum(axis=(1, 2))
    after = (spoiled.normals != 0).any(axis=1).sum(axis=(1, 2))
    assert (after > 0.2 * before).all()
    assert np.isfinite(spoiled.normals).all()
    assert np.abs(spoiled.normals.astype(np.float32) - clean.normals.astype(np.float32)).mean() > 0.005


def test_crop_holds_the_landmarks(head: Head) -> None:
    drawn = draw_heads(np.random.default_rng(1), head, 8, HeadSpace())
    vertices = pose_head(head, drawn.parameters)
    points = landmark_batch(head, vertices, drawn.rotation) @ drawn.rotation.swapaxes(1, 2) + drawn.translation[:, None]
    k = crop_intrinsics(np.random.default_rng(2), points, HeadSpace())
    pixels = points[..., :2] / points[..., 2:] * k[:, None, :2] + k[:, None, 2:]
    assert pixels.min() > 0 and pixels.max() < CROP_SIZE


def test_config_names_what_is_wrong() -> None:
    from inference_core.errors import BadInput

    assert config_from_dict({"schedule": {"batch": 8}}).schedule.batch == 8
    assert config_from_dict({"space": {"crop_scale": [1, 2]}}).space.crop_scale == (1.0, 2.0)
    for values, word in (({"speed": {}}, "speed"), ({"schedule": {"batch": "x"}}, "batch"), ({"losses": 3}, "losses")):
        with pytest.raises(BadInput, match=word):
            config_from_dict(values)


def test_stored_chunks_come_back(head: Head, tmp_path: Path) -> None:
    chunk = make_chunk(head, NormalRenderer(head, 64), HeadSpace(), None, (6, 0), 2)
    save_chunk(tmp_path / "chunk_00000.npz", chunk)
    (loaded,) = load_chunks(tmp_path)
    for name in ("normals", "shape", "jaw", "placement", "intrinsics"):
        assert np.array_equal(getattr(loaded, name), getattr(chunk, name)), name
