"""Many photos into many folders: what the server and the command line share."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference_core.errors import Cancelled, CoreError, Internal, OutOfMemory
from inference_core.reconstruct.files import ResultFiles, facts_of, write_files
from inference_core.reconstruct.options import STAGES, Options, Stage
from inference_core.reconstruct.pipeline import Reconstructor

PROGRESS_INTERVAL = 0.1  # s
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """`stage` of photo number `done` + 1 of `total` begins; `fraction` of the whole job is behind."""

    stage: Stage
    done: int
    total: int
    fraction: float


@dataclass(frozen=True)
class FaceDone:
    """A face's folder is complete."""

    image: str
    face: int
    folder: Path
    files: ResultFiles
    facts: dict[str, object]


@dataclass(frozen=True)
class ImageFailed:
    """A photo gave no result, or one of its faces did not; the job goes on with the next."""

    image: str
    error: CoreError


Event = Progress | FaceDone | ImageFailed


@dataclass(frozen=True)
class Summary:
    """Photos that finished and failed; `cancelled` jobs have photos that did neither."""

    finished: int
    failed: int
    cancelled: bool


class Job:
    """One request. `emit` gets the events in order; `cancelled` is asked between stages."""

    def __init__(
        self,
        images: Sequence[str],
        out: Path,
        options: Options,
        emit: Callable[[Event], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._images = list(images)
        self._out = out
        self._options = options
        self._emit = emit
        self._cancelled = cancelled
        self._folders = folder_names(self._images)
        self._told = float("-inf")

    def run(self, reconstructor: Reconstructor) -> Summary:
        """All photos. Raises nothing but what `emit` raises: every failure becomes an event."""
        finished = failed = 0
        for index, image in enumerate(self._images):
            try:
                self._one(reconstructor, index)
                finished += 1
            except Cancelled:
                return Summary(finished, failed, cancelled=True)
            except CoreError as error:
                failed += 1
                self._emit(ImageFailed(image, error))
            except MemoryError:
                failed += 1
                reason = OutOfMemory(f"There is not enough memory for '{Path(image).name}'.", "Save the photo smaller.")
                self._emit(ImageFailed(image, reason))
            except Exception as error:  # a defect in one photo must not take the other photos with it
                failed += 1
                LOG.exception("a defect with %s", image)
                defect = Internal(
                    f"'{Path(image).name}' met a defect of this program: {type(error).__name__}: {error}.",
                    "Report it with the log and, if you may, the photo.",
                )
                self._emit(ImageFailed(image, defect))
        return Summary(finished, failed, cancelled=False)

    def _one(self, reconstructor: Reconstructor, index: int) -> None:
        image, options = self._images[index], self._options

        def checkpoint(stage: Stage, share: float = 0.0, of: float = 1.0) -> None:
            if self._cancelled():
                raise Cancelled("The work was stopped.", "What was finished before stays.")
            within = share + of * STAGES.index(stage) / len(STAGES)
            self._progress(stage, index, within)

        photo, faces, found, timings = reconstructor.faces_of(image, options, checkpoint)
        for count, (number, face) in enumerate(faces):
            share, of = count / len(faces), 1 / len(faces)
            made = reconstructor.reconstruct(
                photo,
                face,
                options,
                lambda stage, share=share, of=of: checkpoint(stage, share, of),  # type: ignore[misc]
                number=number,
                faces_found=found,
                timings_ms=timings,
            )
            made = reconstructor.painted(
                made,
                options,
                lambda stage, share=share, of=of: checkpoint(stage, share, of),  # type: ignore[misc]
            )
            checkpoint("write", share, of)
            folder = self._folder(index, number, several=len(faces) > 1)
            files, complete = write_files(folder, reconstructor.models, made)
            self._emit(FaceDone(image, number, folder.absolute(), files, facts_of(made, complete)))

    def _folder(self, index: int, number: int, *, several: bool) -> Path:
        """One photo and one face: the output folder itself. Otherwise one folder a face, named after the photo."""
        if several:
            return self._out / f"{self._folders[index]}_face{number}"
        return self._out if len(self._images) == 1 else self._out / self._folders[index]

    def _progress(self, stage: Stage, index: int, within: float) -> None:
        now = time.monotonic()
        if now - self._told >= PROGRESS_INTERVAL:
            self._told = now
            total = len(self._images)
            self._emit(Progress(stage, index, total, (index + within) / total))


def folder_names(images: Sequence[str]) -> list[str]:
    """One name a photo: its stem, numbered where two photos share one (ignoring case, as some file systems do)."""
    names: list[str] = []
    taken: set[str] = set()
    for image in images:
        stem = Path(image).stem.strip(" .") or "photo"
        name, count = stem, 1
        while name.casefold() in taken:
            count += 1
            name = f"{stem}_{count}"
        taken.add(name.casefold())
        names.append(name)
    return names
