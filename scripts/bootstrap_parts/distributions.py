"""What is installed in a site-packages folder, and whether all of it is there, read without starting that Python."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import RequirementNotPinned

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)$")


def canonical(name: str) -> str:
    """A distribution's name in the spelling that all spellings of it share (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(requirements: Path) -> dict[str, str]:
    """Canonical name -> version of every line.

    Raises:
        RequirementNotPinned: for anything else, options included.
    """
    pins: dict[str, str] = {}
    for number, raw in enumerate(requirements.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        match = _PIN.match(line)
        if match is None:
            raise RequirementNotPinned(
                f"{requirements.name}, line {number}: '{line}' is not of the form name==version."
            )
        pins[canonical(match[1])] = match[2]
    return pins


@dataclass(frozen=True)
class Distribution:
    """One installed distribution: its canonical name, version (without a local part such as +cpu), metadata folder."""

    name: str
    version: str
    folder: Path

    def is_complete(self) -> bool:
        """Whether every file that RECORD lists is there with its size.

        pip writes RECORD last: a distribution that was cut off in the middle has none, yet pip takes it for installed.
        """
        record = self.folder / "RECORD"
        if not record.is_file():
            return False
        with record.open(newline="", encoding="utf-8") as source:
            return all(self._is_there(row) for row in csv.reader(source) if row)

    def _is_there(self, row: list[str]) -> bool:
        file = self.folder.parent / row[0]
        if row[0].endswith(".pyc"):  # compiled anew when it is missing
            return True
        try:
            size = file.stat().st_size
        except OSError:
            return False
        return len(row) < 3 or not row[2] or size == int(row[2])


def installed(site_packages: Path) -> dict[str, Distribution]:
    """Canonical name -> distribution, for all that have a metadata folder."""
    found: dict[str, Distribution] = {}
    for folder in sorted(site_packages.glob("*.dist-info")):
        name, _, version = folder.name.removesuffix(".dist-info").partition("-")
        found[canonical(name)] = Distribution(canonical(name), version.partition("+")[0], folder)
    return found


def unmet(pins: dict[str, str], site_packages: Path) -> list[str]:
    """The pins that are not installed in exactly their version, as name==version."""
    there = installed(site_packages)
    return [f"{n}=={v}" for n, v in pins.items() if n not in there or there[n].version != v.partition("+")[0]]


def remove_damaged(site_packages: Path) -> list[str]:
    """Make pip forget what was cut off in the middle, so that it installs it again; their names.

    Only the metadata goes: the files themselves are overwritten by the next install.
    """
    damaged = [distribution for distribution in installed(site_packages).values() if not distribution.is_complete()]
    for distribution in damaged:
        shutil.rmtree(distribution.folder)
    _remove_all(site_packages.glob("~*"))  # what pip sets aside while it replaces a distribution
    return [distribution.name for distribution in damaged]


def _remove_all(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
