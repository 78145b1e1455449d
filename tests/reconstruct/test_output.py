"""A result folder is there completely or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from inference_core.errors import BadInput
from inference_core.reconstruct.output import atomic_folder


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_everything_appears_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with atomic_folder(target) as partial:
        (partial / "one").write_text("1")
        assert not (target / "one").exists()
        (partial / "two").write_text("2")
    assert tree(target) == {"one", "two"}


def test_an_earlier_result_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("old")
    (tmp_path / "mine").write_text("keep")
    with atomic_folder(tmp_path) as partial:
        (partial / "one").write_text("new")
        assert (tmp_path / "one").read_text() == "old"
    assert (tmp_path / "one").read_text() == "new"
    assert tree(tmp_path) == {"one", "mine"}


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_a_failure_leaves_nothing(tmp_path: Path, failure: type[BaseException]) -> None:
    with pytest.raises(failure), atomic_folder(tmp_path / "a" / "b") as partial:
        (partial / "one").write_text("1")
        raise failure
    assert tree(tmp_path) == set()


def test_a_failure_leaves_the_earlier_result(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(tmp_path) as partial:
        (partial / "one").write_text("new")
        raise RuntimeError
    assert tree(tmp_path) == {"one"}
    assert (tmp_path / "one").read_text() == "old"


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EACCES, "may not be written"),
        (errno.EROFS, "may not be written"),
        (errno.EIO, "cannot be written: Input/output error"),
    ],
)
def test_the_reason_is_said(tmp_path: Path, number: int, says: str) -> None:
    with pytest.raises(BadInput) as caught, atomic_folder(tmp_path / "a"):
        raise OSError(number, os.strerror(number))
    assert says in caught.value.sentence
    assert caught.value.remedy
    assert tree(tmp_path) == set()


def test_a_full_disk_while_moving_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(BadInput, match="disk is full"), atomic_folder(tmp_path / "a") as partial:
        (partial / "one").write_text("1")
        monkeypatch.setattr(Path, "replace", full)
    assert tree(tmp_path) == set()


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadInput, match="is not a folder"), atomic_folder(target):
            pytest.fail("it must not begin")
    assert tree(tmp_path) == {"file"}


@pytest.mark.skipif(os.name == "nt", reason="a place that refuses everybody, root included, is Linux's")
def test_an_unwritable_place() -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("no /proc here")
    with pytest.raises(BadInput), atomic_folder(Path("/proc/n2f")):
        pytest.fail("it must not begin")


KILLED = """
import sys, time
from pathlib import Path
from inference_core.reconstruct.output import atomic_folder
with atomic_folder(Path(sys.argv[1])) as partial:
    (partial / "one").write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_killed_process_leaves_no_result_and_the_next_run_tidies_up(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "out")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"writing"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (leftover,) = (tmp_path / "out").iterdir()
    assert leftover.name.startswith(".n2f-partial-")
    with atomic_folder(tmp_path / "out") as partial:
        (partial / "one").write_text("whole")
    assert tree(tmp_path / "out") == {"one"}


def test_the_partial_folder_of_a_running_process_is_left_alone(tmp_path: Path) -> None:
    with atomic_folder(tmp_path) as first:
        other = tmp_path / first.name.replace(f"-{os.getpid()}-", f"-{os.getppid()}-")
        other.mkdir()
        with atomic_folder(tmp_path) as second:
            (second / "x").touch()
            assert first.is_dir()
        assert other.is_dir()
    assert tree(tmp_path) == {"x", other.name}
