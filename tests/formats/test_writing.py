"""Files appear whole or not at all, with the rights that a user's other files have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inference_core.formats.writing import named_whole, write_text_whole, written_whole


def test_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), written_whole(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"before"
    with written_whole(path) as file:
        file.write(b"after")
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_wants_a_name_gets_one_with_the_ending(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(ZeroDivisionError), named_whole(path) as unfinished:
        unfinished.write_bytes(b"half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with named_whole(path) as unfinished:
        assert (unfinished.suffix, unfinished.parent) == (".png", tmp_path)
        unfinished.unlink()  # some programs make the file anew
        unfinished.write_bytes(b"all")
    assert path.read_bytes() == b"all"


def test_text_is_the_same_on_every_system(tmp_path: Path) -> None:
    write_text_whole(tmp_path / "a.txt", "å\n")
    assert (tmp_path / "a.txt").read_bytes() == "å\n".encode()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_it_is_as_readable_as_others(tmp_path: Path) -> None:
    with written_whole(tmp_path / "a") as file:
        file.write(b"1")
    (tmp_path / "b").write_bytes(b"1")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.skipif(os.name == "nt", reason="nobody can ask there whether a process runs")
def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path: Path) -> None:
    path, neighbour = tmp_path / "a.txt", tmp_path / "b.txt"
    code = f"""
import os, signal
from pathlib import Path
from inference_core.formats.writing import written_whole
with written_whole(Path({str(path)!r})), written_whole(Path({str(neighbour)!r})):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    left = {entry.name[:14] for entry in tmp_path.iterdir()}
    assert left == {".a.n2f-partial", ".b.n2f-partial"}
    with named_whole(path) as mine:
        write_text_whole(path, "another at the same time")
        assert mine.exists()
    assert {entry.name[:14] for entry in tmp_path.iterdir()} == {"a.txt", ".b.n2f-partial"}
