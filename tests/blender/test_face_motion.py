"""A performance in ARKit's terms: joints to values and back, straight ahead, recordings of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference_core.head import BUNDLED_HEAD
from n2f_blender.errors import HeadError, RecordingError
from n2f_blender.files.frames import rotation_matrices
from n2f_blender.files.take import Take, load_take
from n2f_blender.formats.arkit import COLUMN, GAZE_NAMES, NAMES
from n2f_blender.motion.face_motion import (
    Calibration,
    FaceMotion,
    Straight,
    angles_of,
    calibration,
    eyes_of_values,
    gaze_values,
    jaw_of_values,
    motion_of_take,
    rotations_of,
    scaled,
    straightened,
)
from n2f_blender.motion.livelink import Reading, Recording, read_recording, write_recording
from n2f_blender.motion.recordings import motion_of_recording, recording_of

from .reference import random_take
from .synthetic_head import write_synthetic_head

SCALE = Calibration(0.36, 0.11, *np.radians([15.0, 20.0, 22.0, 22.0]))
ANGLES = st.floats(-1.4, 1.4)
QUICK = settings(max_examples=50, deadline=None)


def a_take(tmp_path: Path, frames: int = 40, seed: int = 1) -> Take:
    head = write_synthetic_head(tmp_path / "egg.npz")
    path = tmp_path / "take.npz"
    np.savez(path, **random_take(head, seed, frames))
    return load_take(path)


def a_motion(frames: int = 60, seed: int = 0) -> FaceMotion:
    """Everything within 0..1, no torsion in the eyes: what a recording can hold."""
    random = np.random.default_rng(seed)
    values = random.uniform(0, 1, (frames, 52))
    for first, second in [("jawLeft", "jawRight")] + [
        (f"eyeLook{one}{side}", f"eyeLook{other}{side}")
        for one, other in (("In", "Out"), ("Up", "Down"))
        for side in ("Left", "Right")
    ]:
        either = random.random(frames) < 0.5
        values[either, COLUMN[first]] = 0.0
        values[~either, COLUMN[second]] = 0.0
    return FaceMotion(
        name="noise",
        fps=25.0,
        frames=np.arange(frames),
        seconds=np.arange(frames) / 25.0,
        scenes=np.zeros(frames, np.int64),
        values=values,
        present=np.ones(52, np.bool_),
        head=rotations_of(random.normal(0, 0.3, (frames, 3))),
        jaw=jaw_of_values(values, SCALE),
        eyes=eyes_of_values(values, SCALE),
    )


@QUICK
@given(arrays(np.float64, (4, 3), elements=ANGLES))
def test_angles_and_rotations_are_each_others_inverse(angles: np.ndarray) -> None:
    assert np.abs(angles_of(rotations_of(angles)) - angles).max() < 1e-7
    turned = rotations_of(angles)
    assert np.allclose(turned @ np.swapaxes(turned, -1, -2), np.eye(3), atol=1e-12)


def test_the_signs_of_the_angles() -> None:
    def facing(yaw: float, pitch: float, roll: float) -> np.ndarray:
        return rotations_of(np.array([yaw, pitch, roll]))

    out, up = np.array([0, 0, 1.0]), np.array([0, 1.0, 0])
    assert (facing(0.3, 0, 0) @ out)[0] > 0.2, "yaw turns to the subject's left, +X"
    assert (facing(0, 0.3, 0) @ out)[1] < -0.2, "pitch turns down"
    assert (facing(0, 0, 0.3) @ [1.0, 0, 0])[1] > 0.2, "roll raises the subject's left"
    assert (facing(0, 0, 0.3) @ up)[0] < -0.2


@QUICK
@given(arrays(np.float64, (3, 3), elements=st.floats(-1.5, 1.5)), st.floats(0, 1.5))
def test_strength_scales_the_angle_and_keeps_the_axis(vectors: np.ndarray, strength: float) -> None:
    assert np.abs(scaled(rotation_matrices(vectors), strength) - rotation_matrices(strength * vectors)).max() < 1e-6


@QUICK
@given(arrays(np.float64, (5, 2, 2), elements=st.floats(-0.7, 0.7)))
def test_gaze_becomes_values_and_gaze_again(angles: np.ndarray) -> None:
    eyes = rotations_of(np.concatenate([angles, np.zeros((5, 2, 1))], axis=-1))
    values = np.zeros((5, 52))
    for name, column in gaze_values(eyes, SCALE).items():
        values[:, COLUMN[name]] = column
    assert values.min() >= 0
    assert np.abs(eyes_of_values(values, SCALE) - eyes).max() < 1e-9


def test_a_take_in_arkits_terms(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    motion = motion_of_take(take, SCALE)
    rows = np.flatnonzero(take.valid)
    assert motion.absent == ()
    assert np.array_equal(motion.frames, take.frame_index[rows])
    assert np.allclose(motion.seconds, take.timestamp[rows])
    for name in ("browInnerUp", "mouthSmileLeft", "tongueOut", "jawForward"):
        assert np.array_equal(
            motion.values[:, COLUMN[name]], take.expression[rows, take.meta.expression_names.index(name)]
        )
    assert np.array_equal(motion.values[:, COLUMN["eyeBlinkRight"]], take.eyelids[rows, 1])
    assert np.allclose(motion.values[:, COLUMN["jawOpen"]], np.maximum(take.jaw[rows, 0], 0) / 0.36)
    assert np.allclose(motion.values[:, COLUMN["jawRight"]], np.maximum(-take.jaw[rows, 1], 0) / 0.11)
    both = motion.values[:, [COLUMN["jawLeft"], COLUMN["jawRight"]]]
    assert both.min(axis=1).max() == 0
    left = motion.values[:, COLUMN["eyeLookOutLeft"]] - motion.values[:, COLUMN["eyeLookInLeft"]]
    assert np.corrcoef(left, take.eyes[rows, 0, 1])[0, 1] > 0.95, "out is to the subject's left for the left eye"
    down = motion.values[:, COLUMN["eyeLookDownRight"]] - motion.values[:, COLUMN["eyeLookUpRight"]]
    assert np.corrcoef(down, take.eyes[rows, 1, 0])[0, 1] > 0.95


def test_straight_ahead(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    motion = motion_of_take(take, SCALE)
    assert straightened(motion, Straight.CAMERA) is motion.head
    assert np.allclose(straightened(motion, Straight.FIRST)[0], np.eye(3))
    third = straightened(motion, Straight.FRAME, int(motion.frames[3]))
    assert np.allclose(third[3], np.eye(3))
    assert np.allclose(third[7], motion.head[3].T @ motion.head[7])
    # A camera that stood askew changes nothing once a frame is called straight ahead.
    askew = FaceMotion(**{**vars(motion), "head": rotation_matrices([0.3, -0.2, 0.1]) @ motion.head})
    for straight in (Straight.FIRST, Straight.AVERAGE):
        assert np.allclose(straightened(askew, straight), straightened(motion, straight))
    small = a_motion(200)
    assert np.abs(angles_of(straightened(small, Straight.AVERAGE)).mean(axis=0)).max() < 0.05


def test_a_face_that_looks_into_the_camera_is_not_turned(tmp_path: Path) -> None:
    take = a_take(tmp_path, 5)
    ahead = np.tile([np.pi, 0, 0], (take.frame_count, 1))
    take = replace(take, head_rotation=ahead, neck=np.zeros_like(ahead))
    assert np.allclose(motion_of_take(take, SCALE).head, np.eye(3))
    take = replace(take, neck=np.tile([0, 0.3, 0], (take.frame_count, 1)))
    assert np.allclose(angles_of(motion_of_take(take, SCALE).head), [0.3, 0, 0])


@QUICK
@given(st.integers(0, 2**31))
def test_a_recording_holds_a_performance(seed: int) -> None:
    motion = a_motion(seed=seed)
    recording = recording_of(motion)
    again = motion_of_recording(recording, "noise", SCALE)
    for name in ("values", "head", "jaw", "eyes", "seconds"):
        assert np.abs(getattr(again, name) - getattr(motion, name)).max() < 1e-6, name
    assert again.fps == 25.0


def test_through_a_file_and_back(tmp_path: Path) -> None:
    motion = a_motion(120)
    write_recording(tmp_path / "take.csv", recording_of(motion))
    again = motion_of_recording(read_recording(tmp_path / "take.csv"), "take", SCALE)
    assert np.abs(again.head - motion.head).max() < 1e-9
    assert np.abs(again.eyes - motion.eyes).max() < 1e-6
    assert np.abs(again.jaw - motion.jaw).max() < 1e-9


def test_frames_without_a_face_are_bridged_and_a_range_is_cut_out(tmp_path: Path) -> None:
    take = a_take(tmp_path, 40)
    motion = motion_of_take(take, SCALE)
    recording = recording_of(motion, first=10, last=30)
    assert recording.frames.tolist() == list(range(10, 31))
    assert not take.valid[20]
    column = recording.values[:, COLUMN["mouthFunnel"]]
    assert column[10] == pytest.approx((column[9] + column[11]) / 2)
    assert recording.values.min() >= 0
    assert recording.values.max() <= 1
    with pytest.raises(RecordingError, match="no face in the frames 100 to 120"):
        recording_of(motion, first=100, last=120)


@pytest.mark.parametrize("swapped", [False, True])
def test_how_far_a_full_look_goes_is_read_from_the_recording(swapped: bool) -> None:
    """The app's: 0.606 rad a unit, and its eye angles on the other side than its eyeLook columns."""
    app = Calibration(0.36, 0.11, 0.606, 0.606, 0.606, 0.606)
    steps = np.linspace(-0.4, 0.4, 80)
    angles = np.stack(
        [np.stack([steps + offset, 0.3 * np.sin(9 * steps), 0 * steps], 1) for offset in (-0.03, 0.03)], 1
    )
    values = np.zeros((80, 52))
    for name, column in gaze_values(rotations_of(angles), app).items():
        values[:, COLUMN[name]] = column
    seen = angles[:, ::-1] * [-1, 1, -1] if swapped else angles
    recording = Recording(30.0, np.arange(80), values, np.ones(52, np.bool_), np.zeros((80, 3)), seen)
    motion = motion_of_recording(recording, "app", SCALE)
    assert np.abs(angles_of(motion.eyes) - angles).max() < 0.01
    still = Recording(30.0, np.arange(80), values, np.ones(52, np.bool_), np.zeros((80, 3)), 0 * seen)
    assert np.allclose(
        angles_of(motion_of_recording(still, "app", SCALE).eyes)[:, :, 0], angles[:, :, 0] * np.radians(22) / 0.606
    )


