"""Smoothing takes noise away and leaves lines, blinks, lip closures, cuts and gaps alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.formats import local_lines, smoothing
from inference_core.formats.local_lines import Clock
from inference_core.formats.smoothing import (
    LIPS,
    UNIT,
    box_in_view,
    channel_scale,
    continuous_quaternions,
    guide_scale,
    measure_noise,
    rotation_vectors,
    smooth_channels,
    smooth_guided,
)
from inference_core.formats.take import rows_of
from inference_core.head import Camera, HeadParameters, landmarks_68, load_head, pose_head
from inference_core.head.rotations import matrix_from_vector
from inference_core.take import Smoothing, Take, TakeMeta, smooth_take, with_landmarks

FPS = 30.0
NAMES = ("browInnerUp", "eyeSquintLeft", "mouthClose", "mouthSmileLeft")


def still_take(frames: int, fps: float = FPS) -> Take:
    """A head that looks into the camera and does nothing: rotation by pi about X."""
    zeros = np.zeros((frames, 3), np.float32)
    return Take(
        meta=TakeMeta("open_head", "ab" * 32, NAMES, "clip.mp4", fps, "0.1.0", {}),
        shape=np.zeros(300, np.float32),
        expression=np.zeros((frames, len(NAMES)), np.float32),
        jaw=zeros.copy(),
        neck=zeros.copy(),
        eyes=np.zeros((frames, 2, 3), np.float32),
        eyelids=np.zeros((frames, 2), np.float32),
        head_rotation=zeros + np.array([np.pi, 0, 0], np.float32),
        head_translation=zeros + np.array([0, 0, 1], np.float32),
        intrinsics=np.array([900, 900, 256, 256], np.float32),
        image_size=np.array([512, 512], np.int32),
        frame_index=np.arange(frames, dtype=np.int32),
        timestamp=np.arange(frames) / fps,
        valid=np.ones(frames, np.bool_),
        confidence=np.full(frames, 0.9, np.float32),
        landmarks_68=np.zeros((frames, 68, 2), np.float32),
        landmarks_68_head=np.zeros((frames, 68, 3), np.float32),
        bbox=np.zeros((frames, 4), np.float32),
    )


def noisy_take(seed: int, frames: int = 120) -> Take:
    """A still take with a little noise on everything, and values away from every bound."""
    rng, take = np.random.default_rng(seed), still_take(frames)

    def shaken(name: str, size: float, middle: float = 0.0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        old = getattr(take, name)
        return np.asarray(old + middle + rng.normal(scale=size, size=old.shape), dtype=np.float32)

    return replace(
        take,
        expression=shaken("expression", 0.02, 0.3),
        jaw=shaken("jaw", 0.004, 0.1),
        eyes=shaken("eyes", 0.01),
        eyelids=shaken("eyelids", 0.02, 0.2),
        head_rotation=shaken("head_rotation", 0.004),
        head_translation=shaken("head_translation", 0.001),
    )


MOVED = ("expression", "jaw", "neck", "eyes", "eyelids", "head_rotation", "head_translation")


def matrices(take: Take) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return matrix_from_vector(take.head_rotation)


def smooth_one(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], fps: float = FPS) -> np.ndarray:  # type: ignore[type-arg]
    """(F, C) of the units 0..1 as one run, fully trusted."""
    frames = len(values)
    clock = (np.arange(frames) / fps, np.zeros(frames, np.int64), np.ones(frames))
    return smoothed(values, clock)


def smoothed(
    values: np.ndarray,  # type: ignore[type-arg]
    clock: tuple[np.ndarray, ...],  # type: ignore[type-arg]
    strength: float = 1.0,
) -> np.ndarray:  # type: ignore[type-arg]
    scale = np.array([channel_scale(channel, UNIT, clock[1]) for channel in values.T])
    return smooth_channels(values, scale, Clock.of(*clock), 0.06, strength)


def test_strength_0_changes_nothing() -> None:
    take = noisy_take(0)
    same = smooth_take(take, Smoothing(0, 0, 0, 0))
    for name in MOVED:
        assert np.array_equal(getattr(same, name), getattr(take, name)), name


@pytest.mark.parametrize("group", ["pose", "mouth", "lids", "gaze"])
def test_a_group_moves_alone(group: str) -> None:
    take = noisy_take(1)
    smooth = smooth_take(take, Smoothing(**{name: float(name == group) for name in ("pose", "mouth", "lids", "gaze")}))
    changed = {name for name in MOVED if not np.array_equal(getattr(smooth, name), getattr(take, name))}
    own = {
        "pose": {"head_rotation", "head_translation"},
        "mouth": {"jaw", "expression"},
        "lids": {"eyelids", "expression"},
        "gaze": {"eyes"},
    }
    assert changed == own[group]
    moved = np.any(smooth.expression != take.expression, axis=0)
    assert moved.tolist() == [group == "lids"] * 2 + [group == "mouth"] * 2


def test_noise_of_a_quiet_face_goes_down_by_more_than_half() -> None:
    take, rest = noisy_take(2), still_take(120)
    smooth = smooth_take(take, Smoothing())
    for name in ("expression", "jaw", "eyes", "eyelids", "head_translation"):
        before, after = (np.asarray(getattr(t, name)).std(axis=0).mean() for t in (take, smooth))
        assert after < 0.5 * before, name
    shake = [np.linalg.norm(matrices(t) - matrices(rest), axis=(1, 2)).mean() for t in (take, smooth)]
    assert shake[1] < 0.5 * shake[0]


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 999),
    frames=st.integers(1, 40),
    slope=st.floats(-0.4, 0.4),
    strength=st.floats(0.1, 4.0),
    fps=st.sampled_from([12.0, 25.0, 29.97, 60.0]),
)
def test_lines_stay_as_they_are(seed: int, frames: int, slope: float, strength: float, fps: float) -> None:
    """Also under any confidence: there is no lag and no pull towards the middle, up to the ends."""
    rng = np.random.default_rng(seed)
    values = slope * np.arange(frames)[:, None] * rng.uniform(-1, 1, 3) + rng.normal(size=3)
    clock = (np.arange(frames) / fps, np.zeros(frames, np.int64), rng.uniform(0, 1, frames))
    smooth = smoothed(values, clock, strength)
    assert np.abs(smooth - values).max() < 1e-6


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), frames=st.integers(1, 60))
def test_backwards_is_the_same(seed: int, frames: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.cumsum(rng.normal(scale=0.05, size=(frames, 4)), axis=0)
    times = np.cumsum(rng.uniform(0.5, 1.5, frames)) / FPS  # variable frame rate
    runs = np.sort(rng.integers(0, 3, frames))
    confidence = rng.uniform(0, 1, frames)
    there = smoothed(values, (times, runs, confidence))
    back = smoothed(values[::-1], ((times[-1] - times)[::-1], runs[::-1], confidence[::-1]))
    assert np.allclose(there, back[::-1], atol=1e-9)


@pytest.mark.parametrize("shape", [(0.5, 1, 0.4), (0.2, 0.9, 1, 0.6, 0.2), (0.3, 0.8, 1, 0.9, 0.5, 0.15)])
@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_blinks_keep_their_peak(shape: tuple[float, ...], fps: float) -> None:
    rng = np.random.default_rng(3)
    clean = np.zeros((200, 2))
    for start in range(20, 180, 40):
        clean[start : start + len(shape)] = np.array(shape)[:, None]
    smooth = smooth_one(clean + rng.normal(scale=0.02, size=clean.shape), fps)
    peaks = np.arange(20, 180, 40) + int(np.argmax(shape))
    assert smooth[peaks].min() > 0.95
    assert np.abs(smooth - clean)[60 : 60 + len(shape)].max() < 0.1
    # and no sooner or later: the best shift is 0
    errors = [np.abs(np.roll(smooth, shift, axis=0) - clean).sum() for shift in range(-2, 3)]
    assert int(np.argmin(errors)) == 2


@pytest.mark.parametrize("frames", [1, 2])
def test_lips_that_touch_still_touch(frames: int) -> None:
    """Speech at 5 syllables a second with a closure of two frames, or one, in it."""
    rng = np.random.default_rng(4)
    time = np.arange(150) / FPS
    open_mouth = 0.12 + 0.05 * np.sin(2 * np.pi * 5 * time)
    open_mouth[70 : 70 + frames] = 0.0
    take = still_take(150)
    jaw = take.jaw.copy()
    jaw[:, 0] = open_mouth + rng.normal(scale=0.003, size=150)
    smooth = smooth_take(replace(take, jaw=jaw), Smoothing())
    assert np.abs(smooth.jaw[70 : 70 + frames, 0]).max() < 0.05 * open_mouth.max() + 0.003
    assert np.corrcoef(smooth.jaw[:, 0], open_mouth)[0, 1] > 0.99


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 999), frames=st.integers(1, 40), strength=st.floats(0.1, 4.0))
def test_lines_stay_as_they_are_under_any_guide(seed: int, frames: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    values = np.arange(frames)[:, None] * rng.uniform(-0.4, 0.4, 3) + rng.normal(size=3)
    guide = np.cumsum(rng.normal(scale=3e-4, size=(frames, 12)), axis=0)
    clock = (np.arange(frames) / FPS, np.zeros(frames, np.int64), rng.uniform(0, 1, frames))
    scale = guide_scale(guide, LIPS, clock[1])
    assert np.abs(smooth_guided(values, (guide, scale), Clock.of(*clock), 0.05, strength) - values).max() < 1e-6


def talking(channels_noise: float, lips_noise: float) -> tuple[Take, np.ndarray]:  # type: ignore[type-arg]
    """Lips that the jaw opens and, at frame 75, lets touch for a frame; two expressions that make up for each other."""
    rng, take = np.random.default_rng(8), still_take(150)
    opening = np.full(150, 0.1)
    opening[75] = 0.0
    jaw, expression = take.jaw.copy(), take.expression.copy()
    jaw[:, 0] = opening
    trade = rng.normal(scale=channels_noise, size=150)
    expression[:, 2], expression[:, 3] = 0.5 + trade, 0.5 - trade
    points = take.landmarks_68_head.copy()
    points[:, 62:68, 1] = -0.1 * opening[:, None]  # the lower half of the lips, m
    points[:, 48:68] += rng.normal(scale=lips_noise, size=(150, 20, 3))
    return replace(take, jaw=jaw, expression=expression, landmarks_68_head=points), opening


def test_channels_that_tremble_against_each_other_are_stilled_while_the_lips_are_still() -> None:
    """More than any channel's own band: only the lips tell that it is noise."""
    take, opening = talking(0.15, 5e-5)
    smooth = smooth_take(take, Smoothing())
    quiet = np.abs(np.arange(150) - 75) > 8
    assert smooth.expression[quiet, 2].std() < 0.5 * take.expression[quiet, 2].std()
    blind = smooth_take(replace(take, landmarks_68_head=np.zeros_like(take.landmarks_68_head)), Smoothing())
    assert blind.expression[quiet, 2].std() > 1.2 * smooth.expression[quiet, 2].std()
    assert np.abs(smooth.jaw[:, 0] - opening).max() < 0.01  # and the lips touch


