"""Finding a Python of a given version that really starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

START_TIMEOUT_S = 30


def candidates(version: tuple[int, int]) -> Iterator[Path]:
    """Programs that may be that Python: the running one, those on PATH, those that pyenv keeps beside its shims."""
    name = f"python{version[0]}.{version[1]}" + (".exe" if os.name == "nt" else "")
    if sys.version_info[:2] == version:
        yield Path(sys.executable)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder:
            yield Path(folder) / name
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version[0]}.{version[1]}*/bin/{name}"), reverse=True)


def find_python(version: tuple[int, int]) -> Path | None:
    """The first candidate that starts and says it is that version (a shim may be there without its Python)."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in candidates(version):
        if not candidate.is_file():
            continue
        try:
            answer = subprocess.run(
                [candidate, "-I", "-c", question],
                capture_output=True,
                text=True,
                timeout=START_TIMEOUT_S,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0 and answer.stdout.strip() == f"{version[0]}.{version[1]}":
            return candidate
    return None


def can_make_environments(python: Path) -> bool:
    """Whether `python -m venv` can work: Debian keeps ensurepip in a package of its own."""
    answer = subprocess.run([python, "-I", "-c", "import ensurepip, venv"], capture_output=True, check=False)
    return answer.returncode == 0
