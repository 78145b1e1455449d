"""`n2f track`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from inference_core.cli.console import INTERRUPTED, JOB_ID, Telling, err, escape, interruptible, out, show_error
from inference_core.errors import CoreError
from inference_core.formats.protocol import TrackStage
from inference_core.formats.replies import Done, encode_reply
from inference_core.formats.requests import Track
from inference_core.reconstruct.models import Models
from inference_core.server.performances import message_of
from inference_core.track import job

_STAGE_WORDS: dict[TrackStage, str] = {
    "follow": "following the faces",
    "identity": "estimating the person",
    "perform": "fitting frame after frame",
    "smooth": "smoothing",
    "look": "painting the skin",
    "overlay": "drawing the overlay",
}


def run(request: Track, normals: Path | None, telling: Telling) -> int:
    """Exit status. `normals`: a network of the user's own.

    Raises:
        CoreError: for what concerns the whole call, such as a missing model.
    """
    models = Models.load(request.options.head, normals)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[frames]}"),
        TextColumn("{task.fields[pace]}", style="dim"),
        console=err,
        transient=True,
        disable=not telling.shows_bar,
    )
    with interruptible() as interrupted, bar:
        teller = _Teller(telling, bar, bar.add_task("starting", total=1.0, frames="", pace=""))
        summary = job.TrackJob(request.source, Path(request.out), request.options, teller, interrupted.is_set).run(
            models
        )
    if telling.as_json:
        print(encode_reply(Done(JOB_ID, summary.finished, summary.failed, summary.cancelled)), flush=True)
    if summary.cancelled:
        err.print("Interrupted. What is done is kept; the same command with --resume goes on.", style="yellow")
        return INTERRUPTED
    return teller.errors[0].exit_status if teller.errors else 0


@dataclass
class _Teller:
    """A job's events as lines and a moving bar."""

    telling: Telling
    bar: Progress
    task: TaskID
    errors: list[CoreError] = field(default_factory=list)

    def __call__(self, event: job.Event) -> None:
        if self.telling.as_json:
            print(encode_reply(message_of(event, JOB_ID)), flush=True)
        match event:
            case job.Progress(stage, done, total, fraction, pace, left):
                words = [f"{pace:.0f} frames/s" if pace else "", f"{clock(left)} left" if left is not None else ""]
                self.bar.update(
                    self.task,
                    completed=fraction,
                    description=_STAGE_WORDS[stage],
                    frames=f"{done}/{total}",
                    pace=", ".join(word for word in words if word),
                )
            case job.PersonDone():
                if self.telling.in_words:
                    self._person(event)
            case job.ClipFailed(_, error):
                self.errors.append(error)
                show_error(error)

    def _person(self, event: job.PersonDone) -> None:
        facts = event.facts
        error, pace = facts["landmark_error"], facts["frames_per_second"]
        off = f"landmarks within {100 * error:.1f} % of the eye distance, " if isinstance(error, float) else ""
        out.print(
            f"[green]{facts['status']}[/] {escape(Path(event.source).name)}"
            + (f" person {event.person}" if event.person else "")
            + f" -> {escape(str(event.folder))}"
            f"  [dim]{facts['valid_frames']} of {facts['frames']} frames, {off}{pace} frames/s[/]"
        )
        warnings = facts["warnings"]
        for warning in warnings if isinstance(warnings, list) else []:
            err.print(f"  [yellow]note:[/] {escape(str(warning))}")


def clock(seconds: float) -> str:
    """1:02:03, or 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
