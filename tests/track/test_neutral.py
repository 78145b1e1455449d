"""What a face does in every frame moves into its shape; the mesh stays; what comes and goes stays too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inference_core.head import HeadParameters, load_head, pose_head
from inference_core.take import Take
from inference_core.track.neutral import LEAST_FRAMES, MOST_CHANGE, calibrate
from tests.formats.test_smoothing import still_take
from tests.track.parameters import row_of

HEAD = load_head()


def resting_take(frames: int = 60) -> Take:
    take = still_take(frames)
    names = HEAD.expression_names
    expression = np.zeros((frames, len(names)), np.float32)
    expression[:, names.index("mouthSmileLeft")] = 0.25
    expression[:, names.index("mouthSmileRight")] = 0.25
    expression[20:30, names.index("browInnerUp")] = 0.8
    shape = np.zeros(HEAD.shape_count, np.float32)
    return replace(take, meta=replace(take.meta, expression_names=names), shape=shape, expression=expression)


def test_a_constant_smile_becomes_shape_and_the_mesh_stays() -> None:
    take = resting_take()
    made = calibrate(HEAD, take)
    smile = HEAD.expression_names.index("mouthSmileLeft")
    brow = HEAD.expression_names.index("browInnerUp")
    assert np.array_equal(made.expression[:, brow], take.expression[:, brow])
    assert made.expression[:, smile].max() < 0.1 * take.expression[:, smile].max()
    face = HEAD.region("face")
    rest = HeadParameters.neutral(HEAD)
    still = pose_head(HEAD, rest)[face]
    taken = rest.expression + take.expression[0] - made.expression[0]
    as_smile = pose_head(HEAD, replace(rest, expression=taken))[face] - still
    as_shape = pose_head(HEAD, replace(rest, shape=made.shape.astype(np.float64)))[face] - still
    assert _rms(as_smile) > 0.001, "a smile is no trifle"
    assert _rms(as_shape - as_smile) < 0.15 * _rms(as_smile), "the shape does what the expression did"
    before, after = (pose_head(HEAD, row_of(t, 25))[face] for t in (take, made))
    assert _rms(before - after) < 1.05 * MOST_CHANGE


def _rms(moves: NDArray[np.float64]) -> float:
    """Root mean square of moves (V, 3), m."""
    return float(np.sqrt((moves**2).sum(axis=1).mean()))


def test_what_no_shape_can_do_stays_an_expression() -> None:
    take = resting_take()
    tongue = HEAD.expression_names.index("tongueOut")
    take.expression[:, tongue] = 0.3
    made = calibrate(HEAD, take)
    assert np.array_equal(made.expression[:, tongue], take.expression[:, tongue])
    assert made.expression[0, HEAD.expression_names.index("mouthSmileLeft")] < 0.05


def test_few_or_doubtful_frames_say_nothing() -> None:
    take = resting_take()
    doubtful = replace(take, confidence=np.full(60, 0.1, np.float32))
    assert calibrate(HEAD, doubtful) is doubtful
    short = replace(take, valid=np.arange(60) < 10)
    assert calibrate(HEAD, short) is short
    nothing = replace(take, expression=np.zeros_like(take.expression))
    assert calibrate(HEAD, nothing) is nothing


def _held(**values: float) -> Take:
    """A take that holds expressions all the time."""
    take = resting_take()
    take.expression[:] = 0.0
    for name, value in values.items():
        take.expression[:, HEAD.expression_names.index(name)] = value
    return take


def test_offsets_too_small_and_too_large_stay() -> None:
    for value, moves in [(0.008, False), (0.012, True), (0.45, True), (0.55, False)]:
        take = _held(mouthSmileLeft=value, mouthSmileRight=value)
        assert (calibrate(HEAD, take) is not take) == moves, value


def test_as_much_is_moved_as_the_mesh_allows_and_no_more() -> None:
    """Where the bound holds the calibration back, the mesh moves by just that."""
    take = _held(mouthSmileLeft=0.45, mouthSmileRight=0.45, cheekPuff=0.45, mouthFrownLeft=0.4, mouthFrownRight=0.4)
    made = calibrate(HEAD, take)
    face = HEAD.region("face")
    before, after = (pose_head(HEAD, row_of(t, 25))[face] for t in (take, made))
    assert 0.95 * MOST_CHANGE < _rms(before - after) < 1.02 * MOST_CHANGE


def test_lids_and_jaw_move_with_their_own_values() -> None:
    take = _held()
    take.eyelids[:] = (0.10, 0.2)
    take.jaw[:, 0] = 0.06
    made = calibrate(HEAD, take)
    assert np.all(made.eyelids <= take.eyelids)
    assert np.all((made.jaw[:, 0] <= take.jaw[:, 0]) & (made.jaw[:, 0] >= 0))
    assert np.array_equal(made.jaw[:, 1:], take.jaw[:, 1:])
    assert not made.expression.any()


def test_what_a_frame_did_not_hold_is_not_taken_below_rest() -> None:
    take = resting_take()
    smile = HEAD.expression_names.index("mouthSmileLeft")
    take.expression[5, smile] = 0.0
    made = calibrate(HEAD, take)
    assert made.expression[5, smile] == 0.0, "an expression of one sign stays at 0 or above"
    assert made.expression.min() >= 0.0


def test_a_second_of_sure_frames_is_enough() -> None:
    take = resting_take()
    for count, enough in [(LEAST_FRAMES - 1, False), (LEAST_FRAMES, True)]:
        seen = replace(take, valid=np.arange(60) < count)
        assert (calibrate(HEAD, seen) is not seen) == enough
    assert LEAST_FRAMES == 24


def test_a_channel_gives_what_the_shape_can_do_of_it() -> None:
    """Seven tenths of a squint are a change of shape; the rest stays an expression."""
    made = calibrate(HEAD, _held(eyeSquintLeft=0.05))
    left = made.expression[30, HEAD.expression_names.index("eyeSquintLeft")] / 0.05
    assert 0.25 < left < 0.35
