"""Writing a folder of results so that it is never seen half-written."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from inference_core.errors import BadInput
from inference_core.formats.writing import owned, remove_leftovers
from inference_core.reconstruct.ownership import alone_in, refuse_foreign

_PREFIX = ".n2f-partial-"


@contextmanager
def atomic_folder(folder: Path, inputs: Iterable[str | Path] = ()) -> Iterator[Path]:
    """Yields an empty folder to write into; what it then holds appears in `folder` when the block succeeds.

    If the block fails, nothing appears and folders made on the way are removed again. A killed process leaves a hidden
    folder beside the results, which the next run removes. OSError becomes BadInput with the reason; so does a file of
    `inputs`, or one that is no result of ours, where a result would go: see `ownership`.
    """
    made: list[Path] = []
    partial: Path | None = None
    try:
        made = _make(folder)
        remove_leftovers(folder, _PREFIX)
        partial = Path(tempfile.mkdtemp(prefix=owned(_PREFIX), dir=folder))
        yield partial
        complete = sorted(partial.iterdir())
        with alone_in(folder):
            refuse_foreign(folder, [path.name for path in complete], inputs)
            for path in complete:
                path.replace(folder / path.name)
        made = []
    except OSError as error:
        raise explained(error, folder) from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
        for path in reversed(made):
            with suppress(OSError):  # somebody else put something there
                path.rmdir()


def _make(folder: Path) -> list[Path]:
    """Makes `folder` with its parents; returns those that were not there, outermost first."""
    missing: list[Path] = []
    path = folder
    while not path.exists() and path != path.parent:
        missing.append(path)
        path = path.parent
    made: list[Path] = []
    try:
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            made.append(path)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    except OSError:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir()
        raise
    return made


def explained(error: OSError, folder: Path) -> BadInput:
    """What a disk's refusal to write into `folder` means."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BadInput(
            f"The disk is full; nothing was written to '{folder}'.", "Free some space or choose another disk."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return BadInput(f"'{folder}' may not be written.", "Choose another output folder.")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return BadInput(f"'{folder}' is not a folder.", "Choose another output folder.")
    return BadInput(f"'{folder}' cannot be written: {error.strerror or error}.", "Choose another output folder.")
