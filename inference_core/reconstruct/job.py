"""Many photos into many folders: what the server and the command line share."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from inference_core.errors import Cancelled, CoreError, Internal, OutOfMemory, lacks_memory
from inference_core.formats.options import ReconstructOptions
from inference_core.formats.protocol import STAGES, Stage
from inference_core.hair.barber import none_of
from inference_core.reconstruct.files import ResultFiles, add_hair, facts_of, write_files
from inference_core.reconstruct.ownership import replaced_results
from inference_core.reconstruct.pipeline import Checkpoint, Reconstruction, Reconstructor

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
class HairDone:
    """The hair of a face that was done before is in its folder; `warnings` are those that it added."""

    image: str
    face: int
    take: Path
    files: dict[str, str]
    warnings: tuple[str, ...]
    milliseconds: float


@dataclass(frozen=True)
class ImageFailed:
    """A photo gave no result, or one of its faces did not; the job goes on with the next."""

    image: str
    error: CoreError


Event = Progress | FaceDone | HairDone | ImageFailed


class StageReached(Protocol):
    """Told before each stage. `share`, `of`: which part of the photo's work this is.

    Raises:
        Cancelled: to stop the work.
    """

    def __call__(self, stage: Stage, share: float = 0.0, of: float = 1.0) -> None: ...


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
        options: ReconstructOptions,
        emit: Callable[[Event], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._images = list(images)
        self._out = out
        self._options = options
        self._emit = emit
        self._cancelled = cancelled
        self._folders = folder_names(self._images)
        self._told, self._behind = float("-inf"), 0.0

    def run(self, reconstructor: Reconstructor) -> Summary:
        """All photos. Raises nothing but what `emit` raises: every failure becomes an event."""
        self._finished = self._failed = 0
        try:
            self._work(reconstructor)
        except Cancelled:
            return Summary(self._finished, self._failed, cancelled=True)
        return Summary(self._finished, self._failed, cancelled=False)

    def _work(self, reconstructor: Reconstructor) -> None:
        """Photo after photo.

        Raises:
            Cancelled: when the user stops it.
        """
        for index in range(len(self._images)):
            with self._attempt(index):
                self._one(reconstructor, index)
                self._finished += 1

    @contextmanager
    def _attempt(self, index: int, photos: int = 1) -> Iterator[None]:
        """Work on a photo, or on `photos` of which it is the first: what fails becomes an event.

        Raises:
            Cancelled: when the user stops it.
        """
        image = self._images[index]
        error: CoreError
        try:
            yield
            return
        except Cancelled:
            raise
        except CoreError as failure:
            error = failure
        except Exception as failure:  # a defect in one photo must not take the other photos with it
            error = self._explained(image, failure)
        self._failed += photos
        self._emit(ImageFailed(image, error))

    @staticmethod
    def _explained(image: str, failure: Exception) -> CoreError:
        """What no routine has explained: the machine's want of memory, or a defect."""
        if lacks_memory(failure):
            LOG.warning("no memory for %s", image, exc_info=failure)
            return OutOfMemory(f"There is not enough memory for '{Path(image).name}'.", "Save the photo smaller.")
        LOG.exception("a defect with %s", image)
        return Internal(
            f"'{Path(image).name}' met a defect of this program: {type(failure).__name__}: {failure}.",
            "Report it with the log and, if you may, the photo.",
        )

    def _checkpoint(self, index: int) -> StageReached:
        def checkpoint(stage: Stage, share: float = 0.0, of: float = 1.0) -> None:
            if self._cancelled():
                raise Cancelled("The work was stopped.", "What was finished before stays.")
            self._progress(stage, index, share + of * STAGES.index(stage) / len(STAGES))

        return checkpoint

    def _one(self, reconstructor: Reconstructor, index: int) -> None:
        image, options = self._images[index], self._options
        checkpoint = self._checkpoint(index)
        photo, faces, found, timings = reconstructor.faces_of(image, options, checkpoint)
        failures: list[Exception] = []
        for count, (number, face) in enumerate(faces):
            share, of = count / len(faces), 1 / len(faces)
            try:
                made = reconstructor.reconstruct(
                    photo,
                    face,
                    options,
                    lambda stage, share=share, of=of: checkpoint(stage, share, of),  # type: ignore[misc]
                    number=number,
                    faces_found=found,
                    timings_ms=timings,
                )
                folder = self._folder(index, number, several=len(faces) > 1)
                self._dress(
                    reconstructor,
                    made,
                    lambda stage, share=share, of=of: checkpoint(stage, share, of),  # type: ignore[misc]
                    lambda dressed, folder=folder: self._write(reconstructor, index, dressed, folder),  # type: ignore[misc]
                )
            except (Cancelled, OutOfMemory):
                raise
            except Exception as error:  # one face must not take the others with it
                failures.append(error)
        if failures:
            raise failures[0]

    def _dress(
        self,
        reconstructor: Reconstructor,
        made: Reconstruction,
        checkpoint: Checkpoint,
        write: Callable[[Reconstruction], FaceDone],
        others: Sequence[Reconstruction] = (),
    ) -> None:
        """Skin, maps and hair, written and told: as one, or the hair after the head.

        A job that is cancelled while the hair grows keeps the head.

        Raises:
            Cancelled: where the checkpoint says so.
        """
        options = self._options
        if not options.head_first or options.hair == "none":
            dressed = reconstructor.finished(made, options, checkpoint, others)
            checkpoint("write")
            self._emit(write(dressed))
            return
        bald = reconstructor.finished(made, replace(options, hair="none"), checkpoint, others)
        checkpoint("write")
        told = write(replace(bald, hair=none_of("growing")))
        self._emit(told)
        if told.files.hair is None:  # there was memory for the bare head alone
            return
        grown = reconstructor.groomed(bald, options, checkpoint)
        checkpoint("write")
        files = add_hair(told.folder, reconstructor.models, grown)
        warnings = grown.warnings[len(bald.warnings) :]
        self._emit(HairDone(told.image, told.face, told.files.take, files, warnings, grown.timings_ms["hair"]))

    def _write(self, reconstructor: Reconstructor, index: int, made: Reconstruction, folder: Path) -> FaceDone:
        image = self._images[index]
        replaced = replaced_results(folder, "image", image)
        if replaced is not None:
            made = replace(made, warnings=(*made.warnings, replaced))
        try:
            files, complete = write_files(folder, reconstructor.models, made, self._images)
        except Exception as error:
            if not lacks_memory(error) or made.is_plain:
                raise
            made = made.plain()  # pictures of the skin take most: without them there may be room for the head
            files, complete = write_files(folder, reconstructor.models, made, self._images)
        return FaceDone(image, made.number, folder.absolute(), files, facts_of(made, complete))

    def _folder(self, index: int, number: int, *, several: bool) -> Path:
        """One photo and one face: the output folder itself. Otherwise one folder a face, named after the photo."""
        if several:
            taken = {name.casefold() for name in self._folders}  # another photo may be called as this one's face
            return self._out / unused(f"{self._folders[index]}_face{number}", taken)
        return self._out if len(self._images) == 1 else self._out / self._folders[index]

    def _progress(self, stage: Stage, index: int, within: float) -> None:
        now = time.monotonic()
        if now - self._told >= PROGRESS_INTERVAL:
            self._told = now
            total = len(self._images)
            self._behind = max(self._behind, (index + within) / total)  # hair may come after writing
            self._emit(Progress(stage, index, total, self._behind))


def folder_names(images: Sequence[str]) -> list[str]:
    """One name a photo: its stem, numbered where two photos share one (ignoring case, as some file systems do)."""
    names: list[str] = []
    taken: set[str] = set()
    for image in images:
        stem = Path(image).stem.strip(" .") or "photo"
        name = unused(stem, taken)
        taken.add(name.casefold())
        names.append(name)
    return names


def unused(name: str, taken: Set[str]) -> str:
    """`name`, numbered where it is among `taken`, which are casefolded."""
    free, count = name, 1
    while free.casefold() in taken:
        count += 1
        free = f"{name}_{count}"
    return free