@pytest.mark.parametrize("points", [True, False])
def test_a_part_of_a_take_is_smoothed_as_the_whole(points: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the whole's noise and the frames around it, wherever pieces begin."""
    take = talking(0.05, 1e-4)[0] if points else noisy_take(9, 150)
    valid = take.valid.copy()
    valid[[0, 1, 60, 61, 100]] = False
    take = replace(take, meta=replace(take.meta, cuts=(30, 117)), valid=valid)
    whole = smooth_take(take, Smoothing())
    monkeypatch.setattr(local_lines, "PIECE", 37)
    monkeypatch.setattr(smoothing, "PIECE", 37)
    noise = measure_noise(take)
    reach = noise.reach(Smoothing())
    assert 0 < reach < 30
    part = smooth_take(rows_of(take, slice(70 - reach, 120 + reach)), Smoothing(), noise)
    for name in MOVED:
        found, right = getattr(part, name)[reach:-reach], getattr(whole, name)[70:120]
        assert np.abs(found - right).max() <= 1e-7, name
    short = smooth_take(rows_of(take, slice(70, 120 + reach)), Smoothing(), noise)
    assert not np.array_equal(short.expression[:50], whole.expression[70:120])


def test_the_lips_keep_their_closure_in_a_noisy_take() -> None:
    take, opening = talking(0.02, 2e-4)
    smooth = smooth_take(take, Smoothing())
    assert abs(smooth.jaw[75, 0]) < 0.02 * opening.max()


def test_what_a_turn_and_a_shift_do_together_is_seen_in_the_picture() -> None:
    """A head turned about its face moves its origin a long way; the box about the face hardly moves."""
    angle = np.radians([0.0, 1.0])
    turn = matrix_from_vector(np.array([np.pi, 0.0, 0.0])) @ matrix_from_vector(
        np.stack([0 * angle, angle, 0 * angle], 1)
    )
    middle = np.array([0.0, 0.0, 0.05])
    balanced = np.array([0.0, 0.0, 0.6]) - turn @ middle
    valid = np.ones(2, np.bool_)
    held, loose = (box_in_view(_quaternions(turn), shift, valid, 0.6) for shift in (balanced, balanced[[0, 0]]))
    moved = [np.sqrt(((box[1] - box[0]) ** 2).mean()) for box in (held, loose)]
    assert moved[0] < 0.8 * moved[1]
    # seen from afar a box is as wide as it is; rows that are not valid hold 0
    assert np.ptp(held[0].reshape(-1, 2), axis=0) == pytest.approx([0.12, 0.12], rel=0.1)
    assert not box_in_view(_quaternions(turn), balanced, np.array([True, False]), 0.6)[1].any()


def test_nothing_crosses_a_cut_or_a_gap_and_invalid_rows_stay() -> None:
    take = still_take(60)
    jaw = take.jaw.copy()
    jaw[20:40, 0], jaw[40:, 0] = 0.03, 0.06  # small steps, which would be smoothed away
    valid = take.valid.copy()
    valid[40:42] = False
    rotation = take.head_rotation.copy()
    rotation[40:42] = np.nan
    expression = take.expression.copy()
    expression[40] = np.nan
    take = replace(take, jaw=jaw, valid=valid, head_rotation=rotation, expression=expression)
    cut = replace(take, meta=replace(take.meta, cuts=(20,)))
    smooth = smooth_take(cut, Smoothing(3, 3, 3, 3))
    assert np.allclose(smooth.jaw, jaw, atol=1e-6)
    assert np.array_equal(smooth.head_rotation[40:42], rotation[40:42], equal_nan=True)
    assert np.isfinite(smooth.head_rotation[valid]).all() and np.isfinite(smooth.expression[valid]).all()
    uncut = smooth_take(take, Smoothing(3, 3, 3, 3))
    assert np.abs(uncut.jaw[15:25, 0] - jaw[15:25, 0]).max() > 0.005


def test_confidence_counts() -> None:
    """A frame that nobody believes follows its neighbours; the same frame, believed, stays."""
    take = still_take(60)
    jaw = take.jaw.copy()
    jaw[30, 0] = 0.2
    confidence = take.confidence.copy()
    confidence[30] = 0.02
    assert smooth_take(replace(take, jaw=jaw), Smoothing()).jaw[30, 0] > 0.19
    assert smooth_take(replace(take, jaw=jaw, confidence=confidence), Smoothing()).jaw[30, 0] < 0.02


def test_the_time_constant_is_in_seconds() -> None:
    """The same second of film, noise of the same size, twice the frames: more of them are averaged."""
    rng = np.random.default_rng(5)
    values = 0.3 + rng.normal(scale=0.01, size=(400, 1))
    slow, fast = (smooth_one(values, fps).std() for fps in (30.0, 60.0))
    assert fast < 0.85 * slow


@pytest.mark.parametrize("fps", [8.0, 12.0, 24.0, 30.0, 60.0])
def test_slow_clips_are_smoothed_too(fps: float) -> None:
    """Time constants are short; where a frame lasts longer, noise goes down all the same."""
    values = 0.3 + np.random.default_rng(7).normal(scale=0.01, size=(400, 1))
    assert smooth_one(values, fps).std() < 0.65 * values.std()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 999))
