# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to the core and everything that is known about it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ExtensionError
from .messages import STAGE_LABELS, Failure, ReconstructOptions, Result


class JobState(enum.Enum):
    """Where a job stands. The last three are final."""

    STARTING = "starting"  # the core is being started
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"  # over; single images may have failed
    CANCELLED = "cancelled"
    FAILED = "failed"  # the core died or could not be started; `error` says why


FINAL = (JobState.DONE, JobState.CANCELLED, JobState.FAILED)


@dataclass
class Job:
    """Filled in by the client's `step`; read by panels and loops."""

    id: str
    images: tuple[Path, ...]
    out: Path
    options: ReconstructOptions
    state: JobState = JobState.STARTING
    stage: str = ""
    fraction: float = 0.0
    results: list[Result] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    error: ExtensionError | None = None
    stalled_seconds: float = 0.0  # above 0: the core has been silent for longer than it should

    @property
    def finished(self) -> bool:
        """Nothing more will happen."""
        return self.state in FINAL

    @property
    def label(self) -> str:
        """What is going on, for a progress bar."""
        if self.state is JobState.CANCELLING:
            return "Cancelling"
        if self.state is JobState.STARTING:
            return "Starting the core"
        text = STAGE_LABELS.get(self.stage, "Loading the models")
        return f"{text} ({len(self.results) + len(self.failures) + 1}/{len(self.images)})" if self._many else text

    @property
    def _many(self) -> bool:
        return len(self.images) > 1 and len(self.results) + len(self.failures) < len(self.images)
