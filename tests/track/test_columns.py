"""A take that is made and kept piece by piece is the one made at once, and needs no more memory for being long."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.formats.take import PER_FRAME
from inference_core.head import load_head
from inference_core.take import Smoothing, Take, TakeMeta, load_take, save_take
from inference_core.track import columns
from inference_core.track.assemble import Takes, make_takes
from inference_core.track.identity import Identity
from inference_core.track.portrait import best_rows
from inference_core.track.records import performance_type, read_records

HEAD = load_head()


def recorded(frames: int, path: Path | None = None) -> NDArray[Any]:
    """Somebody who talks and turns, comes after three frames, is lost twice, and always smiles a little."""
    rng, time = np.random.default_rng(frames), np.arange(frames) / 25
    records = np.zeros(frames, performance_type(HEAD.expression_count, 1))
    records["frame"] = np.arange(frames)
    person = records["people"][:, 0]
    person["valid"], person["confidence"] = True, 0.9
    person["expression"] = 0.05 + 0.3 * np.abs(np.sin(time[:, None] * np.linspace(0.1, 3, HEAD.expression_count)))
    person["expression"] += rng.normal(scale=0.01, size=person["expression"].shape)
    person["jaw"][:, 0] = 0.1 + 0.08 * np.sin(9 * time) + rng.normal(scale=0.004, size=frames)
    person["eyelids"] = rng.uniform(0.0, 0.1, (frames, 2))
    person["rotation"] = np.stack([np.full(frames, np.pi), 0.3 * np.sin(time), 0 * time], axis=1)
    person["translation"] = np.stack([0.02 * np.sin(time), 0 * time, 0.6 + 0.01 * np.cos(time)], axis=1)
    person["box"] = 10.0
    for gone in (slice(0, 3), slice(37, 41), slice(44, 45)):
        person[gone] = 0
    if path is None:
        return records
    records.tofile(path)
    return read_records(path, records.dtype)


def made(records: NDArray[Any], folder: Path) -> Takes:
    frames = len(records)
    meta = TakeMeta(
        HEAD.head_id, HEAD.sha256, HEAD.expression_names, "clip.mp4", 25.0, "1", {}, cuts=(20, min(70, frames))
    )
    identity = Identity(np.zeros(HEAD.shape_count), np.array([300.0, 300.0, 128.0, 128.0]))
    folder.mkdir(exist_ok=True)
    people, times = records["people"][:, 0], np.arange(frames) / 25
    return make_takes(
        HEAD, meta, identity, (256, 256), times, records["frame"], people, Smoothing(), folder, locked=False
    )


def test_piece_by_piece_is_as_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = recorded(101)
    whole = made(records, tmp_path / "whole")
    assert not list((tmp_path / "whole").iterdir())  # short takes stay in memory
    rows = best_rows(whole.raw)
    monkeypatch.setattr(columns, "PIECE", 19)
    parts = made(records, tmp_path / "parts")
    for one, other in ((whole.raw, parts.raw), (whole.smooth, parts.smooth)):
        for name in ("shape", *PER_FRAME):
            assert np.abs(getattr(one, name).astype(float) - getattr(other, name)).max() < 1e-5, name
    assert whole.smooth.shape.any()  # the smile is the person's
    assert np.array_equal(best_rows(parts.raw), rows)
    save_take(tmp_path / "take.npz", parts.smooth)
    assert load_take(tmp_path / "take.npz").frame_count == 101


def test_without_holes_and_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "PIECE", 8)
    take: Take = made(recorded(60), tmp_path).smooth
    for name in ("expression", "head_translation", "landmarks_68"):
        values = getattr(take, name)
        assert np.allclose(values[[0, 40]], values[[3, 36]], atol=1e-4), name
        assert not np.allclose(values[41], values[40], atol=1e-4), name
    nobody = recorded(20)
    nobody["people"]["valid"] = False
    assert not made(nobody, tmp_path).smooth.valid.any()


def test_memory_does_not_grow_with_the_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame takes 8 kB where all are held at once; some numbers a frame are a tenth of that."""
    monkeypatch.setattr(columns, "PIECE", 32)
    peaks = []
    for frames in (70, 230):
        records = recorded(frames, tmp_path / f"{frames}.rec")
        tracemalloc.start()
        made(records, tmp_path / f"of_{frames}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 160 < 800.0
