"""What the stages of a job cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from inference_core.formats.protocol import TrackStage
from inference_core.track.stream import StageTime


@dataclass
class Costs:
    """Of this run: s of each stage by the clock on the wall and of all cores, and what the streams' threads did."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    times: dict[str, StageTime] = field(default_factory=dict)

    @contextmanager
    def clock(self, stage: TrackStage) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.seconds[stage] = time.perf_counter() - wall
            self.cpu_seconds[stage] = time.process_time() - cpu

    def frames(self, done: int) -> int:
        """How many of the `done` frames this run has fitted itself."""
        fitted = self.times.get("perform: fit")
        return done if fitted is None else fitted.items

    def add(self, stage: TrackStage, times: dict[str, StageTime]) -> None:
        self.times.update({f"{stage}: {name}": value for name, value in times.items()})
