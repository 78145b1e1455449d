# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives as long as Blender: the client of the core, the job, what the panel shows of them. No bpy."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from pathlib import Path

from .core_client import CoreClient, Hello, Job, JobState, ReconstructOptions, Result, server_command
from .core_client.client import PREFERENCES_REMEDY
from .core_client.messages import Failure, HeadEntry
from .errors import CoreUnavailable, ExtensionError


@dataclass
class Session:
    """One per Blender. Holds no references to anything in the .blend."""

    client: CoreClient | None = None
    hello: Hello | None = None  # of the core that was last seen
    results: list[Result] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    error: ExtensionError | None = None
    built: int = 0  # how many results of the job are in the scene

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
        """The client for this Python; another one than before replaces it. Raises CoreUnavailable."""
        if python is None or not python.is_file():
            where = f"There is no Python at {python}." if python else "The extension does not know where the core is."
            raise CoreUnavailable(where, PREFERENCES_REMEDY, code="CORE_MISSING")
        command = server_command(python)
        if self.client is None or self.client.command != command:
            self.close()
            self.client = CoreClient(command, log_folder)
        return self.client

    def begin(self, client: CoreClient, images: list[Path], out: Path, options: ReconstructOptions) -> Job:
        """Start a job and forget what the panel showed of the last one. Raises CoreUnavailable."""
        job = client.submit(images, out, options)
        self.results, self.failures, self.error, self.built = [], [], None, 0
        return job

    def step(self) -> list[Result]:
        """Move on; the results that are new since the last call."""
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
        if client.error is not None:
            self.error = client.error
        new = self.results[self.built :]
        self.built = len(self.results)
        # What still arrives after a cancel is not wanted any more; another file may be open by now.
        return [] if job is not None and job.state in (JobState.CANCELLING, JobState.CANCELLED) else new

    def blame(self, error: Exception) -> None:
        """Show an error in the panel; one that nobody foresaw with its traceback for the report."""
        if isinstance(error, ExtensionError):
            self.error = error
            return
        details = "".join(traceback.format_exception(error))
        self.error = ExtensionError(
            f"Something went wrong: {error}.", "Copy the report and send it to the makers.", details=details
        )

    def close(self) -> None:
        """End the core."""
        if self.client is not None:
            self.client.shutdown()
        self.client = None


session = Session()
