"""`n2f reconstruct` and `n2f track` with many inputs on several workers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from inference_core.cli.console import INTERRUPTED, err, escape, interruptible, out
from inference_core.cli.track import clock
from inference_core.errors import BadInput
from inference_core.farm.batch import Batch, Tally, clip_tasks, photo_tasks
from inference_core.farm.inputs import expanded
from inference_core.farm.ledger import Entry
from inference_core.formats.options import ReconstructOptions, TrackOptions

SOME_FAILED = 1


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    inputs: tuple[str, ...]
    out: Path
    options: ReconstructOptions | TrackOptions
    workers: int
    quiet: bool = False


def run(request: Request) -> int:
    """Exit status.

    Raises:
        BadInput: for what cannot be a batch, and a folder that cannot be written.
    """
    photos = isinstance(request.options, ReconstructOptions)
    inputs, left = expanded(request.inputs, clips=not photos)
    if left and not request.quiet:
        shown = ", ".join(Path(name).name for name in left[:20]) + (f" and {len(left) - 20} more" if left[20:] else "")
        err.print(f"[yellow]left out:[/] {escape(shown)}")
    if isinstance(request.options, ReconstructOptions):
        if request.options.one_person != "no":
            raise BadInput("Photos of one person are one task.", "Leave --workers out, or --one-person.")
        tasks = photo_tasks(inputs, request.out, request.options)
    else:
        tasks = clip_tasks(inputs, request.out, request.options)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}", style="dim"),
        console=err,
        transient=True,
        disable=request.quiet or not err.is_terminal,
    )
    with interruptible() as interrupted, bar:
        teller = _Teller(request.quiet, bar, bar.add_task("working", total=len(tasks), pace=""))
        tally = Batch(tasks, request.out, request.workers, teller).run(interrupted.is_set)
        cancelled = interrupted.is_set()
    if not request.quiet:
        before = f", {tally.skipped} were done before" if tally.skipped else ""
        out.print(f"{tally.done} of {tally.total} done{before}, {tally.failed} failed.")
    if cancelled:
        err.print("Interrupted. The same command goes on with what is not done.", style="yellow")
        return INTERRUPTED
    return SOME_FAILED if tally.failed else 0


@dataclass
class _Teller:
    """Entries as lines and a moving bar."""

    quiet: bool
    bar: Progress
    task: TaskID

    def __call__(self, entry: Entry, tally: Tally) -> None:
        left = tally.seconds_left
        words = [f"{tally.per_minute:.1f} a minute", f"{clock(left)} left" if left is not None else ""]
        ended = tally.done + tally.failed + tally.skipped
        self.bar.update(self.task, completed=ended, pace=", ".join(filter(None, words)))
        if entry.status == "failed":
            err.print(f"[bold red]Error:[/] {escape(entry.source)}: {escape(entry.sentence)}")
        elif not self.quiet:
            where = ", ".join(entry.folders)
            out.print(f"[green]done[/] {escape(Path(entry.source).name)} -> {escape(where)}")
