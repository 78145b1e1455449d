"""The take survives the disk unchanged, and what is not a take is refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference_core.errors import BadInput
from inference_core.take import Photos, Take, TakeMeta, load_take, save_take
from n2f_blender.errors import TakeError
from n2f_blender.files.take import load_take as load_in_extension

Loader = Callable[[Path], object]


def random_take(seed: int, frames: int, shapes: int, expressions: int) -> Take:
    """Random values of the right shapes."""
    rng = np.random.default_rng(seed)

    def floats(*size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return rng.normal(size=size).astype(np.float32)

    names = tuple(f"e{i}" for i in range(expressions))
    weights = {"n2fnet": "cd" * 32}
    return Take(
        meta=TakeMeta("open_head", "ab" * 32, names, "Grüße.jpg", 25.0, "0.1.0", weights, turn=90 * (seed % 4)),
        shape=floats(shapes),
        expression=floats(frames, expressions),
        jaw=floats(frames, 3),
        neck=floats(frames, 3),
        eyes=floats(frames, 2, 3),
        eyelids=floats(frames, 2),
        head_rotation=floats(frames, 3),
        head_translation=floats(frames, 3),
        intrinsics=np.abs(floats(4)) + 1,
        image_size=rng.integers(1, 9000, 2).astype(np.int32),
        frame_index=np.arange(frames, dtype=np.int32),
        timestamp=np.arange(frames) / 25.0,
        valid=rng.random(frames) < 0.5,
        confidence=np.abs(floats(frames)),
        landmarks_68=floats(frames, 68, 2),
        landmarks_68_head=floats(frames, 68, 3),
        bbox=floats(frames, 4),
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(seed=st.integers(0, 99), frames=st.integers(0, 4), shapes=st.integers(0, 5), expressions=st.integers(0, 4))
def test_survives_the_disk(tmp_path: Path, seed: int, frames: int, shapes: int, expressions: int) -> None:
    take = random_take(seed, frames, shapes, expressions)
    save_take(tmp_path / "take.npz", take)
    back = load_take(tmp_path / "take.npz")
    assert back.meta == take.meta
    for name, value in vars(take).items():
        if name not in ("meta", "photos"):
            assert np.array_equal(getattr(back, name), value), name
            assert getattr(back, name).dtype == value.dtype, name


def photos(frames: int) -> Photos:
    """Of different sizes, one of them stored on its side."""
    return Photos(
        picture=tuple(f"/a b/Grüße_{row}.jpg" for row in range(frames)),
        picture_size=np.array([[640 + row, 480] for row in range(frames)], np.int32),
        picture_orientation=np.array([6] + [1] * (frames - 1), np.int32),
        picture_intrinsics=np.full((frames, 4), 900.0, np.float32),
    )


def test_frames_that_are_photos_survive_the_disk(tmp_path: Path) -> None:
    take = replace(random_take(1, frames=3, shapes=2, expressions=1), photos=photos(3))
    save_take(tmp_path / "take.npz", take)
    back = load_take(tmp_path / "take.npz").photos
    assert back is not None and take.photos is not None
    assert back.picture == take.photos.picture
    for name in ("picture_size", "picture_orientation", "picture_intrinsics"):
        assert np.array_equal(getattr(back, name), getattr(take.photos, name)), name


def test_photos_that_are_not_the_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="picture"):
        replace(random_take(1, frames=2, shapes=2, expressions=1), photos=photos(3))


def test_a_take_of_version_1_still_opens(tmp_path: Path) -> None:
    take = random_take(2, frames=1, shapes=2, expressions=1)
    save_take(tmp_path / "take.npz", replace(take, meta=replace(take.meta, schema_version=1)))
    assert load_take(tmp_path / "take.npz").photos is None
    save_take(tmp_path / "later.npz", replace(take, meta=replace(take.meta, schema_version=3)))
    with pytest.raises(BadInput, match="schema version 3"):
        load_take(tmp_path / "later.npz")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 truncated"])
def test_refuses_what_is_not_a_take(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "take.npz"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"take\.npz is not a take"):
        load_take(path)


def test_refuses_arrays_that_do_not_belong_together() -> None:
    values = vars(random_take(0, frames=2, shapes=3, expressions=2)) | {"jaw": np.zeros((3, 3), np.float32)}
    with pytest.raises(ValueError, match="jaw"):
        Take(**values)


def test_a_failed_write_leaves_the_old_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "take.npz"
    take = random_take(0, 1, 1, 1)
    save_take(path, take)
    before = path.read_bytes()

    write_array, written = np.lib.format.write_array, []

    def full_disk(*arguments: object, **options: object) -> None:
        written.append(1)
        if len(written) > 3:
            raise OSError(28, "No space left on device")
        write_array(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(np.lib.format, "write_array", full_disk)
    with pytest.raises(OSError, match="No space"):
        save_take(path, take)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["take.npz"]


def test_cuts_survive_and_takes_without_them_still_load(tmp_path: Path) -> None:
    take = random_take(0, 2, 1, 1)
    cut = replace(take, meta=replace(take.meta, cuts=(3, 17)))
    save_take(tmp_path / "take.npz", cut)
    assert load_take(tmp_path / "take.npz").meta.cuts == (3, 17)
    old = json.loads(take.meta.to_json())
    del old["cuts"]
    assert TakeMeta.from_json(json.dumps(old)) == take.meta


IMPOSSIBLE = {
    "a head at no place": ("head_translation", lambda values: values * np.nan),
    "an infinite jaw": ("jaw", lambda values: values + np.inf),
    "a time that is none": ("timestamp", lambda values: values * np.nan),
    "a frame before the first": ("frame_index", lambda values: values - 1),
    "half a frame": ("frame_index", lambda values: values + 0.5),
    "less than no confidence": ("confidence", lambda values: -1 - values),
    "no picture": ("image_size", lambda values: values * 0),
    "no focal length": ("intrinsics", lambda values: -values),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
@pytest.mark.parametrize("load", [load_take, load_in_extension], ids=["core", "extension"])
def test_numbers_that_no_take_has_are_refused_on_both_sides(tmp_path: Path, load: Loader, what: str) -> None:
    path, (name, changed) = tmp_path / "take.npz", IMPOSSIBLE[what]
    save_take(path, replace(random_take(1, frames=2, shapes=2, expressions=1), valid=np.array([True, True])))
    load(path)
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **(arrays | {name: changed(arrays[name])}))
    with pytest.raises((BadInput, TakeError), match=r"take\.npz is not a take that can be read"):
        load(path)


@pytest.mark.parametrize("fps", ["NaN", "Infinity", "-1", "true", '"24"', "1e9"])
@pytest.mark.parametrize("load", [load_take, load_in_extension], ids=["core", "extension"])
def test_rates_that_are_none_are_refused_on_both_sides(tmp_path: Path, load: Loader, fps: str) -> None:
    path = tmp_path / "take.npz"
    save_take(path, random_take(1, frames=2, shapes=2, expressions=1))
    with np.load(path) as file:
        arrays = dict(file)
    arrays["meta"] = np.array(str(arrays["meta"]).replace('"fps": 25.0', f'"fps": {fps}'))
    np.savez(path, **arrays)
    with pytest.raises((BadInput, TakeError), match=r"can be read: its frame rate"):
        load(path)


@pytest.mark.parametrize("turn", ["45", "true", "-90", '"90"'])
def test_only_quarters_are_turns(turn: str) -> None:
    text = random_take(0, 1, 1, 1).meta.to_json()
    with pytest.raises(ValueError, match="quarters"):
        TakeMeta.from_json(text.replace('"turn": 0', f'"turn": {turn}'))


def test_the_extension_reads_a_take_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    path, take = tmp_path / "take.npz", random_take(3, frames=4, shapes=2, expressions=1)
    save_take(path, replace(take, valid=np.ones(4, np.bool_)))
    first = load_in_extension(path)
    assert load_in_extension(path) is first
    assert first.jaw.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        first.jaw[0] = 1
    save_take(path, replace(take, valid=np.ones(4, np.bool_), jaw=take.jaw + 1))
    assert np.allclose(load_in_extension(path).jaw, first.jaw + 1)
