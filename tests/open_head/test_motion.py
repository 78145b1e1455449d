"""Jaw, lids, lips and gaze do what the sculpts and the anatomy ask."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from inference_core.head import Head, HeadParameters, pose_head
from inference_core.head.model import BUNDLED_HEAD

Floats = npt.NDArray[np.float64]

# Rings of the left lids: the middle of the margin, and its outer edge.
MARGIN_RING, OUTER_RING = 1, 2


@pytest.fixture(scope="module")
def rings(head: Head) -> npt.NDArray[np.int32]:
    """(R,28) rings of the left lids, by the build's own topology; needs the source data."""
    source_module = pytest.importorskip("open_head.source")
    from open_head.cut import cut_head
    from open_head.lids import lid_rings

    try:
        source = source_module.read_source()
    except source_module.SourceMissing as error:
        pytest.skip(str(error))
    return np.asarray(lid_rings(head.template.astype(np.float64), cut_head(source)))


def _meta() -> dict[str, float]:
    facts: dict[str, float] = json.loads(str(np.load(BUNDLED_HEAD)["meta"]))
    return facts


def _clearance(head: Head, rings: npt.NDArray[np.int32], lid: float, vertices: Floats | None = None) -> Floats:
    rest = head.template.astype(np.float64) if vertices is None else vertices
    centre = head.joint_regressor[3].astype(np.float64) @ rest
    radius = np.linalg.norm(rest[head.region("left_eyeball")] - centre, axis=1).mean()
    moved = rest + lid * head.eyelid_dirs[:, :, 0]
    return np.asarray(np.linalg.norm(moved[rings] - centre, axis=-1) - radius)


@pytest.mark.parametrize("lid", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_visible_lid_never_cuts_the_ball(head: Head, rings: npt.NDArray[np.int32], lid: float) -> None:
    visible = np.delete(rings[MARGIN_RING:], [0, 14], axis=1)
    assert _clearance(head, visible, lid).min() > 0.0001


def test_lids_of_random_people_hardly_cut_the_ball(head: Head, rings: npt.NDArray[np.int32]) -> None:
    random = np.random.default_rng(0)
    visible = np.delete(rings[OUTER_RING:6], [0, 14], axis=1)
    depths = []
    for _ in range(30):
        rest = head.template + head.shape_dirs @ random.normal(size=head.shape_count).astype(np.float32)
        depths += [_clearance(head, visible, lid, rest.astype(np.float64)) for lid in (0.0, 0.5, 1.0)]
    assert (np.array(depths) < 0).mean() < 0.01


def test_closed_lids_meet(head: Head, rings: npt.NDArray[np.int32]) -> None:
    closed = head.template + head.eyelid_dirs[:, :, 0]
    upper, lower = rings[MARGIN_RING, 1:14], rings[MARGIN_RING, :14:-1]
    assert np.linalg.norm(closed[upper] - closed[lower], axis=1).max() < 0.0002
    opened = head.template
    assert np.linalg.norm(opened[upper] - opened[lower], axis=1).max() > 0.007


def test_each_lid_moves_its_own_eye_only(head: Head) -> None:
    seen = head.region("skin") & ~head.region("hidden")
    moved = (np.linalg.norm(head.eyelid_dirs, axis=1) > 0.0005) & seen[:, None]
    assert (head.template[moved[:, 0], 0] > 0).all()
    assert (head.template[moved[:, 1], 0] < 0).all()


def test_jaw_joint_reproduces_the_sculpted_jaw_open(head: Head) -> None:
    source_module = pytest.importorskip("open_head.source")
    from open_head.cut import cut_head
    from open_head.expressions import face_unit

    try:
        source = source_module.read_source()
    except source_module.SourceMissing as error:
        pytest.skip(str(error))
    cut = cut_head(source)
    neutral = HeadParameters.neutral(head)
    facts = _meta()

    def moved(jaw: list[float]) -> Floats:
        return np.asarray(pose_head(head, replace(neutral, jaw=np.array(jaw))) - head.template)

    skin = head.region("skin")
    open_error = np.linalg.norm(moved([facts["jaw_open_radians"], 0, 0]) - face_unit(source, cut, "jawOpen"), axis=1)
    assert open_error[skin].max() < 1e-5
    # The sculpts thrust the jaw forward on either side; the joint keeps what differs between the sides.
    side = facts["jaw_side_radians"]
    sideways = moved([0, side, 0]) - moved([0, -side, 0])
    wanted = face_unit(source, cut, "jawLeft") - face_unit(source, cut, "jawRight")
    assert np.linalg.norm(0.5 * (sideways - wanted), axis=1)[skin].max() < 6e-4


def test_teeth_are_rigid(head: Head) -> None:
    neutral = HeadParameters.neutral(head)
    posed = pose_head(head, replace(neutral, jaw=np.array([0.3, 0.05, 0.0]), neck=np.array([0.1, 0.2, 0.0])))
    for joint in (1, 2):
        teeth = np.flatnonzero(head.region("teeth") & (head.skin_weights[:, joint] == 1))
        before = np.linalg.norm(head.template[teeth][:, None] - head.template[teeth], axis=2)
        after = np.linalg.norm(posed[teeth][:, None] - posed[teeth], axis=2)
        assert np.abs(before - after).max() < 1e-6


def test_mouth_close_seals_an_open_jaw(head: Head) -> None:
    neutral = HeadParameters.neutral(head)
    expression = np.zeros(head.expression_count)
    expression[head.expression_names.index("mouthClose")] = 1.0
    jaw = np.array([_meta()["jaw_open_radians"], 0.0, 0.0])
    corner = head.triangles[head.landmark_triangles]
    weight = head.landmark_barycentric

    def gap(parameters: HeadParameters) -> Floats:
        points = (pose_head(head, parameters)[corner] * weight[..., None]).sum(axis=1)
        return np.asarray(np.linalg.norm(points[[44, 45, 46]] - points[[50, 49, 48]], axis=1))  # iBUG 61..63 and 67..65

    assert gap(neutral).max() < 0.004
    assert gap(replace(neutral, jaw=jaw)).min() > 0.015
    assert gap(replace(neutral, jaw=jaw, expression=expression)).max() < 0.004


def test_upper_lid_follows_the_gaze(head: Head, rings: npt.NDArray[np.int32]) -> None:
    neutral = HeadParameters.neutral(head)
    margin = rings[OUTER_RING, 4:11]
    for pitch in (-0.3, 0.3):  # up, down
        gaze = np.array([[pitch, 0.0, 0.0]] * 2)
        lift = (pose_head(head, replace(neutral, eyes=gaze)) - head.template)[margin, 1]
        share = -lift.mean() / (0.0158 * np.sin(pitch))
        assert 0.35 < share < 1.0


def test_neck_turns_the_head_and_leaves_the_cut(head: Head) -> None:
    neutral = HeadParameters.neutral(head)
    posed = pose_head(head, replace(neutral, neck=np.array([0.2, 0.4, 0.1])))
    cut = head.skin_weights[:, 0] == 1
    assert cut.sum() >= 42
    assert np.abs(posed[cut] - head.template[cut]).max() < 1e-7
    skull = head.region("scalp") & (head.template[:, 1] > 0)
    assert (head.skin_weights[skull, 1] > 0.999).all()
