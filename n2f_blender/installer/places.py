# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the core is put, and what the extension brings for it.

The folder belongs to the user, not to a version of Blender: all of them share one core. Heads, takes and settings lie
outside of it, so that replacing or removing the core never touches them.
"""

from __future__ import annotations

import hashlib
import sys
import zipfile
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from ..formats.places import data_folder


def default_core_folder() -> Path:
    """In the user's data, beside the heads. Need not exist."""
    return data_folder() / "core"


@dataclass(frozen=True)
class CoreFolder:
    """The folder of one installed core."""

    folder: Path

    @property
    def environment(self) -> Path:
        """The virtual environment."""
        return self.folder / "environment"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def site_packages(self) -> Path | None:
        """Where its packages lie; None before there is one."""
        if sys.platform == "win32":
            place = self.environment / "Lib" / "site-packages"
            return place if place.is_dir() else None
        return next(iter(sorted(self.environment.glob("lib/python3.*/site-packages"))), None)

    @property
    def wheels(self) -> Path:
        """What was fetched and is not installed yet; a killed download goes on from here."""
        return self.folder / "wheels"

    @property
    def tools(self) -> Path:
        """What fetches them, while it does."""
        return self.folder / "tools"

    @property
    def record(self) -> Path:
        """Written when everything is in place, removed before anything is changed."""
        return self.folder / "core.json"

    @property
    def logs(self) -> Path:
        """The child's errors, and everything that pip said."""
        return self.folder / "logs"


@dataclass(frozen=True)
class Supplies:
    """What an extension brings: the core as a wheel, and the packages it needs, pinned with their hashes."""

    wheel: Path
    lock: Path

    @cached_property
    def fingerprint(self) -> str:
        """Another one means another core: sha256 over the lock file and the wheel's list of its files' hashes.

        Raises:
            OSError: where one of them cannot be read.
            zipfile.BadZipFile: for a damaged wheel.
        """
        with zipfile.ZipFile(self.wheel) as archive:
            record = next(name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
            return hashlib.sha256(self.lock.read_bytes() + archive.read(record)).hexdigest()

    @property
    def version(self) -> str:
        """The core's, from its wheel's name."""
        return self.wheel.name.split("-")[1]


@lru_cache(maxsize=4)
def supplies_in(package_folder: Path) -> Supplies | None:
    """What this extension brings; None in a source checkout, whose core lies beside it."""
    wheel = next(iter(sorted((package_folder / "core").glob("*.whl"))), None)
    lock = package_folder / "core" / "requirements.txt"
    return Supplies(wheel, lock) if wheel is not None and lock.is_file() else None
