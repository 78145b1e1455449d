"""The hidden folder beside the results that holds an unfinished job: what it is about, and the records so far."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from inference_core.errors import BadInput
from inference_core.formats.writing import write_text_whole

FOLDER = ".n2f-track"
_JOB, _LOCK = "job.json", "lock"
_HASHED_BYTES = 1 << 20


class WorkFolder:
    """Opened by one process at a time.

    `job` says what the records depend on. With `resume` the records of the same job stay; those of another job are
    refused with what differs. Without it they are removed. `resumed` says whether there were any.

    Raises:
        BadInput: where that is not possible.
        OSError: where the disk refuses.
    """

    def __init__(self, out: Path, job: dict[str, object], *, resume: bool) -> None:
        self.out = out
        self.path = out / FOLDER
        self._made = _missing(out)
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = lock(self.path / _LOCK, out)
        try:
            earlier = self.load(_JOB)
            self.resumed = resume and earlier is not None
            self.replaced = earlier is not None and not resume
            job = json.loads(json.dumps(job))  # as it will be read again: tuples are lists
            if resume and earlier is not None and earlier != job:
                raise _other_job(out, earlier, job)
            if not self.resumed:
                self._empty()
                self.save(_JOB, job)
        except BaseException:
            self.release()
            raise

    def save(self, name: str, values: dict[str, Any]) -> None:
        """A small JSON file, whole or not at all."""
        write_text_whole(self.path / name, json.dumps(values))

    def load(self, name: str) -> dict[str, Any] | None:
        """None where there is none, or none that can be read."""
        try:
            values = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return values if isinstance(values, dict) else None

    def folder(self, name: str) -> Path:
        """An empty folder for what is made from the records."""
        path = self.path / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(exist_ok=True)
        return path

    @property
    def worthless(self) -> bool:
        """Whether not a single frame is recorded."""
        return not any(path.stat().st_size for path in self.path.glob("*.rec"))

    def release(self) -> None:
        """Leaves everything as it is for a later `resume`."""
        self._lock.close()

    def remove(self) -> None:
        """The work is finished, or there is none: the folder goes, and folders made for it that are empty."""
        self.release()
        shutil.rmtree(self.path, ignore_errors=True)
        for folder in self._made:
            with suppress(OSError):  # there are results in it
                folder.rmdir()

    def _empty(self) -> None:
        for path in self.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != _LOCK:
                path.unlink()


def fingerprint(source: Path) -> str:
    """Tells whether a clip is still the same, without reading gigabytes.

    A file: its size, first and last megabyte. Not its date, which copying to another machine changes. Anything else
    (a folder or a pattern of pictures): names and sizes of the files there.
    """
    digest = hashlib.sha256()
    if source.is_file():
        size = source.stat().st_size
        digest.update(str(size).encode())
        with source.open("rb") as file:
            digest.update(file.read(_HASHED_BYTES))
            file.seek(max(0, size - _HASHED_BYTES))
            digest.update(file.read(_HASHED_BYTES))
    else:
        folder = source if source.is_dir() else source.parent
        with os.scandir(folder) as entries:
            files = sorted((entry.name, entry.stat().st_size) for entry in entries if entry.is_file())
        wanted = [file for file in files if source.is_dir() or file[0].endswith(source.suffix)]
        digest.update(repr(wanted).encode())
    return digest.hexdigest()


def _missing(folder: Path) -> list[Path]:
    """`folder` and its parents that are not there yet, innermost first."""
    missing = []
    while not folder.exists() and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    return missing


def _other_job(out: Path, earlier: dict[str, Any], job: dict[str, Any]) -> BadInput:
    differing = sorted(key for key in {*earlier, *job} if earlier.get(key) != job.get(key))
    return BadInput(
        f"The interrupted work in '{out}' was another job: {', '.join(differing)} differ.",
        "Resume it with the same clip and options, choose another folder, or begin anew without resuming.",
    )


def lock(path: Path, out: Path) -> IO[bytes]:
    """Held until the file is closed, also by the death of the process: the system's own lock.

    Raises:
        BadInput: where another process holds it.
        OSError: where the file cannot be made.
    """
    file = path.open("ab")
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise BadInput(
            f"Another run is writing to '{out}'.", "Wait until it ends, or choose another folder."
        ) from error
    return file
