# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock file: name==version and the sha256 of every wheel that it may be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)((?:\s+--hash=sha256:[0-9a-f]{64})+)$")
_HASH = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """One package: canonical name, version, and the hashes one of which its wheel must have."""

    name: str
    version: str
    hashes: frozenset[str]

    def as_requirement(self) -> str:
        """A line for pip, which checks the hash, too."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{value}" for value in sorted(self.hashes))])


def canonical(name: str) -> str:
    """A distribution's name in the spelling that all spellings of it share (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(path: Path) -> list[Pin]:
    """Every pin.

    Raises:
        ValueError: for a line that is none.
        OSError: where the file cannot be read.
    """
    text = re.sub(r"\\\n", " ", path.read_text(encoding="utf-8"))
    pins: list[Pin] = []
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        match = _PIN.match(line)
        if match is None:
            raise ValueError(f"{path.name}: '{line[:60]}' is not name==version with hashes")
        pins.append(Pin(canonical(match[1]), match[2], frozenset(_HASH.findall(match[3]))))
    return pins
