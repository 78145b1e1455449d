"""A Python counts only when it starts and is the version it is called after."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bootstrap_parts.interpreters import find_python


def program(folder: Path, script: str) -> Path:
    folder.mkdir(parents=True)
    path = folder / "python3.99"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def no_pyenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))


def search(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> Path | None:
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    return find_python((3, 99))


def test_a_shim_without_its_python_and_an_impostor_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = program(tmp_path / "a", "echo 'command not found' >&2; exit 127")
    impostor = program(tmp_path / "b", "echo 3.8")
    real = program(tmp_path / "c", "echo 3.99")
    assert search(monkeypatch, shim.parent, impostor.parent, real.parent) == real
    assert search(monkeypatch, shim.parent, impostor.parent) is None


def test_a_python_that_pyenv_keeps_beside_its_shims_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = program(tmp_path / "shims", "exit 127")
    real = program(tmp_path / "pyenv" / "versions" / "3.99.1" / "bin", "echo 3.99")
    assert search(monkeypatch, shim.parent) == real
