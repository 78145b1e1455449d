# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders of clip jobs: the same clip has the same folder, and a job that was stopped is found again in it.

A folder holds finished work, unfinished work or neither. Unfinished: the core's own hidden folder is still in it.
Finished: there is a take. Finished work is never written over, for avatars in .blend files refer to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ..errors import ExtensionError
from ..formats.options import TrackOptions
from ..formats.writing import write_text_whole

RECORD = "job.json"
WORK_FOLDER = ".n2f-track"  # the core's; it goes when the job is finished
_RESULTS = ("take.npz", "person_*", "report.json")
_FORMAT = "n2f-clip-job"


@dataclass(frozen=True)
class ClipJob:
    """What was asked for. `delivery`: what the caller wants to find again; `fraction`: how far it had come, 0..1."""

    source: Path
    out: Path
    options: TrackOptions
    delivery: dict[str, object] = field(default_factory=dict)
    fraction: float = 0.0

    @property
    def work_folder(self) -> Path:
        """The frames that are done, while the job is not finished."""
        return self.out / WORK_FOLDER

    def save(self) -> None:
        """Write the record, whole or not at all.

        Raises:
            OSError: where it cannot be written.
        """
        values = {
            "format": _FORMAT,
            "source": str(self.source),
            "options": asdict(self.options),
            "delivery": self.delivery,
            "fraction": round(self.fraction, 4),
        }
        write_text_whole(self.out / RECORD, json.dumps(values, indent=1))

    def save_if_possible(self) -> None:
        """The same where the job does not depend on it: a full disk is said by the core."""
        with contextlib.suppress(OSError):
            self.save()

    def resumed(self) -> ClipJob:
        """The same job, going on where it was stopped."""
        return replace(self, options=replace(self.options, resume=True))


def prepare(takes: Path, source: Path, options: TrackOptions, delivery: dict[str, object]) -> ClipJob:
    """The job for a clip, with its folder: the unfinished one of the same clip and options, else a free one.

    Raises:
        ExtensionError: when nothing can be written there.
    """
    base = takes / f"{_plain(source.stem)}_{_digest(source, options)}"
    number = 1
    while True:
        folder = base if number == 1 else base.with_name(f"{base.name}_{number}")
        earlier = read(folder) if is_unfinished(folder) else None
        if earlier is not None and _same(earlier, source, options):
            job = replace(earlier, delivery=delivery).resumed()
            break
        if earlier is None and not is_unfinished(folder) and not has_results(folder):
            job = ClipJob(source, folder, replace(options, resume=False), delivery)
            break
        number += 1
    try:
        job.out.mkdir(parents=True, exist_ok=True)
        job.save()
    except OSError as error:
        raise ExtensionError(
            f"Takes cannot be written to {takes}: {error.strerror}.",
            "Choose another folder in the extension's preferences, or make room there.",
            code="BAD_INPUT",
        ) from error
    return job


def unfinished_jobs(takes: Path) -> list[ClipJob]:
    """Jobs in this folder that were stopped, by a cancel or a crash; the last one first."""
    found: list[tuple[float, ClipJob]] = []
    with contextlib.suppress(OSError):
        for folder in takes.iterdir():
            job = read(folder) if is_unfinished(folder) else None
            if job is not None:
                found.append(((folder / RECORD).stat().st_mtime, job))
    return [job for _time, job in sorted(found, key=lambda item: item[0], reverse=True)]


def read(folder: Path) -> ClipJob | None:
    """The record in a folder; None where there is none that can be read."""
    try:
        values = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if values["format"] != _FORMAT:
            return None
        options = TrackOptions.read({"look": "none", **values["options"]})  # jobs begun before clips gave a skin
        return ClipJob(Path(values["source"]), folder, options, dict(values["delivery"]), float(values["fraction"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_unfinished(folder: Path) -> bool:
    """The core has left work here that it can go on with."""
    return (folder / WORK_FOLDER).is_dir()


def has_results(folder: Path) -> bool:
    """Something was finished here, or written by somebody else."""
    return any(next(folder.glob(name), None) for name in _RESULTS)


def _same(job: ClipJob, source: Path, options: TrackOptions) -> bool:
    """Only what the core's work depends on: it refuses to go on with anything else."""

    def essence(item: TrackOptions) -> TrackOptions:
        return replace(item, resume=False, overlay=True, smoothing=TrackOptions().smoothing)

    return job.source == source and essence(job.options) == essence(options)


def _digest(source: Path, options: TrackOptions) -> str:
    asked = json.dumps([str(source), options.start, options.end, options.people, options.head])
    return hashlib.sha256(asked.encode()).hexdigest()[:8]


def _plain(stem: str) -> str:
    """A file name that every system takes: patterns of image sequences have % and #."""
    kept = "".join(letter if letter.isalnum() or letter in "-_. " else "_" for letter in stem)
    return kept.strip(" ._")[:40] or "clip"
