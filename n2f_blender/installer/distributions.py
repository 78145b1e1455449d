# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed in an environment, and whether all of it is there, read without starting its Python."""

from __future__ import annotations

import base64
import csv
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .left_out import rule
from .lock import canonical

RULE = "LEFT_OUT"
"""Beside RECORD: the patterns by which files were left out."""


@dataclass(frozen=True)
class Distribution:
    """One installed package: canonical name, version, its .dist-info folder."""

    name: str
    version: str
    folder: Path

    def is_whole(self, *, thoroughly: bool = False) -> bool:
        """Whether every file that RECORD lists is there with its size; `thoroughly`: with its hash.

        RECORD is written last: what was cut off in the middle has none. Nor is whole what another rule left out.
        """
        try:
            if (self.folder / RULE).read_text(encoding="utf-8") != rule(self.name):
                return False
            with (self.folder / "RECORD").open(newline="", encoding="utf-8") as source:
                return all(self._is_there(row, thoroughly) for row in csv.reader(source) if row)
        except (OSError, ValueError):
            return False

    def remove(self) -> None:
        """Take its files away, RECORD last: an interrupted removal is something damaged.

        Raises:
            OSError: where a file cannot be removed.
        """
        with (self.folder / "RECORD").open(newline="", encoding="utf-8") as source:
            names = [row[0] for row in csv.reader(source) if row]
        for name in names:
            if ".." not in PurePosixPath(name).parts and not name.startswith(self.folder.name):
                (self.folder.parent / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder)

    def _is_there(self, row: list[str], thoroughly: bool) -> bool:
        name, digest, size = (*row, "", "")[:3]
        if name.endswith(".pyc"):  # compiled anew when it is missing
            return True
        file = self.folder.parent / name
        if size and file.stat().st_size != int(size):
            return False
        kind, _, wanted = digest.partition("=")
        if not thoroughly or kind != "sha256":
            return file.is_file()
        found = hashlib.sha256(file.read_bytes()).digest()
        return base64.urlsafe_b64encode(found).rstrip(b"=").decode() == wanted


def installed(site_packages: Path) -> dict[str, Distribution]:
    """Canonical name -> distribution."""
    found: dict[str, Distribution] = {}
    for folder in sorted(site_packages.glob("*.dist-info")):
        name, _, version = folder.name.removesuffix(".dist-info").partition("-")
        found[canonical(name)] = Distribution(canonical(name), version, folder)
    return found


def forget_damaged(site_packages: Path, *, thoroughly: bool) -> list[str]:
    """Take away the metadata of what is not whole, so that it is installed again; the names.

    Its files stay: the new ones are written over them.
    """
    damaged = [item for item in installed(site_packages).values() if not item.is_whole(thoroughly=thoroughly)]
    for item in damaged:
        shutil.rmtree(item.folder)
    return [item.name for item in damaged]
