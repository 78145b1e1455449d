# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the core's Python may be, and how a user gets one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..installer.places import CoreFolder, default_core_folder
from ..installer.state import look

CORE_FOLDER_NAME = "n2f_core"


def python_in(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def find_core_python(package_folder: Path, core: CoreFolder | None = None) -> Path | None:
    """The `.venv` of a source checkout, else the core that was installed (in `core`, else in its usual folder), else
    the environment that the install command makes; None if none is there.

    Only looks at files: nothing is started.
    """
    checkout = package_folder.resolve().parent
    core = core or CoreFolder(default_core_folder())
    candidates = [python_in(checkout / ".venv")] if (checkout / "inference_core" / "__init__.py").is_file() else []
    candidates += [core.python] if look(core, None).usable else []
    candidates += [python_in(Path.home() / CORE_FOLDER_NAME)]
    return next((python for python in candidates if python.is_file()), None)


def install_command() -> str:
    """What a user pastes into a terminal, in the folder of the project (where pyproject.toml is).

    Not plain pip: these are the versions that were tested, and what an interruption left is repaired.
    """
    if sys.platform == "win32":
        return f'py -3.11 scripts\\bootstrap.py core --into "%USERPROFILE%\\{CORE_FOLDER_NAME}"'
    return f'python3 scripts/bootstrap.py core --into "$HOME/{CORE_FOLDER_NAME}"'


def expand(path: str) -> Path:
    """A path as a user types it: with ~ and variables."""
    return Path(os.path.expandvars(path)).expanduser()


def server_command(python: Path) -> tuple[str, ...]:
    """How the core is started. -I: neither the working folder nor PYTHON* variables decide what is imported."""
    return (str(python), "-I", "-m", "inference_core.server")
