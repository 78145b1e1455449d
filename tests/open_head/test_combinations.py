"""Two motions that would break each other together: what the correctives of pairs promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from inference_core.head import Head, HeadParameters, pose_head

Floats = npt.NDArray[np.float64]
JAW_OPEN = 0.4455  # rad
SIDES = ("Left", "Right")


def _posed(head: Head, expression: dict[str, float], jaw: float = 0.0, lids: float = 0.0, gaze: float = 0.0) -> Floats:
    values = np.array([expression.get(name, 0.0) for name in head.expression_names])
    neutral = HeadParameters.neutral(head)
    turned = np.array([[gaze, 0.0, 0.0]] * 2)
    jaw_turn = np.array([jaw * JAW_OPEN, 0.0, 0.0])
    return pose_head(head, replace(neutral, expression=values, jaw=jaw_turn, eyelids=np.full(2, lids), eyes=turned))


def _lip_gap(vertices: Floats) -> float:
    """m between the lips' middles where they meet: vertices 474 above, 493 below."""
    return float(vertices[474, 1] - vertices[493, 1])


def test_mouth_close_alone_leaves_the_face_as_it_is(head: Head) -> None:
    assert np.abs(_posed(head, {"mouthClose": 1.0}) - head.template).max() < 1e-6


@pytest.mark.parametrize("amount", [0.5, 1.0])
def test_mouth_close_closes_as_far_as_the_jaw_is_open(head: Head, amount: float) -> None:
    opened = _lip_gap(_posed(head, {}, jaw=amount))
    closed = _lip_gap(_posed(head, {"mouthClose": amount}, jaw=amount))
    more = _lip_gap(_posed(head, {"mouthClose": 1.0}, jaw=amount))
    assert opened > 0.012 and abs(closed) < 0.0015 and abs(more - closed) < 0.001


def test_the_tongue_waits_for_the_jaw_and_goes_over_the_lip(head: Head) -> None:
    tongue, lips = head.region("tongue"), head.region("lips")
    middle = np.abs(head.template[:, 0]) < 0.004
    assert np.abs(_posed(head, {"tongueOut": 1.0}) - head.template).max() < 1e-6
    for jaw in (0.45, 1.0):
        out = _posed(head, {"tongueOut": 1.0}, jaw=jaw)
        lip = out[lips & middle & (head.skin_weights[:, 2] > 0.5)]
        front = lip[lip[:, 1].argmax()]
        tip = out[tongue & middle]
        assert tip[:, 2].max() > front[2] + 0.004  # it is out
        assert tip[tip[:, 2] > front[2], 1].min() > front[1] - 0.006  # and lies on the lip


@pytest.mark.parametrize(
    ("expression", "gaze"), [("eyeSquint", 0.0), ("eyeWide", 0.0), ("", np.radians(30.0)), ("", np.radians(-25.0))]
)
def test_closed_lids_stay_closed(head: Head, expression: str, gaze: float) -> None:
    """The margins' vertices stand where the blink alone brings them."""
    together = {expression + side: 1.0 for side in SIDES} if expression else {}
    blink, both = _posed(head, {}, lids=1.0), _posed(head, together, lids=1.0, gaze=gaze)
    margin = [2242, 2248]  # the left lids' margin
    assert np.linalg.norm(both[margin] - blink[margin], axis=1).max() < 2e-4
    alone = np.linalg.norm(_posed(head, together, gaze=gaze) - head.template, axis=1)
    assert alone[head.region("eyelids")].max() > 0.001  # which the partner does move
