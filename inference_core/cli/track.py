"""`n2f track`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from inference_core.cli.console import INTERRUPTED, err, escape, interruptible, out, show_error
from inference_core.errors import CoreError
from inference_core.formats.options import TrackOptions
from inference_core.formats.protocol import TrackStage
from inference_core.formats.replies import Done, encode_reply
from inference_core.reconstruct.models import Models
from inference_core.server.performances import message_of
from inference_core.track import job

JOB_ID = "1"
_STAGE_WORDS: dict[TrackStage, str] = {
    "follow": "following the faces",
    "identity": "estimating the person",
    "perform": "fitting frame after frame",
    "smooth": "smoothing",
    "look": "painting the skin",
    "overlay": "drawing the overlay",
}


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    source: str
    out: Path
    options: TrackOptions
    quiet: bool = False
    as_json: bool = False
    normals: Path | None = None  # a normals network of the user's own


def run(request: Request) -> int:
    """Exit status.

    Raises:
        CoreError: for what concerns the whole call, such as a missing model.
    """
    models = Models.load(request.options.head, request.normals)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[frames]}"),
        TextColumn("{task.fields[pace]}", style="dim"),
        console=err,
        transient=True,
        disable=request.quiet or request.as_json or not err.is_terminal,
    )
    with interruptible() as interrupted, bar:
        teller = _Teller(request, bar, bar.add_task("starting", total=1.0, frames="", pace=""))
        summary = job.TrackJob(request.source, request.out, request.options, teller, interrupted.is_set).run(models)
    if request.as_json:
        print(encode_reply(Done(JOB_ID, summary.finished, summary.failed, summary.cancelled)), flush=True)
    if summary.cancelled:
        err.print("Interrupted. What is done is kept; the same command with --resume goes on.", style="yellow")
        return INTERRUPTED
    return teller.errors[0].exit_status if teller.errors else 0


@dataclass
class _Teller:
    """A job's events as lines and a moving bar."""

    request: Request
    bar: Progress
    task: TaskID
    errors: list[CoreError] = field(default_factory=list)

    def __call__(self, event: job.Event) -> None:
        if self.request.as_json:
            print(encode_reply(message_of(event, JOB_ID)), flush=True)
        match event:
            case job.Progress(stage, done, total, fraction, pace, left):
                words = [f"{pace:.0f} frames/s" if pace else "", f"{_clock(left)} left" if left is not None else ""]
                self.bar.update(
                    self.task,
                    completed=fraction,
                    description=_STAGE_WORDS[stage],
                    frames=f"{done}/{total}",
                    pace=", ".join(word for word in words if word),
                )
            case job.PersonDone():
                if not (self.request.quiet or self.request.as_json):
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


def _clock(seconds: float) -> str:
    """1:02:03, or 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
