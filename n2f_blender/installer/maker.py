# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps from nothing, from half of it or from something broken to a core that works. Runs in the child process.

1 the environment, 2 the packages' wheels, fetched one by one or found in a folder, 3 all of them installed, and the
core's own, 4 a trial, 5 the record. Every step looks at what is there and does what is missing: going on after
an interruption, repairing, upgrading and downgrading are all the same way.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import InstallError
from . import environment, faults
from .distributions import forget_damaged, installed
from .lock import Pin, canonical, read_lock
from .places import CoreFolder, Supplies
from .state import write_record
from .unpacking import suits, unpack

NEEDED_BYTES = 700_000_000  # wheels and what is unpacked from them, together for a moment
CORE = "n2f-inference-core"
# What the server imports only with the first photo and the first clip, too: everything that a job needs is there.
_TRIAL = "import {0}.server.server, {0}.reconstruct.job, {0}.track.job, onnxruntime".format("inference_core")
_SHARE = {"fetch": (0.05, 0.6), "install": (0.6, 0.95)}  # of the bar

Say = Callable[[str, float], None]
"""Told what is being done, and which share 0..1 of all is done."""


@dataclass(frozen=True)
class Order:
    """What is to be there afterwards. `source`: a folder of wheels; None: pip's index."""

    core: CoreFolder
    supplies: Supplies
    source: Path | None = None
    thorough: bool = False  # repair: compare every file with its hash


def make_core(order: Order, say: Say) -> None:
    """Everything.

    Raises:
        InstallError: where a step fails; what is done so far stays, and is not done again.
    """
    core = order.core
    try:
        with _alone(core):
            _make(order, say)
    except OSError as error:
        raise faults.of_system(error, core.folder) from error


def _make(order: Order, say: Say) -> None:
    core = order.core
    say("Preparing", 0.0)
    core.logs.mkdir(parents=True, exist_ok=True)
    core.wheels.mkdir(exist_ok=True)
    log = core.logs / "pip.log"
    log.write_text("", encoding="utf-8")
    core.record.unlink(missing_ok=True)
    environment.clear_aside(core)
    pins = read_lock(order.supplies.lock)
    fresh = not environment.works(core)
    folders = [core.wheels] if order.source is None else [order.source, core.wheels]
    if fresh:
        _ask_for_space(core)
        if order.source is not None:  # said before anything is made
            for pin in pins:
                _find_wheel(pin, folders)
        environment.make(core, log)
    site_packages = core.site_packages
    assert site_packages is not None
    forget_damaged(site_packages, thoroughly=order.thorough)
    missing = _missing(pins, site_packages)
    if order.source is None:
        _fetch_all(missing, core, log, say)
    _install([*(_find_wheel(pin, folders) for pin in missing), order.supplies.wheel], site_packages, say)
    say("Trying it", _SHARE["install"][1])
    _try(core, log)
    for spent in (core.wheels, core.tools):
        shutil.rmtree(spent, ignore_errors=True)
    write_record(core, order.supplies)
    say("The core is ready", 1.0)


def _install(wheels: list[Path], site_packages: Path, say: Say) -> None:
    """Each in place of another version of itself.

    Raises:
        InstallError: WRONG_HASH, for a wheel that cannot be unpacked.
        OSError: where the disk refuses.
    """
    begin, end = _SHARE["install"]
    everything, done = sum(wheel.stat().st_size for wheel in wheels), 0
    for wheel in wheels:
        name = canonical(wheel.name.split("-")[0])

        def count(size: int, name: str = name) -> None:
            nonlocal done
            done += size
            share = begin + (end - begin) * min(1.0, done / everything)
            say(f"Installing {'the core' if name == CORE else name}", share)

        earlier = installed(site_packages).get(name)
        if earlier is not None:
            earlier.remove()
        try:
            unpack(wheel, site_packages, count)
        except (zipfile.BadZipFile, ValueError) as error:
            raise faults.WRONG_HASH.error(f"{wheel}: {error}") from error


def _missing(pins: list[Pin], site_packages: Path) -> list[Pin]:
    there = installed(site_packages)
    return [pin for pin in pins if pin.name not in there or there[pin.name].version != pin.version]


def _fetch_all(pins: list[Pin], core: CoreFolder, log: Path, say: Say) -> None:
    """The wheels that are not there yet, into the folder of wheels.

    Raises:
        InstallError: what pip's words tell of, where one cannot be fetched.
    """
    begin, end = _SHARE["fetch"]
    pip: environment.Pip | None = None
    for number, pin in enumerate(pins):
        say(f"Downloading {pin.name}", begin + (end - begin) * number / len(pins))
        with suppress(InstallError):
            _find_wheel(pin, [core.wheels])
            continue
        pip = pip or environment.find_pip(core, log)
        _fetch(pin, core, pip)


def _fetch(pin: Pin, core: CoreFolder, pip: environment.Pip) -> None:
    """One wheel. pip compares the hash."""
    request = core.wheels / f"{pin.name}.txt"
    request.write_text(pin.as_requirement() + "\n", encoding="utf-8")
    pip.run(
        *("download", "--require-hashes", "--only-binary=:all:", "--no-deps"),
        *("--dest", str(core.wheels), "-r", str(request)),
    )
    request.unlink()


def _find_wheel(pin: Pin, folders: list[Path]) -> Path:
    """The wheel of a pin with one of its hashes.

    Raises:
        InstallError: INCOMPLETE_FOLDER where there is none, WRONG_HASH where only another of its name is there.
    """
    impostor: Path | None = None
    for folder in folders:
        for wheel in sorted(folder.glob(f"*-{pin.version}-*.whl")):
            if canonical(wheel.name.split("-")[0]) != pin.name or not suits(wheel.name):
                continue
            with wheel.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() in pin.hashes:
                    return wheel
            impostor = wheel
    if impostor is not None:
        with suppress(OSError):
            if impostor.parent == folders[-1]:  # our own, cut off or spoiled: it is fetched again
                impostor.unlink()
        raise faults.WRONG_HASH.error(str(impostor))
    raise faults.INCOMPLETE_FOLDER.error(f"{pin.name} {pin.version} is missing")


def _try(core: CoreFolder, log: Path) -> None:
    try:
        environment.run([str(core.python), "-I", "-c", _TRIAL], log)
    except InstallError as error:
        raise faults.DOES_NOT_RUN.error(error.details) from error


def _ask_for_space(core: CoreFolder) -> None:
    if shutil.disk_usage(core.folder).free < NEEDED_BYTES:
        raise faults.NO_SPACE.error(str(core.folder))


@contextmanager
def _alone(core: CoreFolder) -> Iterator[None]:
    """Two Blenders that install into one folder would do so into each other.

    The lock is the system's on an open file, so that it goes with a process that is killed.

    Raises:
        InstallError: BUSY, where another process installs into it.
    """
    core.folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(core.folder / "lock", os.O_RDWR | os.O_CREAT)
    try:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise faults.BUSY.error() from error
        yield
    finally:
        os.close(handle)


def as_line(kind: str, **values: object) -> str:
    """A message to whoever started the child: one JSON object, ASCII."""
    return json.dumps({"type": kind, **values})