def test_a_recording_with_eye_angles_only(tmp_path: Path) -> None:
    motion = a_motion()
    write_recording(tmp_path / "take.csv", recording_of(motion))
    lines = [line.split(",") for line in (tmp_path / "take.csv").read_text().splitlines()]
    keep = [place for place, title in enumerate(lines[0]) if "EyeLook" not in title]
    (tmp_path / "less.csv").write_text("\n".join(",".join(line[place] for place in keep) for line in lines))
    recording = read_recording(tmp_path / "less.csv", Reading())
    assert not recording.present[[COLUMN[name] for name in GAZE_NAMES]].any()
    again = motion_of_recording(recording, "less", SCALE)
    assert np.abs(again.values - motion.values).max() < 1e-6
    assert again.absent == ()


def test_the_open_heads_calibration(tmp_path: Path) -> None:
    if BUNDLED_HEAD.is_file():
        with np.load(BUNDLED_HEAD) as file:
            meta = json.loads(str(file["meta"]))
        scale = calibration(BUNDLED_HEAD)
        assert scale.jaw_open == meta["jaw_open_radians"]
        assert np.degrees(scale.look_down) == pytest.approx(meta["eye_look_degrees"]["Down"])
    assert calibration(write_synthetic_head(tmp_path / "egg.npz")).jaw_open == pytest.approx(0.36, abs=0.01)
    with pytest.raises(HeadError):
        calibration(tmp_path / "nothing.npz")
    assert len(NAMES) == 52
