# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The heads that are installed, found without the core: its library is a folder, a head a folder in it. No bpy."""

from __future__ import annotations

import contextlib
import functools
import json
from dataclasses import dataclass
from pathlib import Path

from ..errors import HeadError
from ..formats.npz import FAULTS, read_npz
from ..formats.places import HEAD_FILE, heads_folder
from .editions import brought_up
from .head import HeadFile, bundled_head_path, load_head
from .take import Take, load_take


@dataclass(frozen=True)
class HeadEntry:
    """A head that can be used, and what its file says of itself."""

    head_id: str
    name: str
    path: Path
    licence: str
    commercial_use: bool

    @property
    def removable(self) -> bool:
        """Whether the user has added it."""
        return self.path.name == HEAD_FILE

    @property
    def use(self) -> str:
        """What it may be used for, as a sentence without its full stop."""
        licence = self.licence or "Licence unknown"
        return f"{licence}: commercial use is allowed" if self.commercial_use else f"{licence}: no commercial use"


def all_heads() -> tuple[HeadEntry, ...]:
    """The bundled head, then the installed ones by name. Quick enough for a menu: files are read when they change."""
    found: list[HeadEntry] = []
    with contextlib.suppress(HeadError):  # said where a head is built; here it is just not in the menu
        found.append(_entry(bundled_head_path()))
    return (*found, *installed_heads())


def installed_heads() -> tuple[HeadEntry, ...]:
    """What the user has added. Folders without a head that can be read are left out."""
    try:
        places = sorted(place for place in heads_folder().iterdir() if not place.name.startswith("."))
    except OSError:
        return ()
    found: list[HeadEntry] = []
    for place in places:
        with contextlib.suppress(HeadError):
            found.append(_entry(place / HEAD_FILE))
    return tuple(found)


def find_head(head_id: str) -> HeadEntry | None:
    """The head of this id."""
    return next((entry for entry in all_heads() if entry.head_id == head_id), None)


def read_take(path: Path) -> Take:
    """A take in the terms of the heads that are here: one of the Open Head's first edition is brought up. Raises
    TakeError.
    """
    take = load_take(path)
    entry = find_head(take.meta.head_id)
    if entry is None:
        return take
    with contextlib.suppress(HeadError):  # a head that cannot be read is told where it is asked for
        head = load_head(entry.path)
        edition = head.first_edition
        if edition is not None and edition.sha256 == take.meta.head_sha256:
            return brought_up(take, edition, head.sha256)
    return take


def head_for_take(take: Take, known: dict[str, Path]) -> HeadFile:
    """The head a take was made with. `known` maps head ids to the files that a core has announced.

    Raises:
        HeadError: in one sentence when it is not at hand or is another version than the take's.
    """
    wanted = take.meta
    paths = [known[wanted.head_id]] if wanted.head_id in known else []
    paths += [entry.path for entry in all_heads() if entry.head_id == wanted.head_id]
    others: list[str] = []
    for path in paths:
        head = load_head(path)
        if head.answers_to(wanted.head_sha256):
            return head
        others.append(head.sha256)
    if others:
        raise HeadError(
            f"This take was made with another version of the head '{wanted.head_id}' "
            f"({wanted.head_sha256[:8]} instead of {others[0][:8]}).",
            "Reconstruct the photo again, or use the extension and the core of the same version.",
        )
    raise HeadError(
        f"This take was made with the head '{wanted.head_id}', which is not installed here.",
        "Add it in the extension's preferences (Add FLAME Head), then open the take again.",
    )


def _entry(path: Path) -> HeadEntry:
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FAULTS as error:
        raise HeadError(f"The head file {path} cannot be read: {error}.", "Add the head again.") from error


@functools.lru_cache(maxsize=64)
def _read(path: Path, _stamp: int) -> HeadEntry:
    meta = json.loads(str(read_npz(path, ("meta",))["meta"]))
    return HeadEntry(
        head_id=str(meta["head_id"]),
        name=str(meta.get("name", meta["head_id"])),
        path=path,
        licence=str(meta.get("license", "")),
        commercial_use=meta.get("commercial_use") is True,
    )
