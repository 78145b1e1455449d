"""Smoothing in double precision, as the extension does it, is the core's in single."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference_core import take as core
from n2f_blender.files.take import load_take
from n2f_blender.formats import smoothing as extension
from tests.blender.performances import noisy, performance
from tests.blender.synthetic_head import write_synthetic_head

SMOOTHED = ("expression", "jaw", "neck", "eyes", "eyelids", "head_rotation", "head_translation")


@pytest.mark.parametrize("points", [False, True], ids=["no points", "points"])
@pytest.mark.parametrize("strengths", [(1, 1, 1, 1), (0, 0.5, 2, 3), (3, 0, 0, 0.2)])
def test_parity_with_the_core(tmp_path: Path, strengths: tuple[float, float, float, float], points: bool) -> None:
    head = write_synthetic_head(tmp_path / "egg.npz")
    arrays = noisy(performance(head, frames=90, lost=[(20, 24), (89, 90)], cuts=(50,)))
    rough = np.sort(np.asarray(arrays["timestamp"]) + np.random.default_rng(1).uniform(0, 0.01, 90))
    path = tmp_path / "raw.npz"
    walk = np.random.default_rng(2).normal(scale=2e-4, size=(90, 68, 3)).cumsum(axis=0).astype(np.float32)
    np.savez(path, **(arrays | {"timestamp": rough, "landmarks_68_head": walk * points}))
    expected = core.smooth_take(core.load_take(path), core.Smoothing(*strengths))
    smoothed = extension.smooth_take(load_take(path), extension.Smoothing(*strengths))
    for name in SMOOTHED:
        assert np.abs(getattr(smoothed, name) - getattr(expected, name)).max() < 1e-6, name
    moved = [np.abs(getattr(smoothed, name) - arrays[name]).max() for name in SMOOTHED]
    assert max(moved) > 1e-3, "nothing was smoothed"


def test_strength_zero_is_the_raw_take(tmp_path: Path) -> None:
    head = write_synthetic_head(tmp_path / "egg.npz")
    np.savez(tmp_path / "raw.npz", **noisy(performance(head)))
    raw = load_take(tmp_path / "raw.npz")
    smoothed = extension.smooth_take(raw, extension.Smoothing(0, 0, 0, 0))
    for name in SMOOTHED:
        assert np.array_equal(getattr(smoothed, name), getattr(raw, name)), name