def test_quaternions_and_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turns = np.cumsum(rng.normal(scale=0.1, size=(50, 3)), axis=0) + np.array([np.pi, 0, 0])
    vectors = np.array([turn / np.linalg.norm(turn) * (np.linalg.norm(turn) % (2 * np.pi)) for turn in turns])
    quaternions = continuous_quaternions(vectors, np.ones(50, np.bool_))
    assert (np.sum(quaternions[1:] * quaternions[:-1], axis=1) > 0).all()
    back = rotation_vectors(quaternions)
    assert np.allclose(matrix_from_vector(back), matrix_from_vector(vectors), atol=1e-12)


def test_a_turning_head_does_not_lag() -> None:
    """90 degrees a second, through the half turn where rotation vectors jump."""
    take = still_take(90)
    angle = np.radians(3.0) * (np.arange(90) - 45)
    turning = matrix_from_vector(np.stack([np.full(90, np.pi), 0 * angle, 0 * angle], 1)) @ matrix_from_vector(
        np.stack([0 * angle, angle, 0 * angle], 1)
    )
    vectors = rotation_vectors(_quaternions(turning)).astype(np.float32)
    smooth = smooth_take(replace(take, head_rotation=vectors), Smoothing())
    off = np.linalg.norm(matrices(smooth) - turning, axis=(1, 2))
    assert off[1:-1].max() < np.radians(0.02)
    assert off.max() < np.radians(0.1)  # at the ends a line stands in for the arc


