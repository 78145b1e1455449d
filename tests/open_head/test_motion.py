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
STRENGTHS = (0.5, 1.0)
MOUTH_CORNERS = [432, 2650]
JOINED = 0.005  # m around them


def _from_corners(template: npt.NDArray[np.floating]) -> Floats:
    """(V,) m to the nearer corner of the mouth."""
    return np.asarray(np.linalg.norm(template[:, None] - template[MOUTH_CORNERS], axis=2).min(axis=1))


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
    visible = np.delete(rings[OUTER_RING:], [0, 14], axis=1)
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
    for ring in (MARGIN_RING, OUTER_RING):
        upper, lower = rings[ring, 1:14], rings[ring, :14:-1]
        assert np.linalg.norm(closed[upper] - closed[lower], axis=1).max() < 0.0001
    opened = head.template
    assert np.linalg.norm(opened[upper] - opened[lower], axis=1).max() > 0.007


def test_each_lid_moves_its_own_eye_only(head: Head) -> None:
    seen = head.region("skin") & ~head.region("hidden")
    moved = (np.linalg.norm(head.eyelid_dirs, axis=1) > 0.0005) & seen[:, None]
    assert (head.template[moved[:, 0], 0] > 0).all()
    assert (head.template[moved[:, 1], 0] < 0).all()


def test_jaw_joint_reproduces_the_scanned_jaw(head: Head, mirror: npt.NDArray[np.int64]) -> None:
    from open_head.scans import read_scans

    scans, facts, neutral = read_scans(), _meta(), HeadParameters.neutral(head)

    def moved(jaw: list[float]) -> Floats:
        return np.asarray(pose_head(head, replace(neutral, jaw=np.array(jaw))) - head.template)

    def scanned(name: str, twin: str) -> Floats:
        return np.asarray(0.5 * (scans.expression(name) + scans.expression(twin)[mirror] * [-1.0, 1.0, 1.0]))

    seen = head.region("face") & ~head.region("hidden") & ~head.region("inner_mouth") & ~head.region("lips")
    seen &= _from_corners(head.template) > JOINED  # there the lips' motions run into one
    opened = moved([facts["jaw_open_radians"], 0, 0]) - scanned("jawOpen", "jawOpen")
    assert np.linalg.norm(opened, axis=1)[seen].max() < 5e-5
    # Both sides thrust the jaw forward a little; the joint keeps what differs between them.
    side = facts["jaw_side_radians"]
    sideways = 0.5 * (moved([0, side, 0]) - moved([0, -side, 0]))
    wanted = 0.5 * (scanned("jawLeft", "jawRight") - scanned("jawRight", "jawLeft"))
    assert np.linalg.norm(sideways - wanted, axis=1)[seen].max() < 5e-4


def _lip_lines() -> list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
    """Upper and lower vertices of the loops that touch in a closed mouth, by the build's own topology."""
    source_module = pytest.importorskip("open_head.source")
    from open_head.cut import cut_head
    from open_head.lips import CONTACT, mouth_loop
    from open_head.sculpted import sculpted_mesh

    try:
        source = source_module.read_source()
    except source_module.SourceMissing as error:
        pytest.skip(str(error))
    cut = cut_head(source)
    return [mouth_loop(sculpted_mesh(source, cut), cut, start) for start in CONTACT]


def test_lips_do_not_cross(head: Head) -> None:
    lines = _lip_lines()
    names = [name for name in head.expression_names if name not in ("mouthClose", "tongueOut")]
    for name in names:
        for strength in STRENGTHS:
            moved = head.template + strength * head.expression_dirs[:, :, head.expression_names.index(name)]
            for upper, lower in lines:
                line = lower[np.argsort(moved[lower, 0])]
                gap = moved[upper, 1] - np.interp(moved[upper, 0], moved[line, 0], moved[line, 1])
                assert gap.min() > -0.0006, (name, strength)


def test_lips_do_not_tear_at_their_corners(head: Head) -> None:
    """Neighbours at the mouth's corners move alike: the lips' motions run into each other."""
    assert head.arkit_dirs is not None
    names = (*head.expression_names, *head.arkit_names)
    shapes = np.concatenate([head.expression_dirs, head.arkit_dirs], axis=2)
    skin = head.triangles[head.region("skin")[head.triangles].all(axis=1)]
    near = skin[_from_corners(head.template)[skin].min(axis=1) < JOINED]
    edges = np.linalg.norm(np.diff(head.template[near], axis=1), axis=2)
    stretch = np.linalg.norm(np.diff(shapes[near], axis=1), axis=2) / np.maximum(edges, 5e-4)[..., None]
    worst = dict(zip(names, stretch.max(axis=(0, 1)).tolist(), strict=True))
    assert len(near) > 100 and max(worst.values()) < 5.0, max(worst.items(), key=lambda item: item[1])


