"""Whose a file in an output folder is: results of an earlier run may be replaced, nothing else ever.

A results folder is marked by its report.json, which lists the files written beside it with their size and checksum. A
file that is not listed, or has changed since, belongs to the user.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from inference_core.errors import BadInput

REPORT = "report.json"
FILES = "files"
"""The key of a report that holds the list: name -> {bytes, crc32}, or null for one that is about to be written."""
_CHUNK = 1 << 20


def listed(folder: Path, files: Iterable[Path]) -> dict[str, dict[str, int] | None]:
    """The list for the report in `folder`; files that are not there yet are announced.

    Raises:
        OSError: where a file cannot be read.
    """
    return {
        Path(os.path.relpath(path, folder)).as_posix(): _mark(path) if path.exists() else None
        for path in sorted(files)
        if path.name != REPORT
    }


def refuse_foreign(folder: Path, names: Iterable[str], inputs: Iterable[str | Path] = ()) -> None:
    """Inputs are told by the file itself, not by its path.

    Raises:
        BadInput: where writing `names` into `folder` would replace an input, or a file that is no result of ours.
    """
    there = [folder / name for name in names if os.path.lexists(folder / name)]
    if not there:
        return
    given = [Path(path) for path in inputs]
    results = _results(folder)
    for path in there:
        if any(_same(path, one) for one in given):
            raise BadInput(
                f"'{path}' is an input, and a result would replace it; nothing was written.",
                "Choose another output folder.",
            )
        if not _is_result(path, results):
            raise BadInput(
                f"'{path}' is there and is no result of an earlier run; nothing was written.",
                "Choose another output folder, or move the file away.",
            )


def is_whole(folder: Path) -> bool:
    """Whether a report of ours lies there and every file that it lists is as it was written."""
    files = _report(folder / REPORT).get(FILES)
    if not isinstance(files, Mapping) or not files:
        return False
    try:
        return all(mark is None or mark == _mark(folder / str(name)) for name, mark in files.items())
    except (OSError, ValueError):
        return False


def replaced_results(folder: Path, key: str, source: str) -> str | None:
    """A sentence where the results in `folder` are those of another photo or clip, as `key` of their report says."""
    report = _report(folder / REPORT)
    earlier = report.get(key)
    if not isinstance(earlier, str) or Path(earlier).absolute() == Path(source).absolute():
        return None
    return f"The results of '{Path(earlier).name}' that were in the folder were replaced."


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Results of two runs are moved into one folder one after the other, never mixed. Without locks: hoped for."""
    if os.name == "nt":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _results(folder: Path) -> dict[Path, dict[str, int] | None]:
    """What the reports in `folder`, and in its people's folders, say was written."""
    found: dict[Path, dict[str, int] | None] = {}
    for path in (folder / REPORT, *folder.glob(f"person_*/{REPORT}")):
        report = _report(path)
        if not report:
            continue
        found[_whole(path)] = None
        files = report.get(FILES)
        if isinstance(files, Mapping):
            found.update({_whole(path.parent / str(name)): mark for name, mark in files.items()})
        else:  # before reports had a list
            found.update({_whole(path.parent / name): None for name in _EARLIER})
    return found


_EARLIER = ("take.npz", "raw.npz", "head.obj", "neutral.obj", "overlay.png", "normals.png", "mask.png", "overlay.mp4")


def _report(path: Path) -> dict[str, object]:
    """A report of ours, or nothing."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    ours = isinstance(values, dict) and {"status", "software_version", "head"} <= set(values)
    return values if ours else {}


def _is_result(path: Path, results: Mapping[Path, dict[str, int] | None]) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    whole = _whole(path)
    if whole not in results:
        return False
    mark = results[whole]
    return mark is None or mark == _mark(path)


def _whole(path: Path) -> Path:
    return Path(os.path.normpath(path.absolute()))


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):
        return False


def _mark(path: Path) -> dict[str, int]:
    check = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            check = zlib.crc32(chunk, check)
        return {"bytes": file.tell(), "crc32": check}
