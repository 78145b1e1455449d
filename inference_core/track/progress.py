"""What a job tells while it runs: at most ten times a second, with a pace and the time that is left."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inference_core.formats.protocol import TRACK_STAGES, TrackStage

INTERVAL = 0.1  # s
UNKNOWN_LENGTH = 500
"""Frames after which half of a stage is shown as done where nobody knows how many there are."""
PACE_SECONDS = 2.0
"""The pace is that of the last seconds: over the whole stage it would hide that a machine has become busy."""
COST: dict[TrackStage, float] = {
    "follow": 10.0,
    "identity": 2.0,
    "perform": 22.0,
    "smooth": 0.5,
    "look": 6.0,
    "overlay": 8.0,
}
"""ms a frame, by experience: how the bar is shared among the stages."""


@dataclass(frozen=True)
class Progress:
    """`done` of `total` frames of a stage are behind, and `fraction` (0..1) of the whole job."""

    stage: TrackStage
    done: int
    total: int
    fraction: float
    frames_per_second: float | None = None
    seconds_left: float | None = None


class ProgressRate:
    """Counts frames and tells of them; `begin` each stage in turn, then `reach` after each frame."""

    def __init__(
        self,
        tell: Callable[[Progress], None],
        stages: Sequence[TrackStage] = TRACK_STAGES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell, self._clock = tell, clock
        whole = sum(COST[stage] for stage in stages)
        self._share = {stage: COST[stage] / whole for stage in stages}
        self._behind = 0.0  # the fraction of all finished stages
        self._started = clock()
        self._given = -1.0  # what a resumed job had behind it when this run began
        self._told = float("-inf")
        self._stage: TrackStage | None = None
        self._total = 0
        self._marks: deque[tuple[float, int]] = deque()

    def begin(self, stage: TrackStage, total: int, done: int = 0) -> None:
        """A stage of `total` frames (0: not known), of which `done` are there from an earlier run. Always told."""
        if self._stage is not None:
            self._behind += self._share[self._stage]
        self._stage, self._total = stage, total
        self._marks.clear()
        if self._given < 0 and done < total:
            self._given = self._fraction(done)
        self._told = float("-inf")
        self.reach(done)

    def reach(self, done: int) -> None:
        """`done` frames of the stage are behind."""
        now = self._clock()
        if now - self._told < INTERVAL:
            return
        self._told = now
        assert self._stage is not None
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[0][0] > PACE_SECONDS:
            self._marks.popleft()
        (since, first), fraction = self._marks[0], self._fraction(done)
        pace = (done - first) / (now - since) if now > since else None
        gained, elapsed = fraction - max(0.0, self._given), now - self._started
        left = elapsed * (1.0 - fraction) / gained if gained > 0.01 and elapsed > 1.0 else None
        # A container's frame count is an estimate.
        self._tell(Progress(self._stage, done, max(self._total, done), fraction, pace, left))

    def _fraction(self, done: int) -> float:
        assert self._stage is not None
        within = min(1.0, done / self._total) if self._total else done / (done + UNKNOWN_LENGTH)
        return min(1.0, self._behind + self._share[self._stage] * within)
