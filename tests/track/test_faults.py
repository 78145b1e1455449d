"""One frame that a routine refuses never takes the clip with it; many without a good one are told as what they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from inference_core.formats.options import TrackOptions
from inference_core.reconstruct.models import Models
from inference_core.take import load_take
from inference_core.track.faults import MOST_IN_A_ROW, FrameFaults
from inference_core.track.job import PersonDone
from inference_core.track.motion import MotionFit
from tests.conftest import CASES
from tests.track.test_job import only, track

OPTIONS = TrackOptions(look="none", overlay=False, end=12, focal_length_px=300.0)


def refuse() -> None:
    raise cv2.error("an assertion of a library")


def test_a_good_frame_passes_and_a_bad_one_is_counted_once() -> None:
    faults = FrameFaults()
    assert faults.guarded(0, lambda: 7) == 7
    assert faults.notes == ()
    for frame in (4, 4, 9):
        assert faults.guarded(frame, refuse) is None
    assert faults.notes == ("2 frames could not be worked out (the first is 4) and count as frames without a face.",)


def test_what_concerns_the_job_is_not_swallowed() -> None:
    def full() -> None:
        raise OSError(28, "no space")

    with pytest.raises(OSError, match="no space"):
        FrameFaults().guarded(0, full)


def test_frames_that_all_fail_are_a_defect_that_is_told() -> None:
    faults = FrameFaults()
    for frame in range(MOST_IN_A_ROW):
        faults.guarded(frame, refuse)
    with pytest.raises(cv2.error):
        faults.guarded(MOST_IN_A_ROW, refuse)


def test_a_refused_frame_is_a_frame_without_a_face(
    models: Models, clip_path: Path, mean_person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, calls = MotionFit.step, iter(range(1000))

    def once_not(self: MotionFit, *arguments: object) -> object:
        if next(calls) == 5:
            raise np.linalg.LinAlgError("singular")
        return step(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(MotionFit, "step", once_not)
    options = TrackOptions(look="none", overlay=False, end=12, focal_length_px=300.0, identity=(str(mean_person),))
    summary, events = track(models, clip_path, tmp_path, options)
    assert summary.finished == 1
    take = load_take(tmp_path / "take.npz")
    assert np.flatnonzero(~take.valid).tolist() == [5]
    (done,) = only(events, PersonDone)
    assert any("could not be worked out" in warning for warning in done.facts["warnings"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("clip", ["01_far_face/walks_away.mp4", "20_confidence_zero/jumps.mp4"])
def test_faces_that_leap_lie_on_the_face_or_are_not_valid(models: Models, tmp_path: Path, clip: str) -> None:
    if not (CASES / clip).exists():
        pytest.skip("needs ../shared/cases")
    summary, _ = track(models, CASES / clip, tmp_path, TrackOptions(look="none", overlay=False))
    assert summary.finished == 1
    take = load_take(tmp_path / "raw.npz")
    assert (take.confidence[take.valid] > 0).all()
    middle = (take.landmarks_68.min(axis=1) + take.landmarks_68.max(axis=1)) / 2
    away = np.linalg.norm(middle - (take.bbox[:, :2] + take.bbox[:, 2:]) / 2, axis=1)
    assert (away < 0.2 * (take.bbox[:, 2] - take.bbox[:, 0]))[take.valid].all()
    assert take.valid.mean() > 0.7
