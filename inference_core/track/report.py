"""What a performance tells about itself: report.json, and the facts of a result message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from inference_core import __version__
from inference_core.formats.options import TrackOptions
from inference_core.head import Head
from inference_core.perception.session import device
from inference_core.take import Take
from inference_core.track.stream import StageTime

Status = Literal["done", "cancelled"]
MOST_RANGES = 200
"""Lost ranges listed; a clip that loses the face more often is not understood better by a longer list."""
POOR_LANDMARK_ERROR = 0.05
"""Over the distance between the eyes; the median of a clip. A person sees beyond it that the head slides."""


@dataclass(frozen=True)
class RunReport:
    """What the job knows about its work when a person's files are written."""

    status: Status
    source: Path | str
    options: TrackOptions
    person: int
    people: Mapping[int, int]  # person -> frames they were seen in
    weights: Mapping[str, str]
    notes: tuple[str, ...]  # on the clip and on this run
    identity_frames: tuple[int, ...]  # source frames the shape was estimated from; empty where it was locked
    landmark_error: float  # median over the valid frames, over the distance between the eyes
    seconds: Mapping[str, float]  # wall clock of each stage of this run
    cpu_seconds: Mapping[str, float]  # of all threads of this process
    times: Mapping[str, StageTime]  # of the streams' stages
    frames_now: int  # frames this run has done itself


def facts_of(take: Take, account: RunReport) -> dict[str, object]:
    """The part that the protocol's result message carries."""
    seconds = sum(account.seconds.values())
    return {
        "status": account.status,
        "frames": take.frame_count,
        "valid_frames": int(take.valid.sum()),
        "cuts": list(take.meta.cuts),
        "lost": lost_ranges(take),
        "landmark_error": round(account.landmark_error, 4) if np.isfinite(account.landmark_error) else None,
        "focal_length_px": round(float(take.intrinsics[0]), 1),
        "frames_per_second": round(account.frames_now / seconds, 2) if seconds > 0 else None,
        "warnings": warnings_of(take, account),
    }


def report_of(take: Take, account: RunReport, head: Head) -> dict[str, object]:
    """What report.json holds."""
    return {
        **facts_of(take, account),
        "source": str(account.source),
        "person": account.person,
        "people": {str(person): frames for person, frames in account.people.items()},
        "fps": round(take.meta.fps, 4),
        "image_size": take.image_size.tolist(),
        "first_frame": int(take.frame_index[0]),
        "last_frame": int(take.frame_index[-1]),
        "identity_frames": list(account.identity_frames),
        "mean_confidence": round(float(take.confidence[take.valid].mean()), 3) if take.valid.any() else None,
        "software_version": __version__,
        "device": device(),
        "head": {"head_id": head.head_id, "sha256": head.sha256, "license": head.licence},
        "weights": dict(account.weights),
        "options": asdict(account.options),
        "seconds": {name: round(value, 2) for name, value in account.seconds.items()},
        "cpu_seconds": {name: round(value, 2) for name, value in account.cpu_seconds.items()},
        "milliseconds_per_frame": {name: time.report() for name, time in account.times.items()},
    }


def lost_ranges(take: Take) -> list[list[int]]:
    """[first, last] source frame of every range without the face, at most MOST_RANGES."""
    gone = np.concatenate([[False], ~take.valid, [False]])
    edges = np.flatnonzero(gone[1:] != gone[:-1])
    ranges = zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)
    index = take.frame_index.tolist()
    return [[index[first], index[last]] for first, last in ranges][:MOST_RANGES]


def warnings_of(take: Take, account: RunReport) -> list[str]:
    """Sentences on what the user should look at."""
    found = list(account.notes)
    lost = take.frame_count - int(take.valid.sum())
    if lost:
        share = 100 * lost / take.frame_count
        found.append(f"The face was not found in {lost} of {take.frame_count} frames ({share:.0f} %).")
    if account.landmark_error > POOR_LANDMARK_ERROR:
        found.append(f"The head lies {100 * account.landmark_error:.0f} % of the eye distance off the face on average.")
    return found
