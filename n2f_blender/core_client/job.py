# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to the core and everything that is known about it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import ExtensionError
from ..formats.options import ReconstructOptions, TrackOptions
from ..formats.protocol import FRAME_STAGES
from ..formats.replies import Failure, Groomed, Progress, Result
from ..formats.requests import Reconstruct, Track

STAGE_LABELS: dict[str, str] = {
    "detect": "Finding the face",
    "normals": "Reading the surface",
    "n2fnet": "Estimating the head",
    "fit": "Fitting the head",
    "look": "Painting the skin",
    "hair": "Cutting the hair",
    "detail": "Reading the fine detail",
    "maps": "Mapping the surface",
    "write": "Writing the take",
    "follow": "Following the face",
    "identity": "Finding the person's shape",
    "perform": "Tracking the performance",
    "smooth": "Smoothing",
    "overlay": "Writing the overlay",
}


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
    """Filled in by the client's `step`; read by panels and loops. A clip is the only one of its `images`."""

    id: str
    images: tuple[Path, ...]
    out: Path
    options: ReconstructOptions | TrackOptions
    state: JobState = JobState.STARTING
    stage: str = ""
    fraction: float = 0.0
    done: int = 0  # of `total` frames, in stages that count frames
    total: int = 0
    frames_per_second: float | None = None
    seconds_left: float | None = None
    results: list[Result] = field(default_factory=list)
    groomed: list[Groomed] = field(default_factory=list)  # hair of results, which came after them
    failures: list[Failure] = field(default_factory=list)
    error: ExtensionError | None = None
    stalled_seconds: float = 0.0  # above 0: the core has been silent for longer than it should

    @property
    def finished(self) -> bool:
        """Nothing more will happen."""
        return self.state in FINAL

    @property
    def is_clip(self) -> bool:
        """A performance is tracked; otherwise heads are reconstructed from photos."""
        return isinstance(self.options, TrackOptions)

    @property
    def label(self) -> str:
        """What is going on, for a progress bar."""
        if self.state is JobState.CANCELLING:
            return "Keeping what is done" if self.is_clip else "Cancelling"
        if self.state is JobState.STARTING:
            return "Starting the core"
        text = STAGE_LABELS.get(self.stage, "Loading the models")
        return f"{text} ({len(self.results) + len(self.failures) + 1}/{len(self.images)})" if self._many else text

    @property
    def pace(self) -> str:
        """How fast and how long still, e.g. "frame 120 of 382, 31 a second, 9 s left"; empty when nobody knows."""
        if self.state is not JobState.RUNNING:
            return ""
        parts = []
        if self.total and self.stage in FRAME_STAGES:
            parts.append(f"{self.done} of {self.total} frames")
        if self.frames_per_second:
            parts.append(f"{self.frames_per_second:.0f} a second")
        if self.seconds_left is not None:
            parts.append(f"{duration(self.seconds_left)} left")
        return ", ".join(parts)

    def advance(self, progress: Progress) -> None:
        """The bar never goes back; what the core does not say any more is forgotten."""
        self.stage = progress.stage
        self.fraction = max(self.fraction, progress.fraction)
        self.done, self.total = progress.done, progress.total
        self.frames_per_second, self.seconds_left = progress.frames_per_second, progress.seconds_left

    def groom(self, hair: Groomed) -> None:
        """Hair has grown: its result knows its files, sentences and time from now on."""
        self.groomed.append(hair)
        self.results = [_with_hair(one, hair) if one.take == hair.take else one for one in self.results]

    def request(self) -> Reconstruct | Track:
        """What asks the core for it."""
        if isinstance(self.options, TrackOptions):
            return Track(self.id, str(self.images[0]), str(self.out), self.options)
        return Reconstruct(self.id, tuple(map(str, self.images)), str(self.out), self.options)

    @property
    def _many(self) -> bool:
        return len(self.images) > 1 and len(self.results) + len(self.failures) < len(self.images)


def _with_hair(result: Result, hair: Groomed) -> Result:
    known = result.summary
    timings = {**known.timings_ms, "hair": hair.milliseconds}
    timings["total"] = timings.get("total", 0.0) + hair.milliseconds
    facts = {**result.facts, "warnings": [*known.warnings, *hair.warnings], "timings_ms": timings}
    return replace(result, files={**result.files, **hair.files}, facts=facts)


def duration(seconds: float) -> str:
    """A time as one says it: 9 s, 2 min 30 s, 1 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
