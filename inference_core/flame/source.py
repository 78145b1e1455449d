"""Opens what a user has: FLAME's pickle, an .npz of the same arrays, or the zip as it was downloaded."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from inference_core.errors import BadInput
from inference_core.flame.pickle_reader import LARGEST_FILE, read_pickle
from inference_core.formats.npz import DamagedFile, read_npz

_AGAIN = "Download the file again from FLAME's own page."
_PREFERRED = ("flame2023_open.pkl", "flame2023.pkl", "generic_model.pkl", "flame_neutral.pkl")


@dataclass(frozen=True, eq=False)
class SourceFile:
    """A file's own name (inside a zip: of the file in it), its sha256, and what it holds, still unchecked."""

    name: str
    sha256: str
    values: dict[str, Any]


def open_source(path: Path) -> SourceFile:
    """Read a FLAME file. Nothing in it is executed, and memory stays within a few times the file's size.

    Raises:
        BadInput: where it is not there, no FLAME file, incomplete, or asks for what is not allowed.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise BadInput(f"{path.name} is larger than any FLAME file ({size >> 20} MB).", _AGAIN)
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from error
    if content[:4] == b"PK\x03\x04":
        return _from_zip(content, path)
    return _from_pickle(content, path.name)


def _from_pickle(content: bytes, name: str) -> SourceFile:
    if not content:
        raise BadInput(f"{name} is empty.", _AGAIN)
    if content[:512].lstrip()[:1] == b"<":
        raise BadInput(
            f"{name} is a web page, not a FLAME file.", "Sign in on FLAME's page first, then download it again."
        )
    if content[:1] not in (b"\x80", b"(", b"}"):
        raise BadInput(f"{name} is not a pickle, as FLAME's files are.", "Choose FLAME's file with the ending .pkl.")
    values = read_pickle(content, name)
    return SourceFile(name, hashlib.sha256(content).hexdigest(), values)


def _from_zip(content: bytes, path: Path) -> SourceFile:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [entry.filename for entry in archive.infolist()]
            if names and all(name.endswith(".npy") for name in names):
                arrays = read_npz(path, most_bytes=LARGEST_FILE)
                return SourceFile(path.name, hashlib.sha256(content).hexdigest(), dict(arrays))
            chosen = _choose(names, path.name)
            return _from_pickle(_unpacked(archive, chosen, path.name), PurePosixPath(chosen).name)
    except DamagedFile as error:
        raise BadInput(f"{path.name} is not a FLAME file: {error}.", _AGAIN) from error
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BadInput(f"{path.name} is a damaged archive, or ends in the middle.", _AGAIN) from error


def _choose(names: list[str], shown: str) -> str:
    """The one FLAME file in a downloaded archive: FLAME's neutral head where there are several."""
    pickles = [name for name in names if name.lower().endswith(".pkl") and "mask" not in name.lower()]
    by_name = {PurePosixPath(name).name.lower(): name for name in pickles}
    for preferred in _PREFERRED:
        if preferred in by_name:
            return by_name[preferred]
    if len(pickles) == 1:
        return pickles[0]
    if not pickles:
        raise BadInput(f"There is no FLAME file (.pkl) in {shown}.", "Unpack it and choose the file with the model.")
    listed = ", ".join(sorted(by_name))[:200]
    raise BadInput(f"{shown} holds several files: {listed}.", "Unpack it and choose one of them.")


def _unpacked(archive: zipfile.ZipFile, name: str, shown: str) -> bytes:
    """One file of an archive, never more bytes than a FLAME file can have."""
    if archive.getinfo(name).file_size > LARGEST_FILE:
        raise BadInput(f"{name[:80]} in {shown} claims to be larger than any FLAME file.", _AGAIN)
    with archive.open(name) as stream:
        content = stream.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise BadInput(f"{name[:80]} in {shown} unpacks to more than any FLAME file.", _AGAIN)
    return content
