"""One reader for files from outside: what is announced is checked before it is read."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference_core.formats.npz import DamagedFile, read_npz


def npy(values: np.ndarray) -> bytes:  # type: ignore[type-arg]
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = {
        "numbers": np.arange(12, dtype=">f4").reshape(3, 4),
        "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "words": np.array(["a", "größe"]),
        "truth": np.array([True, False]),
        "one": np.array("text"),
        "none": np.zeros((0, 3)),
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    read = read_npz(tmp_path / "a.npz")
    assert set(read) == set(arrays)
    for name, values in arrays.items():
        assert read[name].dtype == values.dtype
        assert np.array_equal(read[name], values)
    assert set(read_npz(tmp_path / "a.npz", ("one",))) == {"one"}


def lying(shape: str) -> bytes:
    return npy(np.zeros(3)).replace(b"(3,)", shape.encode().ljust(4))


@pytest.mark.parametrize(
    "member",
    [
        lambda: npy(np.array([{}], dtype=object)),
        lambda: npy(np.zeros(3))[:-5],
        lambda: npy(np.zeros(3)) + b"more",
        lambda: lying("(9,)"),
        lambda: lying("(-3,"),
        lambda: b"no array",
        lambda: b"",
        lambda: npy(np.zeros(3)).replace(b"descr", b"descx"),
        lambda: npy(np.zeros(3)).replace(b"{", b"(", 1),
    ],
)
def test_what_is_no_plain_array_is_refused(tmp_path: Path, member: Callable[[], bytes]) -> None:
    path = archive(tmp_path / "a.npz", {"a.npy": member()})
    with pytest.raises(DamagedFile):
        read_npz(path)


def test_an_archive_that_would_fill_the_memory_is_not_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.npz", {"a.npy": npy(np.zeros(1 << 20))})
    assert path.stat().st_size < 20_000
    with pytest.raises(DamagedFile, match="announces more"):
        read_npz(path, most_bytes=1 << 20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_one_kind_of_error(tmp_path: Path, data: st.DataObject) -> None:
    whole = io.BytesIO()
    np.savez_compressed(whole, a=np.arange(50.0), words=np.array(["x", "y"]))
    content = bytearray(whole.getvalue())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "damaged.npz"
    path.write_bytes(bytes(content[: data.draw(st.integers(1, len(content)))]))
    with contextlib.suppress(DamagedFile):
        read_npz(path)
