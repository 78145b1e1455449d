"""A virtual environment that is brought to its pinned state step by step, also after an interruption."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .console import run_quietly, say, step
from .distributions import installed, read_pins, remove_damaged, unmet
from .errors import NotAnEnvironment, PythonMissing
from .interpreters import can_make_environments, find_python
from .system_libraries import install_packages

_PARTS_OF_AN_ENVIRONMENT = {"bin", "include", "lib", "lib64", "Include", "Lib", "Scripts", "share", "pyvenv.cfg"}
_UNDERWAY = "underway"


@dataclass(frozen=True)
class Install:
    """One pip run: a title, the file whose content decides whether it is due, and pip's arguments after `install`."""

    title: str
    file: Path
    arguments: tuple[str, ...]
    pinned: bool = True

    @classmethod
    def requirements(cls, title: str, file: Path, *options: str) -> Install:
        """The usual one: a file of pinned requirements."""
        return cls(title, file, (*options, "-r", str(file)))

    @classmethod
    def project(cls, root: Path) -> Install:
        """The project itself, so that `n2f` and `-m inference_core.server` work from anywhere."""
        arguments = ("--no-deps", "--no-build-isolation", "-e", str(root))
        return cls("this project", root / "pyproject.toml", arguments, pinned=False)

    def fingerprint(self) -> str:
        """Changes whenever this step has to be done again."""
        return hashlib.sha256(self.file.read_bytes() + "\0".join(self.arguments).encode()).hexdigest()

    def unmet(self, site_packages: Path) -> list[str]:
        """The pinned distributions that are not there, whatever the stamp says."""
        return unmet(read_pins(self.file), site_packages) if self.pinned else []


@dataclass(frozen=True)
class Environment:
    """The virtual environment in `folder`, made by Python `version`."""

    folder: Path
    version: tuple[int, int]

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def site_packages(self) -> Path:
        """Where its packages lie."""
        if os.name == "nt":
            return self.folder / "Lib" / "site-packages"
        return self.folder / "lib" / f"python{self.version[0]}.{self.version[1]}" / "site-packages"

    @property
    def log(self) -> Path:
        """Everything that pip said."""
        return self.folder / "install.log"

    @property
    def _stamp(self) -> Path:
        return self.folder / "install-stamp.json"

    def program(self, name: str) -> Path:
        """A console program that a package installed."""
        return self.python.parent / (f"{name}.exe" if os.name == "nt" else name)

    def prepare(self, steps: Sequence[Install]) -> None:
        """Make the environment if there is none, mend it if it was cut off, and run the steps that are due.

        Raises:
            PythonMissing: where the machine has no Python of this version.
            NotAnEnvironment: where the folder holds something else.
            SystemPackagesMissing: where Python's venv is missing and cannot be installed.
            StepFailed: where pip fails, after showing the end of its log.
            RequirementNotPinned: for a requirements file that holds anything but pins.
        """
        due_before = [install for install in steps if not self._is_done(install)]
        if self.python.exists() and not due_before:
            return
        self._make_if_needed()
        self._mend_if_cut_off()
        # Not compiled, for Python compiles what is used when it is used: of torch, SciPy and Blender that is little.
        options = ["--no-input", "--disable-pip-version-check", "--no-compile"]
        pip = [str(self.python), "-I", "-m", "pip", "install", *options]
        for install in steps:
            if self._is_done(install):
                continue
            self._mark(_UNDERWAY, install.title)
            # The other steps' pins hold in this one: what contradicts them stops here instead of replacing a package.
            pins = [word for other in steps if other.pinned and other != install for word in ("-c", str(other.file))]
            title = f"{self.folder.name}: {install.title}"
            run_quietly(title, [*pip, *pins, *install.arguments], self.log, cwd=self.folder.parent)
            self._mark(install.title, install.fingerprint())

    def _is_done(self, install: Install) -> bool:
        stamp = self._read_stamp()
        if _UNDERWAY in stamp or stamp.get(install.title) != install.fingerprint():
            return False
        return not install.unmet(self.site_packages)

    def _read_stamp(self) -> dict[str, str]:
        try:
            content = json.loads(self._stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}

    def _mark(self, key: str, value: str) -> None:
        """Note in the stamp that a step began or ended; an end takes the beginning away."""
        stamp = {k: v for k, v in self._read_stamp().items() if k != _UNDERWAY} | {key: value}
        self._write_stamp(stamp)

    def _write_stamp(self, stamp: dict[str, str]) -> None:
        fresh = self._stamp.with_suffix(".new")
        fresh.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        fresh.replace(self._stamp)

    def _make_if_needed(self) -> None:
        if self._works():
            return
        if self.folder.exists():
            self._discard()
        python = find_python(self.version)
        name = f"python{self.version[0]}.{self.version[1]}"
        if python is None:
            raise PythonMissing(f"{self.folder.name} needs Python {name[6:]}: install {name} so that it is on PATH.")
        if not can_make_environments(python):
            install_packages([f"{name}-venv"], "making virtual environments")
        log = Path(tempfile.gettempdir()) / f"n2f-venv{self.folder.name}-{os.getpid()}.log"
        title = f"{self.folder.name}: new environment"
        run_quietly(title, [python, "-I", "-m", "venv", self.folder], log, cwd=self.folder.parent)
        log.unlink()

    def _works(self) -> bool:
        """Whether it starts, is of the right version, and has a pip that is all there."""
        pip = installed(self.site_packages).get("pip")
        if pip is None or not pip.is_complete():
            return False
        question = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
        try:
            answer = subprocess.run([self.python, "-I", "-c", question], capture_output=True, text=True, check=False)
        except OSError:
            return False
        return answer.returncode == 0 and answer.stdout.strip() == f"{self.version[0]}.{self.version[1]}"

    def _discard(self) -> None:
        """Remove an unusable environment; renamed first, so that a second interruption leaves no half of it."""
        content = {path.name for path in self.folder.iterdir()}
        if content and "pyvenv.cfg" not in content and not content <= _PARTS_OF_AN_ENVIRONMENT:
            raise NotAnEnvironment(
                f"{self.folder} exists and is not a virtual environment: move it away, then run this again."
            )
        with step(f"{self.folder.name}: removing an unusable environment"):
            aside = self.folder.with_name(f"{self.folder.name}-removed-{os.getpid()}")
            self.folder.rename(aside)
            shutil.rmtree(aside)

    def _mend_if_cut_off(self) -> None:
        stamp = self._read_stamp()
        if stamp and _UNDERWAY not in stamp:
            return
        damaged = remove_damaged(self.site_packages)
        if damaged:
            say(f"  {self.folder.name}: cut off in the middle last time, installing again: {', '.join(damaged)}")
