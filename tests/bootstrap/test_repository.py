"""What holds for the repository as a whole: pinned requirements, no package host, no large files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from bootstrap_parts.distributions import read_pins
from bootstrap_parts.errors import RequirementNotPinned
from bootstrap_parts.layout import FURTHER, MAIN, REQUIREMENTS, installs_for_tests

from .conftest import REPOSITORY

MEGABYTE = 1_000_000
LOCK = REQUIREMENTS / "blender_core.txt"  # pip's hash-checking form, read by the installer: tests/installer
REQUIREMENT_FILES = sorted(path for path in REQUIREMENTS.glob("*.txt") if path != LOCK)
# Two labels and a top-level domain, as in a host's name; file names end in none of these.
HOST = re.compile(r"\b[a-z0-9-]+\.(?:org|com|net|io|dev|cloud|ai|edu)\b", re.IGNORECASE)
INDEX_OPTION = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|(?<!\w)-[if] \S*/")


def git(*arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        pytest.skip("this is no git checkout")
    return answer.stdout


def tracked_files() -> list[Path]:
    names = [name for name in git("ls-files", "-z").split("\0") if name]
    return [REPOSITORY / name for name in names if (REPOSITORY / name).is_file()]


@pytest.mark.parametrize("file", REQUIREMENT_FILES, ids=lambda file: file.name)
def test_every_requirement_is_pinned(file: Path) -> None:
    assert read_pins(file)


@pytest.mark.parametrize(
    "line", ["numpy", "numpy>=1", "-e .", "--no-deps", "numpy @ file:///x.whl", "a==1; python_version>'3'"]
)
def test_anything_but_a_pin_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "r.txt"
    file.write_text(line)
    with pytest.raises(RequirementNotPinned, match=r"r\.txt, line 1"):
        read_pins(file)


def test_all_files_for_one_environment_agree() -> None:
    versions: dict[str, str] = {}
    for install in installs_for_tests(train=True):
        if install.pinned:
            for name, version in read_pins(install.file).items():
                assert versions.setdefault(name, version) == version, f"{name} has two versions"
    assert versions["numpy"] == "1.26.4"
    assert MAIN.version == (3, 11)


def test_no_package_host_is_named() -> None:
    files = [*REQUIREMENT_FILES, LOCK, REPOSITORY / ".ci" / "run", REPOSITORY / "scripts" / "bootstrap.py"]
    files += sorted((REPOSITORY / "scripts" / "bootstrap_parts").glob("*.py"))
    assert len(files) > 10 + len(FURTHER)
    for file in files:
        text = file.read_text()
        assert "://" not in text, file
        assert not HOST.search(text), (file, HOST.search(text))
        assert not INDEX_OPTION.search(text), (file, INDEX_OPTION.search(text))


def test_no_file_is_larger_than_15_megabytes_and_all_together_than_100() -> None:
    sizes = {file: file.stat().st_size for file in tracked_files()}
    assert len(sizes) > 50
    assert [str(file) for file, size in sizes.items() if size > 15 * MEGABYTE] == []
    assert sum(sizes.values()) < 100 * MEGABYTE
