"""What a batch has done, a line a task in a file beside the results: appended, so that a kill costs one line at most.

A task is done where its last line says so about the same input, options and networks, and its results are whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Final

from inference_core.formats.json_values import BadRequest
from inference_core.reconstruct.ownership import is_whole

NAME: Final = ".n2f-batch.jsonl"


@dataclass(frozen=True)
class Entry:
    """What became of a task. `key` stands for all that its results depend on."""

    name: str
    key: str
    source: str
    status: str  # done, failed
    folders: tuple[str, ...] = ()  # of results, below the batch's folder
    code: str = ""
    sentence: str = ""
    remedy: str = ""
    attempts: int = 1
    seconds: float = 0.0
    warnings: tuple[str, ...] = field(default=())

    @classmethod
    def read(cls, line: str) -> Entry | None:
        """None for a line that was cut short, or is none of ours."""
        try:
            values = json.loads(line)
            entry = cls(**{**values, "folders": tuple(values["folders"]), "warnings": tuple(values["warnings"])})
        except (ValueError, TypeError, KeyError, RecursionError, BadRequest):
            return None
        return entry if all(isinstance(word, str) for word in (entry.name, entry.key, *entry.folders)) else None


class Ledger:
    """Opened by one process at a time: `track.work.lock` sees to that.

    Raises:
        OSError: where the file cannot be read or written.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        path = out / NAME
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else [""]
        self._known = {entry.name: entry for line in lines if (entry := Entry.read(line)) is not None}
        self._file: IO[bytes] = path.open("ab", buffering=0)
        if lines[-1]:  # cut short by a kill
            self._file.write(b"\n")

    def finished(self, name: str, key: str) -> Entry | None:
        """The entry of a task whose results are there and whole."""
        entry = self._known.get(name)
        if entry is None or entry.status != "done" or entry.key != key or not entry.folders:
            return None
        return entry if all(is_whole(self._out / folder) for folder in entry.folders) else None

    def add(self, entry: Entry) -> None:
        """Written at once."""
        self._known[entry.name] = entry
        self._file.write(json.dumps(asdict(entry)).encode() + b"\n")

    def close(self) -> None:
        """Ends writing."""
        self._file.close()
