# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wheel into an environment. A wheel is a zip with RECORD, the list of its files with their hashes.

RECORD is written last, so that what was cut off in the middle has none; it lists what was put there. Scripts, headers
and compiled Python are not made: nobody calls them by name. The format: PEP 427.
"""

from __future__ import annotations

import csv
import io
import shutil
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from .distributions import RULE
from .left_out import is_left_out, rule
from .lock import canonical

_HERE = ("purelib", "platlib")  # of NAME.data/: both are site-packages


def suits(wheel: str) -> bool:
    """Whether a wheel is for this Python and this system, by its name."""
    pythons, abis, systems = wheel.removesuffix(".whl").split("-")[-3:]
    version = sysconfig.get_config_var("py_version_nodot")
    this_python = f"cp{version}" in pythons.split(".") or "abi3" in abis or "py3" in pythons
    system, _, machine = sysconfig.get_platform().replace("_", "-").partition("-")
    machine = machine.rpartition("-")[2] if system == "macosx" else machine.replace("-", "_")
    return this_python and (systems == "any" or (system in systems and machine in systems))


def unpack(wheel: Path, site_packages: Path, unpacked: Callable[[int], None] = lambda _bytes: None) -> None:
    """Put its files there, over older ones; `unpacked` is told the bytes of each file, packed.

    Raises:
        OSError: where the disk refuses.
        zipfile.BadZipFile: for a damaged wheel.
        ValueError: for what is no wheel.
    """
    package = canonical(wheel.name.split("-")[0])
    with zipfile.ZipFile(wheel) as archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        record = next((name for name in names if name.endswith(".dist-info/RECORD") and name.count("/") == 1), None)
        if record is None:
            raise ValueError(f"{wheel.name} has no RECORD")
        put: dict[str, str] = {}
        for name in names:
            place = _place(name)
            if name != record and place and not is_left_out(package, name):
                target = site_packages.joinpath(*PurePosixPath(place).parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
                put[name] = place
            unpacked(archive.getinfo(name).compress_size)
        rows = [row for row in csv.reader(archive.read(record).decode().splitlines()) if row]
    kept = [[put[row[0]], *row[1:]] for row in rows if row[0] in put]
    metadata = site_packages / PurePosixPath(record).parent
    (metadata / RULE).write_text(rule(package), encoding="utf-8")
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*kept, [record, "", ""]])
    unfinished = metadata / "RECORD.unfinished"
    unfinished.write_text(text.getvalue(), encoding="utf-8", newline="")
    unfinished.replace(metadata / "RECORD")


def _place(name: str) -> str:
    """Where a member goes, below site-packages; "" for what is not needed.

    Raises:
        ValueError: for a way out of it.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise ValueError(f"'{name}' leads out of the folder")
    if not path.parts[0].endswith(".data"):
        return name
    return str(PurePosixPath(*path.parts[2:])) if len(path.parts) > 2 and path.parts[1] in _HERE else ""
