"""The committed file is what the script builds, byte for byte; the parts of the build hold on their own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.head.model import BUNDLED_HEAD

ROOT = Path(__file__).resolve().parents[2]


def _build(out: Path) -> str:
    source_module = pytest.importorskip("open_head.source")
    try:
        source_module.find_source(None)
    except source_module.SourceMissing as error:
        pytest.skip(str(error))
    command = [sys.executable, str(ROOT / "scripts" / "build_open_head.py"), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    return hashlib.sha256(out.read_bytes()).hexdigest()


def test_rebuild_gives_the_committed_bytes(tmp_path: Path) -> None:
    assert _build(tmp_path / "head.npz") == hashlib.sha256(BUNDLED_HEAD.read_bytes()).hexdigest()


def test_missing_source_is_one_clear_sentence(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "build_open_head.py"), "--source", str(tmp_path)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert "base.obj" in result.stderr
    assert not list(tmp_path.iterdir())


def test_npz_bytes_depend_on_the_arrays_only(tmp_path: Path) -> None:
    from inference_core.head.write import write_npz

    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    array, text = np.arange(12.0).reshape(3, 4), np.array("text")
    write_npz(one, {"a": array, "meta": text})
    write_npz(two, {"meta": text, "a": np.asfortranarray(array)})
    assert one.read_bytes() == two.read_bytes()
    with np.load(one, allow_pickle=False) as file:
        assert file["meta"].shape == ()
        assert np.array_equal(file["a"], array)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3), st.integers(0, 1000))
def test_closest_place_is_never_beaten_by_a_sample(point: list[float], seed: int) -> None:
    from open_head.correspond import closest_on_surface

    random = np.random.default_rng(seed)
    template = random.normal(size=(150, 3))
    triangles = np.arange(150, dtype=np.int32).reshape(50, 3)
    goal = np.array(point)
    triangle, barycentric = closest_on_surface(goal[None], template, triangles, np.arange(50) < 40)
    assert barycentric.min() >= 0
    assert triangle[0] < 40
    found = barycentric[0] @ template[triangles[triangle[0]]]
    samples = random.dirichlet([1, 1, 1], size=20)
    others = np.einsum("sk,tkc->tsc", samples, template[triangles[:40]]).reshape(-1, 3)
    assert np.linalg.norm(found - goal) <= np.linalg.norm(others - goal, axis=1).min() + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.05, 0.6))
def test_missing_offset_makes_the_turned_joint_land_on_the_sculpt(seed: int, angle: float) -> None:
    from open_head.correctives import missing
    from open_head.skinning import about_x

    random = np.random.default_rng(seed)
    template, sculpt = random.normal(size=(20, 3)), random.normal(size=(20, 3))
    weights, pivot = random.uniform(size=20), random.normal(size=3)
    rest = template + missing(template, sculpt, weights, pivot, about_x(angle))
    turned = (rest - pivot) @ about_x(angle).T + pivot
    landed = (1 - weights[:, None]) * rest + weights[:, None] * turned
    assert np.allclose(landed, template + sculpt, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_alignment_undoes_a_rigid_motion(seed: int, yaw: float, pitch: float) -> None:
    from open_head.population import align
    from open_head.skinning import about_x, about_y

    random = np.random.default_rng(seed)
    reference = random.normal(size=(30, 3))
    turn = about_y(yaw) @ about_x(pitch)
    moved = reference @ turn.T + random.normal(size=3)
    rotation, shift = align(moved[None], reference, random.uniform(0.1, 1, 30))
    assert np.allclose(moved @ rotation[0].T + shift[0], reference, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_modes_rebuild_their_samples(seed: int) -> None:
    from open_head.identity import principal

    random = np.random.default_rng(seed)
    samples = random.normal(size=(6, 9, 3))
    weight = random.uniform(0.1, 1, 9)
    modes = principal(samples, weight / weight.sum())
    unit = modes.directions / modes.sigma[:, None, None]
    shares = np.einsum("nvc,v,kvc->nk", samples, weight / weight.sum(), unit)
    assert np.allclose(np.einsum("nk,kvc->nvc", shares, unit), samples, atol=1e-6)
    assert np.allclose((shares**2).mean(axis=0), modes.sigma**2, rtol=1e-6)
