"""What a face does in every frame moves into its shape; the mesh stays; what comes and goes stays too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference_core.head import load_head, pose_head
from inference_core.take import Take
from inference_core.track.neutral import MOST_CHANGE, calibrate
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
    assert made.expression[:, smile].max() < take.expression[:, smile].max()
    assert np.abs(made.shape).max() > 0
    face = HEAD.region("face")
    before, after = (pose_head(HEAD, row_of(t, 25))[face] for t in (take, made))
    assert np.sqrt(((before - after) ** 2).sum(axis=1).mean()) < 1.05 * MOST_CHANGE


def test_few_or_doubtful_frames_say_nothing() -> None:
    take = resting_take()
    doubtful = replace(take, confidence=np.full(60, 0.1, np.float32))
    assert calibrate(HEAD, doubtful) is doubtful
    short = replace(take, valid=np.arange(60) < 10)
    assert calibrate(HEAD, short) is short
    nothing = replace(take, expression=np.zeros_like(take.expression))
    assert calibrate(HEAD, nothing) is nothing
