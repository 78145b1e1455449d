# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there of the core, told without starting anything: cheap enough for a panel, if not for every redraw."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..formats.writing import write_text_whole
from .places import CoreFolder, Supplies

CoreKind = Enum("CoreKind", "ABSENT UNFINISHED BROKEN OTHER_VERSION READY")


@dataclass(frozen=True)
class CoreState:
    """What is there, and the same for a user: a sentence, and what to do."""

    kind: CoreKind
    sentence: str
    remedy: str = ""

    @property
    def usable(self) -> bool:
        """It can be started."""
        return self.kind in (CoreKind.READY, CoreKind.OTHER_VERSION)


_ABSENT = CoreState(CoreKind.ABSENT, "The core is not installed yet.", "Press Install Core.")
_UNFINISHED = CoreState(
    CoreKind.UNFINISHED, "The core is only partly installed.", "Press Install Core: it goes on where it stopped."
)
_BASE_GONE = CoreState(
    CoreKind.BROKEN, "The Blender that the core was installed with is not there any more.", "Press Repair."
)
_MOVED = CoreState(CoreKind.BROKEN, "The core's folder was moved or is damaged.", "Press Repair.")
_OTHER = CoreState(
    CoreKind.OTHER_VERSION,
    "The core belongs to another version of N2F.",
    "Press Update Core. Heads, takes and settings stay.",
)
_READY = CoreState(CoreKind.READY, "The core is installed.")


def look(core: CoreFolder, supplies: Supplies | None) -> CoreState:
    """What is there. `supplies` None: a source checkout, which has nothing to compare with."""
    if not core.environment.exists():
        return _ABSENT
    record = read_record(core)
    if record is None:
        return _UNFINISHED
    if record["place"] != str(core.folder):
        return _MOVED
    if not Path(record["base"]).is_file():
        return _BASE_GONE
    if not core.python.is_file() or core.site_packages is None:
        return _MOVED
    if supplies is not None and record["fingerprint"] != supplies.fingerprint:
        return _OTHER
    return _READY


def read_record(core: CoreFolder) -> dict[str, str] | None:
    """The record of a finished installation; None: there is none that can be read."""
    try:
        values = json.loads(core.record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    keys = {"version", "fingerprint", "base", "python", "place"}
    if not isinstance(values, dict) or not keys <= values.keys():
        return None
    return {key: str(values[key]) for key in keys}


def write_record(core: CoreFolder, supplies: Supplies) -> None:
    """Say that everything is in place; whole or not at all."""
    record = {
        "version": supplies.version,
        "fingerprint": supplies.fingerprint,
        "base": str(Path(sys.executable).resolve()),
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "place": str(core.folder),
    }
    write_text_whole(core.record, json.dumps(record, indent=1, ensure_ascii=False))
