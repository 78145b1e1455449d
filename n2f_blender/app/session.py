# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives as long as Blender: the client of the core, the job, what the panel shows of them. No bpy."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..core_client import CoreClient, Hello, Job, JobState, ReconstructOptions, Result, server_command
from ..core_client.addition import HeadAddition
from ..core_client.client import PREFERENCES_REMEDY
from ..core_client.jobs import ClipJob, is_unfinished, unfinished_jobs
from ..errors import CoreUnavailable, ExtensionError
from ..formats.replies import Failure, Groomed, HeadEntry
from ..installer.following import Installation
from .delivery import Delivery

_WORTH_SAVING = 0.02  # of a clip's job: how far it goes between two writes of its record


@dataclass
class Session:
    """One per Blender. Holds no references to anything in the .blend."""

    client: CoreClient | None = None
    hello: Hello | None = None  # of the core that was last seen
    results: list[Result] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    error: ExtensionError | None = None
    built: int = 0  # how many results of the job are in the scene
    grown: int = 0  # and how many of its heads of hair
    clip: ClipJob | None = None  # the job, if it tracks a clip
    delivery: Delivery = field(default_factory=Delivery)  # where its takes go
    about_clip: bool = False  # what is shown of the job, and the error, concerns a clip: which panel shows it
    addition: HeadAddition | None = None  # the head that is being added, or was last
    installation: Installation | None = None  # of the core: under way, or the last one
    unfinished: ClipJob | None = None  # a clip that was stopped and can be resumed
    edited_take: str = ""  # uid of the take whose sliders wait, for somebody has edited its curves by hand
    abandoned: bool = False  # another file was opened: what the job still makes belongs nowhere
    _saved: float = 0.0  # the fraction that the clip's record has

    @property
    def job(self) -> Job | None:
        """The last job, also when it is over."""
        return self.client.job if self.client else None

    @property
    def busy(self) -> bool:
        """A job is going on."""
        return self.job is not None and not self.job.finished

    def heads(self) -> tuple[HeadEntry, ...]:
        """What the core announced."""
        return self.hello.heads if self.hello else ()

    def known_heads(self) -> dict[str, Path]:
        """Head id -> file, as the core announced."""
        return {entry.head_id: entry.path for entry in self.heads()}

    def use_core(self, python: Path | None, log_folder: Path) -> CoreClient:
        """The client for this Python; another one than before replaces it.

        Raises:
            CoreUnavailable: where there is no such Python, or the core is not installed in it.
        """
        if python is None or not python.is_file():
            if python is None:
                raise CoreUnavailable("The core is not installed yet.", "Press Install Core.", code="CORE_MISSING")
            raise CoreUnavailable(f"There is no Python at {python}.", PREFERENCES_REMEDY, code="CORE_MISSING")
        command = server_command(python)
        if self.client is None or self.client.command != command:
            self.close()
            self.client = CoreClient(command, log_folder)
        return self.client

    def begin(self, client: CoreClient, images: list[Path], out: Path, options: ReconstructOptions) -> Job:
        """Start a job and forget what the panel showed of the last one.

        Raises:
            CoreUnavailable: where it cannot be started, or is busy.
        """
        job = client.submit(images, out, options)
        self._forget(None, Delivery())
        return job

    def begin_clip(self, client: CoreClient, clip: ClipJob, delivery: Delivery) -> Job:
        """The same for a clip.

        Raises:
            CoreUnavailable: where it cannot be started, or is busy.
        """
        job = client.submit([clip.source], clip.out, clip.options)
        self._forget(clip, delivery)
        return job

    def step(self) -> list[Result | Groomed]:
        """Move on; the results, and the hair of earlier ones, that are new since the last call."""
        client = self.client
        if client is None:
            return []
        client.step()
        self.hello = client.hello or self.hello
        job = client.job
        if job is not None:
            self.results, self.failures = list(job.results), list(job.failures)
            if job.error is not None:
                self.error = job.error
            self._note(job)
        if client.error is not None:
            self.error = client.error
        groomed = job.groomed if job is not None else []
        new: list[Result | Groomed] = [*self.results[self.built :], *groomed[self.grown :]]
        self.built, self.grown = len(self.results), len(groomed)
        # What still arrives after a cancel is not wanted any more, but for a clip: there it is what was done.
        stopped = job is not None and job.state in (JobState.CANCELLING, JobState.CANCELLED)
        return [] if self.abandoned or (stopped and job is not None and not job.is_clip) else new

    def abandon(self) -> None:
        """Stop the job, and build nothing of it."""
        if self.client is not None and self.busy:
            self.abandoned = True
            self.client.cancel()

    def look_for_unfinished(self, takes: Path) -> None:
        """Find the clip that was stopped last, so that the panel can offer to go on with it. Reads files."""
        self.unfinished = next(iter(unfinished_jobs(takes)), None)

    def _forget(self, clip: ClipJob | None, delivery: Delivery) -> None:
        self.results, self.failures, self.error, self.built, self.grown = [], [], None, 0, 0
        self.clip, self.delivery, self.about_clip = clip, delivery, clip is not None
        self.abandoned, self._saved = False, 0.0
        if clip is not None:
            self.unfinished = None  # this one, or an older one: the panel offers one thing at a time

    def _note(self, job: Job) -> None:
        """Keep the clip's record true: how far it is, and at its end whether it can be resumed."""
        if self.clip is None or not job.is_clip:
            return
        if job.finished or job.fraction > self._saved + _WORTH_SAVING:
            self._saved = job.fraction
            fraction = 1.0 if job.state is JobState.DONE else job.fraction
            self.clip = replace(self.clip, fraction=fraction)
            self.clip.save_if_possible()
        if job.finished:
            self.unfinished = self.clip if is_unfinished(self.clip.out) else None
            self.clip = None

    def blame(self, error: Exception) -> None:
        """Show an error in the panel; one that nobody foresaw with its traceback for the report."""
        if isinstance(error, ExtensionError):
            self.error = error
            return
        details = "".join(traceback.format_exception(error))
        self.error = ExtensionError(
            f"Something went wrong: {error}.", "Copy the report and send it to the makers.", details=details
        )

    def add_head(self, python: Path | None, log_folder: Path, source: Path) -> HeadAddition:
        """Let the core convert a head's file and put it into the library.

        Raises:
            CoreUnavailable: where it is not installed or cannot be started.
        """
        if python is None or not python.is_file():
            raise CoreUnavailable("The core is not installed yet.", "Press Install Core.", "CORE_MISSING")
        if self.addition is not None:
            self.addition.stop()
        self.addition = HeadAddition(python, log_folder, source)
        return self.addition

    def close(self) -> None:
        """End the core."""
        if self.addition is not None:
            self.addition.stop()
        self.addition = None
        self.end_core()

    def end_installation(self) -> None:
        """Stop installing; the next time goes on from there."""
        if self.installation is not None:
            self.installation.cancel()
        self.installation = None

    def end_core(self) -> None:
        """End the core's process and forget what it said of itself: its files are about to change."""
        if self.client is not None:
            self.client.shutdown()
        self.hello = None
        self.client = None


session = Session()
