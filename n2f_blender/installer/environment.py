# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual environment, made by the Python that runs this: Blender's own. Nothing of it is imported by Blender."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InstallError
from . import faults
from .places import CoreFolder

# What a user has set for pips of their own would send the packages elsewhere.
_REDIRECTING = {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_INDEX"}


@dataclass(frozen=True)
class Pip:
    """How this environment's pip is called, and where what it says is kept."""

    command: tuple[str, ...]
    log: Path

    def run(self, *words: str) -> None:
        """One command.

        Raises:
            InstallError: what pip's words tell of, where it fails.
        """
        run([*self.command, *words], self.log)


def run(command: Sequence[str], log: Path) -> None:
    """What it prints goes to the log.

    Raises:
        InstallError: what pip's words tell of, where it fails.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name.upper() not in _REDIRECTING
    }
    with log.open("ab") as file:
        file.write(f"$ {' '.join(command)}\n".encode())
        file.flush()
        begin = file.tell()
        done = subprocess.run(
            [*command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=log.parent,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
        )
    if done.returncode != 0:
        raise faults.of_output(log.read_bytes()[begin:].decode("utf-8", "replace"))


def works(core: CoreFolder) -> bool:
    """Whether the environment's Python starts and is of this Python's version."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [str(core.python), "-I", "-c", question],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
        )
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == "{}.{}".format(*sys.version_info[:2])


def make(core: CoreFolder, log: Path) -> None:
    """Make the environment, in place of one that does not work. Without pip: see `find_pip`."""
    discard(core.environment)
    try:
        run([sys.executable, "-I", "-X", "utf8", "-m", "venv", "--without-pip", str(core.environment)], log)
    except InstallError:
        discard(core.environment)
    if not works(core):  # a Python that lacks the module, or the launcher that venv copies on Windows
        discard(core.environment)
        _make_by_hand(core)
    if not works(core):
        raise faults.DOES_NOT_RUN.error(f"{sys.executable} makes no environment in {core.environment}")


def discard(folder: Path) -> None:
    """Remove a folder; out of the way first, so that an interruption leaves no half of it.

    Raises:
        InstallError: BLOCKED, where a file in it is in use or may not be removed.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    aside = folder.with_name(f"{folder.name}-removed-{os.getpid()}")
    try:
        folder.rename(aside)
    except OSError as error:  # on Windows: a file of it is in use
        raise faults.BLOCKED.error(f"{folder}: {error}") from error
    shutil.rmtree(aside, ignore_errors=True)


def clear_aside(core: CoreFolder) -> None:
    """Remove what an interrupted `discard` left."""
    for leftover in core.folder.glob("*-removed-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def find_pip(core: CoreFolder, log: Path) -> Pip:
    """What fetches packages: the pip that ensurepip carries, else the making Python's own.

    It is unpacked into a folder of its own, not installed: once the packages are there nobody needs it.

    Raises:
        InstallError: NO_PIP, where Python has none that starts.
    """
    quiet = ["--no-input", "--disable-pip-version-check", "--no-cache-dir"]
    wheel = _bundled_pip()
    if wheel is not None:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(core.tools)
        return Pip((str(core.python), "-I", "-X", "utf8", str(core.tools / "pip"), *quiet), log)
    own = [sys.executable, "-I", "-X", "utf8", "-m", "pip"]
    try:
        run([*own, "--version"], log)
    except InstallError as error:
        raise faults.NO_PIP.error(error.details) from error
    return Pip((*own, *quiet), log)


def _bundled_pip() -> Path | None:
    spec = importlib.util.find_spec("ensurepip")
    folders = [Path(folder) / "_bundled" for folder in (spec.submodule_search_locations or [])] if spec else []
    elsewhere = sysconfig.get_config_var("WHEEL_PKG_DIR")  # Linux distributions
    folders += [Path(elsewhere)] if elsewhere else []
    return next((wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))), None)


def _make_by_hand(core: CoreFolder) -> None:
    """What makes an environment one: a Python of its own beside a pyvenv.cfg that names the folder of the other."""
    base = Path(sys.executable).resolve()
    core.python.parent.mkdir(parents=True)
    version = "{}.{}".format(*sys.version_info[:2])
    if sys.platform == "win32":
        for file in (base, *base.parent.glob("*.dll")):
            shutil.copy2(file, core.python.parent / ("python.exe" if file == base else file.name))
        (core.environment / "Lib" / "site-packages").mkdir(parents=True)
    else:
        core.python.symlink_to(base)
        (core.environment / "lib" / f"python{version}" / "site-packages").mkdir(parents=True)
    (core.environment / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {version}\n", encoding="utf-8"
    )
