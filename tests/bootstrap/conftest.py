"""A package index of tiny wheels on the disk, so that installing can be tested without a network."""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts"))

FILES_OF_SLOW = 6000  # enough that copying them takes pip a second or two: time to be killed in


def write_wheel(folder: Path, name: str, version: str, files: int, needs: str = "") -> Path:
    """A pure wheel whose package `name` holds `files` modules besides __init__, and which needs another."""
    content = {f"{name}/__init__.py": f"VERSION = '{version}'\n"}
    content |= {f"{name}/module_{number:05d}.py": f"NUMBER = {number}\n" for number in range(files)}
    info = f"{name}-{version}.dist-info"
    content[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    content[f"{info}/METADATA"] += f"Requires-Dist: {needs}\n" if needs else ""
    content[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{path},{_record_hash(text)},{len(text.encode())}\n" for path, text in content.items())
    content[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)
    return wheel


def _record_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.fixture
def tiny_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of wheels; pip, in this test, knows no other place."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    write_wheel(folder, "tinyone", "1.0", files=3)
    write_wheel(folder, "tinyone", "2.0", files=4)
    write_wheel(folder, "tinyneedy", "1.0", files=1, needs="tinyone>=2")
    write_wheel(folder, "tinyslow", "1.0", files=FILES_OF_SLOW)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_COMPILE", "1")
    return folder
