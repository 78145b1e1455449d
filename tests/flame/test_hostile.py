"""A file that was made to do harm is refused in a sentence; nothing in it runs, and memory stays bounded."""

from __future__ import annotations

import codecs
import pickle
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference_core.errors import BadInput
from inference_core.flame import convert_flame, recognise
from inference_core.flame.pickle_reader import read_pickle
from inference_core.flame.source import open_source
from tests.flame.hostile import bombs, executing, exhausting

_EXECUTING = sorted(executing(Path("canary")))
_MEMORY = 1200 << 20  # address space of a process that opens hostile files, numpy and scipy loaded


@pytest.mark.parametrize("name", _EXECUTING)
def test_nothing_is_executed(name: str, tmp_path: Path) -> None:
    canary, path = tmp_path / "canary", tmp_path / "head.pkl"
    path.write_bytes(executing(canary)[name])
    with pytest.raises(BadInput) as refused:
        convert_flame(path, tmp_path / "out.npz")
    assert not canary.exists()
    assert recognise(path) is None
    assert sorted(tmp_path.iterdir()) == [path]  # neither a canary nor half a head
    assert refused.value.sentence.startswith("head.pkl") and refused.value.sentence.endswith(".")


def test_the_canary_would_sing(tmp_path: Path) -> None:
    """The files are live: Python's own unpickler runs them."""
    canary = tmp_path / "canary"
    pickle.loads(executing(canary)["os.system, protocol 2"])
    assert canary.exists()


def test_what_is_refused_is_named(tmp_path: Path) -> None:
    path = tmp_path / "head.pkl"
    path.write_bytes(executing(tmp_path / "canary")["os.system, protocol 2"])
    with pytest.raises(BadInput, match=r"posix\.system"):
        convert_flame(path, tmp_path / "out.npz")


@pytest.mark.parametrize("name", sorted(exhausting()))
def test_claims_are_not_believed(name: str, tmp_path: Path) -> None:
    path = tmp_path / "head.pkl"
    path.write_bytes(exhausting()[name])
    with pytest.raises(BadInput):
        convert_flame(path, tmp_path / "out.npz")


def test_a_claimed_size_is_told() -> None:
    with pytest.raises(BadInput, match=r"9\.3 GB.*holds 8 bytes"):
        read_pickle(exhausting()["10 GB claimed shape"], "head.pkl")


def test_memory_is_bounded(tmp_path: Path, archives: dict[str, Path]) -> None:
    """All of them, archives too, in a process that may not have more than a head needs."""
    folder = tmp_path / "files"
    folder.mkdir()
    for number, content in enumerate(exhausting().values()):
        (folder / f"{number}.pkl").write_bytes(content)
    for path in archives.values():
        (folder / path.name).symlink_to(path)
    program = (
        "import sys; from pathlib import Path; from inference_core.errors import BadInput\n"
        "from inference_core.flame.model import check_model\n"
        "from inference_core.flame.source import open_source\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    try: check_model(open_source(path)); print('OPENED', path.name)\n"
        "    except BadInput: print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY)),
        check=False,
        env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["refused"] * len(list(folder.iterdir()))


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return bombs(tmp_path_factory.mktemp("archives"))


@pytest.mark.parametrize("name", ["npz bomb", "zip bomb", "zip bomb that lies", "npz, 10 GB claimed", "npz of objects"])
def test_archives(name: str, archives: dict[str, Path]) -> None:
    with pytest.raises(BadInput):
        open_source(archives[name])


def _honest() -> bytes:
    arrays = {"v_template": np.arange(12.0).reshape(4, 3), "f": np.array([[0, 1, 2]], np.uint32), "bs_type": "lrotmin"}
    return pickle.dumps(arrays, protocol=2)


for _codec in ("raw-unicode-escape", "ascii", "latin1"):
    codecs.lookup(_codec)  # Python imports them when they are first used, which is none of the file's doing


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 10_000),
    insert=st.binary(max_size=12),
    protocol=st.sampled_from([0, 2, 4, 5]),
)
def test_damaged_pickles_end_in_a_sentence(
    changes: list[tuple[int, int]], cut: int, insert: bytes, protocol: int
) -> None:
    """Whatever the bytes are: a dictionary or BadInput, and no name is ever looked up outside the table."""
    content = bytearray(pickle.dumps(pickle.loads(_honest()), protocol=protocol))
    for place, value in changes:
        content[place % len(content)] = value
    at = cut % len(content)
    content[at:at] = insert
    watched: list[str] = []
    sys.addaudithook(_Watch.hook) if not _Watch.added else None
    _Watch.added, _Watch.seen = True, watched
    try:
        read_pickle(bytes(content), "head.pkl")
    except BadInput as error:
        assert error.sentence.endswith(".") and error.remedy
    finally:
        _Watch.seen = None
    assert not watched


class _Watch:
    """Python tells of every import, process, file and unpickled name while `seen` is a list."""

    added = False
    seen: list[str] | None = None
    EVENTS = ("pickle.find_class", "os.", "subprocess.", "open", "exec", "compile", "ctypes", "socket.", "import")

    @classmethod
    def hook(cls, event: str, _arguments: tuple[object, ...]) -> None:
        if cls.seen is not None and event.startswith(cls.EVENTS):
            cls.seen.append(event)


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=400))
def test_any_bytes_end_in_a_sentence(content: bytes) -> None:
    try:
        read_pickle(content, "head.pkl")
    except BadInput as error:
        assert error.sentence.endswith(".")
