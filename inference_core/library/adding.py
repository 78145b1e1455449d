"""Installing and removing heads. A head appears in the library whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from inference_core.errors import BadInput, ModelMissing
from inference_core.formats.npz import read_npz
from inference_core.formats.options import is_head_name
from inference_core.formats.places import HEAD_FILE, RECORD_FILE, heads_folder
from inference_core.head import load_head
from inference_core.inventory import BUNDLED_HEADS, Asset, head_meta, installed_heads, sha256

MOST_BYTES = 2 << 30
"""Unpacked size beyond which a head file is refused: FLAME with everything added has some 60 MB."""
_UNFINISHED = ".adding-"
_ABANDONED_SECONDS = 3600.0

Tell = Callable[[str, float], None]
"""Gets what is being done, and which share (0..1) of the whole is behind."""


def silent(_doing: str, _share: float) -> None:
    """Tells nobody."""


def add_head(source: Path, name: str | None = None, tell: Tell = silent) -> Asset:
    """Install a head: FLAME's own file, converted once, or a head file of ours. `name`: instead of the file's own.

    The same file a second time changes nothing.

    Raises:
        BadInput: with what is wrong with the file or the name.
    """
    if not source.is_file():
        raise BadInput(f"There is no file '{source}'.", "Name FLAME's file (.pkl) or a head file (.npz).")
    if name is not None and not is_head_name(name):
        raise BadInput(f"'{name}' cannot be a head's name.", "Use small letters, digits, '_', '-' and '.'.")
    tell("Reading the file", 0.0)
    with _new_folder() as place:
        made = place / HEAD_FILE
        if _is_head_file(source):
            shutil.copyfile(source, made)
        else:
            _convert(source, made, tell)
        if name is not None:
            _rename(made, name)
        tell("Checking the head", 0.9)
        try:
            head = load_head(made)
        except ModelMissing as error:
            sentence = error.sentence.replace(f"head file {made.name}", f"file {source.name}")
            raise BadInput(sentence, "Download or make it again.") from error
        _refuse_taken(head.head_id, head.sha256)
        record = {
            "format": "n2f-head-record",
            "sha256": head.sha256,
            "source": source.name,
            "source_sha256": sha256(source),
            "license": head.licence,
            "commercial_use": head.commercial_use,
        }
        (place / RECORD_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        _publish(place, head.head_id)
    tell("Done", 1.0)
    return next(asset for asset in installed_heads() if asset.name == head.head_id)


def remove_head(name: str) -> None:
    """Take an installed head and its network away.

    Raises:
        BadInput: where there is none, or it is bundled.
    """
    if name in BUNDLED_HEADS:
        raise BadInput(f"'{name}' comes with the program and cannot be removed.", "")
    folder = heads_folder()
    place = folder / name
    if not is_head_name(name) or not place.is_dir():
        known = ", ".join(asset.name for asset in installed_heads()) or "none"
        raise BadInput(f"There is no installed head '{name}'.", f"Installed: {known}.")
    try:
        # Out of sight in one step: a killed removal must not leave half a head.
        hidden = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
        place.replace(hidden / name)
        shutil.rmtree(hidden)
    except OSError as error:
        raise _explained(error, place) from error


def _convert(source: Path, made: Path, tell: Tell) -> None:
    # Only here: converting needs what nothing else of the library does.
    from inference_core.flame import convert_flame

    tell("Converting FLAME's file; this happens once", 0.1)
    convert_flame(source, made)


def _is_head_file(source: Path) -> bool:
    """Whether it is a head file instead of FLAME's.

    Raises:
        BadInput: for a head file that claims to be larger than any head.
    """
    if not zipfile.is_zipfile(source):
        return False
    try:
        with zipfile.ZipFile(source) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile):
        return False
    if size > MOST_BYTES:
        raise BadInput(f"{source.name} claims to unpack to {size / 1e9:.0f} GB.", "That is no head; check the file.")
    return head_meta(source) is not None


def _rename(path: Path, name: str) -> None:
    """Give a head file another head_id."""
    arrays = read_npz(path)
    meta = json.loads(str(arrays["meta"]))
    arrays["meta"] = np.array(json.dumps({**meta, "head_id": name}))
    with path.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def _refuse_taken(name: str, digest: str) -> None:
    if not is_head_name(name):
        raise BadInput(f"The file calls its head '{name}', which cannot be a name.", "Give one with --name.")
    if name in BUNDLED_HEADS:
        raise BadInput(f"'{name}' is the bundled head's name.", "Give this one another name with --name.")
    there = next((asset for asset in installed_heads() if asset.name == name), None)
    if there is not None and there.sha256 != digest and not there.damage:
        raise BadInput(
            f"There is already a head '{name}', made from another file; takes refer to it.",
            f"Give this one another name with --name, or remove the other: n2f models remove {name}.",
        )


def _publish(place: Path, name: str) -> None:
    """The finished folder under its name. One that is damaged, or the same, makes room; its network stays."""
    target = place.parent / name
    if not target.exists():
        place.replace(target)
        return
    for kept in target.glob("n2fnet.*"):
        shutil.copy2(kept, place / kept.name)
    old = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=place.parent))
    target.replace(old / name)
    place.replace(target)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _new_folder() -> Iterator[Path]:
    """A hidden folder in the library. What is left of it, and of additions that were killed long ago, goes."""
    folder = heads_folder()
    place: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
        place.chmod(0o755)  # as readable as other data of the user's
        yield place
    except OSError as error:
        raise _explained(error, folder) from error
    finally:
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)
        for left in folder.glob(f"{_UNFINISHED}*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)


def _explained(error: OSError, folder: Path) -> BadInput:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BadInput(f"The disk is full; nothing was added to '{folder}'.", "Free some space.")
    reason = error.strerror or os.strerror(error.errno or errno.EIO)
    return BadInput(
        f"The library '{folder}' cannot be written: {reason}.", "Name another folder in the variable N2F_DATA."
    )