def _quaternions(rotations: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    from scipy.spatial.transform import Rotation

    x, y, z, w = Rotation.from_matrix(rotations).as_quat().T
    return np.stack([w, x, y, z], axis=1)


def test_landmarks_follow_the_smoothed_parameters() -> None:
    head = load_head()
    rng = np.random.default_rng(6)
    names = head.expression_names
    take = still_take(5)
    rotation = matrix_from_vector(np.array([np.pi, 0.0, 0.0])) @ matrix_from_vector(rng.normal(scale=0.4, size=(5, 3)))
    valid = np.array([True, True, False, True, True])
    take = replace(
        take,
        meta=replace(take.meta, expression_names=names),
        shape=rng.normal(size=head.shape_count).astype(np.float32),
        expression=rng.uniform(0, 0.5, (5, len(names))).astype(np.float32),
        jaw=rng.uniform(0, 0.2, (5, 3)).astype(np.float32),
        eyelids=rng.uniform(0, 1, (5, 2)).astype(np.float32),
        head_rotation=rotation_vectors(_quaternions(rotation)).astype(np.float32),
        valid=valid,
    )
    made = with_landmarks(head, take)
    assert not made.landmarks_68[2].any()
    for row in np.flatnonzero(valid):
        parameters = HeadParameters(
            *(
                np.asarray(values, dtype=np.float64)
                for values in (
                    take.shape,
                    take.expression[row],
                    take.neck[row],
                    take.jaw[row],
                    take.eyes[row],
                    take.eyelids[row],
                )
            )
        )
        camera = Camera(
            *(np.asarray(v, np.float64) for v in (take.head_rotation[row], take.head_translation[row], take.intrinsics))
        )
        points = landmarks_68(head, pose_head(head, parameters), camera.yaw_degrees)
        assert np.allclose(made.landmarks_68_head[row], points, atol=1e-6)
        assert np.allclose(made.landmarks_68[row], camera.project(points), atol=2e-3)