def test_lower_lip_stays_round_at_thirty_degrees(head: Head) -> None:
    opened = pose_head(head, replace(HeadParameters.neutral(head), jaw=np.array([np.radians(30.0), 0.0, 0.0])))
    _, lower = _lip_lines()[0]
    line = opened[lower][np.argsort(opened[lower, 0])][:, :2]
    step = np.diff(line, axis=0)
    turn = np.diff(np.unwrap(np.arctan2(step[:, 1], step[:, 0])))[1:-1]  # without the corners of the mouth
    assert turn.sum() > 1.5  # it hangs in an arc,
    assert turn[3:-3].max() < 0.2 * turn.sum()  # not in a corner


def test_nothing_but_the_jaw_moves_teeth(head: Head) -> None:
    teeth = head.expression_dirs[head.region("teeth")]
    still = [index for index, name in enumerate(head.expression_names) if name != "jawForward"]
    assert np.abs(teeth[:, :, still]).max() == 0
    forward = teeth[:, :, head.expression_names.index("jawForward")]
    assert len(np.unique(forward, axis=0)) == 2  # the upper ones stay, the lower ones shift as a whole


def test_sides_mirror(head: Head, mirror: npt.NDArray[np.int64]) -> None:
    for index, name in enumerate(head.expression_names):
        other = name
        for one, two in (("Left", "Right"), ("Right", "Left")):
            if name.endswith(one):
                other = name.removesuffix(one) + two
        twin = head.expression_dirs[:, :, head.expression_names.index(other)][mirror] * [-1.0, 1.0, 1.0]
        assert np.abs(head.expression_dirs[:, :, index] - twin).max() < 2e-6, name


def test_combined_shapes_are_what_the_joints_do(head: Head) -> None:
    assert head.arkit_dirs is not None
    assert len({*head.expression_names, *head.arkit_names, "eyeBlinkLeft", "eyeBlinkRight"}) == 52
    neutral, facts = HeadParameters.neutral(head), _meta()
    jaw = pose_head(head, replace(neutral, jaw=np.array([facts["jaw_open_radians"], 0.0, 0.0])))
    shape = head.arkit_dirs[:, :, head.arkit_names.index("jawOpen")]
    assert np.abs(jaw - head.template - shape).max() < 3e-5  # stored in half precision
    down = np.radians(float(facts["eye_look_degrees"]["Down"]))  # type: ignore[index]
    look = pose_head(head, replace(neutral, eyes=np.array([[down, 0.0, 0.0], [0.0, 0.0, 0.0]])))
    shape = head.arkit_dirs[:, :, head.arkit_names.index("eyeLookDownLeft")]
    assert np.abs(look - head.template - shape).max() < 3e-5


@pytest.mark.parametrize("gaze", [(-0.43, 0.0), (0.26, 0.0), (0.52, 0.0), (0.0, 0.52), (0.0, -0.52)])
def test_lids_follow_the_gaze_outside_the_ball(
    head: Head, rings: npt.NDArray[np.int32], gaze: tuple[float, float]
) -> None:
    eyes = np.array([[*gaze, 0.0]] * 2)
    posed = pose_head(head, replace(HeadParameters.neutral(head), eyes=eyes))
    visible = np.delete(rings[OUTER_RING:], [0, 14], axis=1)
    away = np.linalg.norm(posed[visible] - head.joint_template[3], axis=-1) - _meta()["eyeball_radius_m"]
    assert away.min() > 0.0


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

    def gap(parameters: HeadParameters) -> Floats:  # heights: the lips' landmarks lie before and behind the line
        points = (pose_head(head, parameters)[corner] * weight[..., None]).sum(axis=1)
        return np.asarray(np.abs(points[[44, 45, 46], 1] - points[[50, 49, 48], 1]))  # iBUG 61..63 and 67..65

    assert gap(neutral).max() < 0.003
    assert gap(replace(neutral, jaw=jaw)).min() > 0.015
    assert gap(replace(neutral, jaw=jaw, expression=expression)).max() < 0.003


def test_upper_lid_follows_the_gaze(head: Head, rings: npt.NDArray[np.int32]) -> None:
    neutral = HeadParameters.neutral(head)
    margin = rings[OUTER_RING, 4:11]
    for pitch, least in ((-0.3, 0.35), (0.3, 0.8)):  # up, down: no white shows above the iris
        gaze = np.array([[pitch, 0.0, 0.0]] * 2)
        lift = (pose_head(head, replace(neutral, eyes=gaze)) - head.template)[margin, 1]
        share = -lift.mean() / (_meta()["eyeball_radius_m"] * np.sin(pitch))
        assert least < share < 1.2


def test_neck_turns_the_head_and_leaves_the_cut(head: Head) -> None:
    neutral = HeadParameters.neutral(head)
    posed = pose_head(head, replace(neutral, neck=np.array([0.2, 0.4, 0.1])))
    cut = head.skin_weights[:, 0] == 1
    assert cut.sum() >= 42
    assert np.abs(posed[cut] - head.template[cut]).max() < 1e-7
    skull = head.region("scalp") & (head.template[:, 1] > 0)
    assert (head.skin_weights[skull, 1] > 0.999).all()
