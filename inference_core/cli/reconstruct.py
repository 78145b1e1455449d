"""`n2f reconstruct`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from inference_core.cli.console import INTERRUPTED, JOB_ID, Telling, err, escape, interruptible, out, show_error
from inference_core.errors import CoreError
from inference_core.formats.replies import Done, Result, encode_reply
from inference_core.formats.requests import Reconstruct
from inference_core.reconstruct import job, person_job
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstructor
from inference_core.server.failures import failure_of

SOME_FAILED = 1
_STAGE_WORDS = {
    "detect": "finding the face",
    "normals": "reading the normals",
    "n2fnet": "estimating the head",
    "fit": "fitting",
    "look": "painting the skin",
    "hair": "cutting the hair",
    "detail": "reading the fine detail",
    "maps": "mapping the surface",
    "write": "writing",
}


def run(request: Reconstruct, normals: Path | None, telling: Telling) -> int:
    """Exit status. `normals`: a network of the user's own.

    Raises:
        CoreError: for what concerns the whole call, such as a missing model.
    """
    reconstructor = Reconstructor(Models.load(request.options.head, normals))
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not telling.shows_bar,
    )
    with interruptible() as interrupted, bar:
        teller = _Teller(telling, request.images, bar, bar.add_task("starting", total=len(request.images)))
        job_of_all = person_job.job_for(request.images, Path(request.out), request.options, teller, interrupted.is_set)
        summary = job_of_all.run(reconstructor)
    if telling.as_json:
        print(encode_reply(Done(JOB_ID, summary.finished, summary.failed, summary.cancelled)), flush=True)
    elif len(request.images) > 1 and telling.in_words and not summary.cancelled:
        out.print(f"{summary.finished} of {len(request.images)} photos done.")
    if summary.cancelled:
        err.print("Interrupted. What was finished before stays.", style="yellow")
        return INTERRUPTED
    return exit_status(teller.errors, len(request.images))


def exit_status(errors: list[CoreError], images: int) -> int:
    """0; the errors' own status where every photo failed for the same reason; otherwise 1."""
    if not errors:
        return 0
    statuses = {error.exit_status for error in errors}
    return statuses.pop() if len(errors) == images and len(statuses) == 1 else SOME_FAILED


@dataclass
class _Teller:
    """A job's events as lines and a moving bar."""

    telling: Telling
    images: tuple[str, ...]
    bar: Progress
    task: TaskID
    errors: list[CoreError] = field(default_factory=list)

    def __call__(self, event: job.Event) -> None:
        match event:
            case job.Progress(stage, done, _, _):
                name = Path(self.images[done]).name
                self.bar.update(self.task, completed=done, description=f"{escape(name)}: {_STAGE_WORDS[stage]}")
            case job.FaceDone():
                self._face(event)
            case job.ImageFailed(image, error):
                self.errors.append(error)
                if self.telling.as_json:
                    print(encode_reply(failure_of(error, JOB_ID, image)), flush=True)
                show_error(error)

    def _photos(self, photos: list[dict[str, object]]) -> None:
        """A line for each photo of one person."""
        for photo in photos:
            off, distance = float(str(photo["landmark_error"])), float(str(photo["distance_m"]))
            name = escape(Path(str(photo["image"])).name)
            out.print(f"  {name}  [dim]landmarks within {100 * off:.1f} %, {distance:.1f} m from the camera[/]")

    def _face(self, event: job.FaceDone) -> None:
        if self.telling.as_json:
            files = event.files
            result = Result(JOB_ID, event.image, event.face, event.folder, files.take, files.as_dict(), event.facts)
            print(encode_reply(result), flush=True)
        elif self.telling.in_words:
            photos = event.facts.get("photos")
            if isinstance(photos, list):
                self._photos(photos)
            error, milliseconds = event.facts["landmark_error"], event.facts["timings_ms"]
            total = milliseconds["total"] if isinstance(milliseconds, dict) else 0.0
            which = f" face {event.face}" if event.face else ""
            several = f" and {len(photos) - 1} more, one person" if isinstance(photos, list) and len(photos) > 1 else ""
            out.print(
                f"[green]done[/] {escape(Path(event.image).name)}{which}{several} -> {escape(str(event.folder))}"
                f"  [dim]landmarks within {100 * float(str(error)):.1f} % of the eye distance, {total:.0f} ms[/]"
            )
            warnings = event.facts["warnings"]
            for warning in warnings if isinstance(warnings, list) else []:
                err.print(f"  [yellow]note:[/] {escape(str(warning))}")
