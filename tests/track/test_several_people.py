"""Two people in one clip, from the file to a take each: the right one in every frame, also when they change sides."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inference_core.clip import VideoWriter
from inference_core.formats.options import TrackOptions
from inference_core.reconstruct.models import Models
from inference_core.take import Take, load_take
from inference_core.track.job import ClipFailed, PersonDone
from tests.track.scenes import pictures
from tests.track.test_job import only, track

SIDE, EACH = 224, 10
"""px of each half; frames before and after the cut at which they change sides."""


@pytest.fixture(scope="module")
def takes(models: Models, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Take]:
    """The takes of both, by who they are at the left of the first frame: "left" and "right"."""
    folder = tmp_path_factory.mktemp("two")
    one = pictures(shared_data / "videos" / "talking_d0.mp4", 0, 2 * EACH, SIDE)
    other = pictures(shared_data / "videos" / "talking_d10.mp4", 100, 2 * EACH, SIDE)
    with VideoWriter(folder / "two.mp4", (2 * SIDE, SIDE), 25.0) as writer:
        for row, pair in enumerate(zip(one, other, strict=True)):
            writer.write(np.concatenate(pair if row < EACH else pair[::-1], axis=1))
    summary, events = track(
        models, folder / "two.mp4", folder / "out", TrackOptions(people="all", look="none", overlay=False)
    )
    assert (summary.finished, summary.failed) == (2, 0), only(events, ClipFailed)
    assert {path.name for path in (folder / "out").iterdir()} == {"person_0", "person_1"}
    found = [load_take(done.files.take) for done in only(events, PersonDone)]
    report = json.loads((folder / "out" / "person_0" / "report.json").read_text(encoding="utf-8"))
    assert report["people"] == {"0": 2 * EACH, "1": 2 * EACH}
    for done in only(events, PersonDone):
        assert done.facts["landmark_error"] < 0.05  # type: ignore[operator]
    named = {"left" if take.landmarks_68[0, 30, 0] < SIDE else "right": take for take in found}
    assert set(named) == {"left", "right"}
    return named


def test_each_has_a_take_with_every_frame(takes: dict[str, Take]) -> None:
    for take in takes.values():
        assert take.frame_count == 2 * EACH
        assert take.valid.all()
        assert take.meta.cuts == (EACH,)


def test_a_take_follows_its_person_and_not_the_place(takes: dict[str, Take]) -> None:
    at_left = {who: take.landmarks_68[:, 30, 0] < SIDE for who, take in takes.items()}
    assert at_left["left"].tolist() == [True] * EACH + [False] * EACH
    assert at_left["right"].tolist() == [False] * EACH + [True] * EACH


def test_one_lens_and_two_shapes(takes: dict[str, Take]) -> None:
    left, right = takes["left"], takes["right"]
    np.testing.assert_allclose(left.intrinsics, right.intrinsics)
    assert np.linalg.norm(left.shape - right.shape) > 1.0
