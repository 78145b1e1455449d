"""Folders of a job, its order of events, and what happens when photos fail or somebody cancels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inference_core.errors import BadInput, Cancelled, Internal, NoFace, OutOfMemory
from inference_core.formats.json_values import BadRequest
from inference_core.formats.options import ReconstructOptions
from inference_core.reconstruct.job import Event, FaceDone, ImageFailed, Job, Progress, Summary, folder_names
from inference_core.reconstruct.person_job import job_for


@pytest.mark.parametrize(
    ("images", "names"),
    [
        (["a/x.jpg", "b/y.jpg"], ["x", "y"]),
        (["a/x.jpg", "b/X.png", "x.tif"], ["x", "X_2", "x_3"]),
        (["x_2.jpg", "x.jpg", "x.png"], ["x_2", "x", "x_3"]),
        (["größe.jpg", "...", "a.b.jpg"], ["größe", "photo", "a.b"]),
    ],
)
def test_folders_are_named_after_photos_and_never_shared(images: list[str], names: list[str]) -> None:
    assert folder_names(images) == names


class Failing:
    """Stands for a Reconstructor whose photos fail, each in its own way."""

    def __init__(self, failures: dict[str, BaseException]) -> None:
        self.failures = failures
        self.asked: list[str] = []

    def faces_of(self, path: str, _: ReconstructOptions, checkpoint: Callable[[str], None]) -> None:
        checkpoint("detect")
        self.asked.append(path)
        raise self.failures[path]


def run(reconstructor: Failing, images: list[str], cancelled: Callable[[], bool]) -> tuple[Summary, list[Event]]:
    events: list[Event] = []
    job = Job(images, Path("unused"), ReconstructOptions(), events.append, cancelled)
    return job.run(reconstructor), events  # type: ignore[arg-type]


def test_a_failing_photo_does_not_stop_the_others() -> None:
    failures = {
        "a": NoFace("No face.", "Look."),
        "b": BadInput("Bad.", "Fix."),
        "c": MemoryError(),
        "d": ZeroDivisionError("division by zero"),
    }
    summary, events = run(Failing(failures), list(failures), lambda: False)
    failed = [event for event in events if isinstance(event, ImageFailed)]
    assert summary == Summary(0, 4, cancelled=False)
    assert [event.image for event in failed] == list("abcd")
    assert [type(event.error) for event in failed] == [NoFace, BadInput, OutOfMemory, Internal]
    assert "division by zero" in failed[3].error.sentence
    assert not [event for event in events if isinstance(event, FaceDone)]


def test_cancel_stops_before_the_next_photo() -> None:
    reconstructor = Failing({name: NoFace("No face.", "Look.") for name in "abc"})
    summary, _ = run(reconstructor, list("abc"), lambda: len(reconstructor.asked) >= 2)
    assert summary == Summary(0, 2, cancelled=True)
    assert reconstructor.asked == ["a", "b"]


def test_progress_is_not_a_flood() -> None:
    reconstructor = Failing({str(number): NoFace("No face.", "Look.") for number in range(500)})
    _, events = run(reconstructor, list(reconstructor.failures), lambda: False)
    progress = [event for event in events if isinstance(event, Progress)]
    assert 1 <= len(progress) < 20  # 500 photos pass in far less than a second
    assert all(0 <= event.fraction <= 1 and event.total == 500 for event in progress)


def test_keyboard_interrupts_pass_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        run(Failing({"a": KeyboardInterrupt()}), ["a"], lambda: False)


def test_cancelled_is_no_failure() -> None:
    summary, events = run(Failing({"a": Cancelled("Stopped.")}), ["a"], lambda: False)
    assert summary == Summary(0, 0, cancelled=True)
    assert not [event for event in events if isinstance(event, ImageFailed)]


def test_photos_of_one_person_that_all_fail_are_all_told() -> None:
    failures = {"a": NoFace("No face.", "Look."), "b": BadInput("Bad.", "Fix.")}
    events: list[Event] = []
    job = job_for(["a", "b"], Path("unused"), ReconstructOptions(one_person="yes"), events.append)
    assert job.run(Failing(failures)) == Summary(0, 2, cancelled=False)  # type: ignore[arg-type]
    assert [event.image for event in events if isinstance(event, ImageFailed)] == ["a", "b"]


@pytest.mark.parametrize("options", [{"face": "all"}, {"fit": False}])
def test_one_person_has_one_face_and_needs_the_fit(options: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        ReconstructOptions(one_person="yes", **options)  # type: ignore[arg-type]
    ReconstructOptions(one_person="agree", **options)  # type: ignore[arg-type]  # the panel's: then each by itself
