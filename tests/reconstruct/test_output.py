"""A result folder is there completely or not at all."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from inference_core.errors import BadInput
from inference_core.reconstruct.output import atomic_folder
from inference_core.reconstruct.ownership import FILES, REPORT, listed


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_everything_appears_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with atomic_folder(target) as partial:
        (partial / "one").write_text("1")
        assert not (target / "one").exists()
        (partial / "two").write_text("2")
    assert tree(target) == {"one", "two"}


def earlier_run(folder: Path) -> None:
    """A result called "one"."""
    with atomic_folder(folder) as partial:
        (partial / "one").write_text("old")
        report = {"status": "done", "software_version": "0", "head": {}, FILES: listed(partial, partial.iterdir())}
        (partial / REPORT).write_text(json.dumps(report))


def test_an_earlier_result_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    earlier_run(tmp_path)
    (tmp_path / "mine").write_text("keep")
    with atomic_folder(tmp_path) as partial:
        (partial / "one").write_text("new")
        assert (tmp_path / "one").read_text() == "old"
    assert (tmp_path / "one").read_text() == "new"
    assert tree(tmp_path) == {"one", "mine", REPORT}


@pytest.mark.parametrize("kind", ["never ours", "changed since", "a link", "an empty folder"])
def test_what_is_not_ours_keeps_its_bytes(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    if kind == "changed since":
        earlier_run(folder)
    target = folder / "one"
    if kind == "a link":
        (tmp_path / "elsewhere").write_text("keep")
        target.symlink_to(tmp_path / "elsewhere")
    elif kind == "an empty folder":
        target.mkdir()
    else:
        target.write_text("keep")
    before = tree(tmp_path)
    with pytest.raises(BadInput, match="is no result of an earlier run"), atomic_folder(folder) as partial:
        (partial / "one").write_text("new")
        (partial / "another").write_text("new")
    assert tree(tmp_path) == before
    assert kind == "an empty folder" or target.read_text() == "keep"


def test_an_input_is_never_replaced_whatever_it_is_called(tmp_path: Path) -> None:
    """Not even a result of ours that is given as an input, by another path to the same file."""
    earlier_run(tmp_path)
    (tmp_path / "sub").mkdir()
    other_name = tmp_path / "sub" / "linked"
    other_name.hardlink_to(tmp_path / "one")
    with pytest.raises(BadInput, match="is an input"), atomic_folder(tmp_path, [other_name]) as partial:
        (partial / "one").write_text("new")
    assert (tmp_path / "one").read_text() == "old"


def test_a_report_of_somebody_else_marks_nothing(tmp_path: Path) -> None:
    for text in ('{"files": {"one": null}}', "[" * 100_000, "not JSON", "[]"):
        (tmp_path / REPORT).write_text(text)
        (tmp_path / "one").write_text("keep")
        with pytest.raises(BadInput), atomic_folder(tmp_path) as partial:
            (partial / "one").write_text("new")
        assert (tmp_path / "one").read_text() == "keep"


def test_results_from_before_reports_had_a_list_are_replaced(tmp_path: Path) -> None:
    (tmp_path / REPORT).write_text('{"status": "done", "software_version": "0", "head": {}}')
    (tmp_path / "overlay.png").write_text("old")
    with atomic_folder(tmp_path) as partial:
        (partial / "overlay.png").write_text("new")
    assert (tmp_path / "overlay.png").read_text() == "new"


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_a_failure_leaves_nothing(tmp_path: Path, failure: type[BaseException]) -> None:
    with pytest.raises(failure), atomic_folder(tmp_path / "a" / "b") as partial:
        (partial / "one").write_text("1")
        raise failure
    assert tree(tmp_path) == set()


def test_a_failure_leaves_the_earlier_result(tmp_path: Path) -> None:
    earlier_run(tmp_path)
    with pytest.raises(RuntimeError), atomic_folder(tmp_path) as partial:
        (partial / "one").write_text("new")
        raise RuntimeError
    assert tree(tmp_path) == {"one", REPORT}
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
