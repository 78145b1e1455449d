"""A performance of FLAME's modes, said by ARKit's names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from n2f_blender.files.head import HeadFile, load_head
from n2f_blender.files.modes import arkit_values
from n2f_blender.files.take import load_take
from n2f_blender.formats.arkit import COLUMN
from n2f_blender.motion.face_motion import calibration, motion_of_take
from tests.blender.reference import random_take
from tests.blender.synthetic_head import write_synthetic_head


@pytest.fixture(scope="module", params=["other", "flame"])
def head(request: pytest.FixtureRequest) -> HeadFile:
    return load_head(request.getfixturevalue(f"{request.param}_head_path"))


def modes_of(head: HeadFile, values: dict[str, float]) -> np.ndarray:
    """(1, E): the modes that come nearest to some combined shapes."""
    assert head.arkit_dirs is not None
    wanted = sum(value * head.arkit_dirs[..., head.arkit_names.index(name)] for name, value in values.items())
    modes = head.expression_dirs.reshape(-1, len(head.expression_names)).astype(np.float64)
    return np.linalg.lstsq(modes, np.asarray(wanted, np.float64).ravel(), rcond=None)[0][None]


@pytest.mark.parametrize(
    "said", [{"mouthSmileLeft": 0.8, "mouthSmileRight": 0.6}, {"mouthPucker": 0.7}, {"browInnerUp": 0.9}, {}]
)
def test_what_is_done_is_said(head: HeadFile, said: dict[str, float]) -> None:
    found = arkit_values(head, modes_of(head, said) if said else np.zeros((1, len(head.expression_names))))
    assert not {"jawOpen", "eyeBlinkLeft", "eyeLookUpLeft"} & set(found)
    values = {name: float(column[0]) for name, column in found.items()}
    assert all(0.0 <= value <= 1.5 for value in values.values())
    for name, value in said.items():
        assert values[name] == pytest.approx(value, abs=0.35), name
    strongest = sorted(values, key=lambda name: -values[name])[: len(said)]
    assert set(strongest) == set(said)


def test_a_flame_takes_motion_has_arkits_names(head: HeadFile, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    path = request.getfixturevalue("flame_head_path" if "flame" in head.head_id else "other_head_path")
    arrays = random_take(path, 1)
    arrays["expression"] = modes_of(head, {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}).astype(np.float32)
    np.savez(tmp_path / "take.npz", **arrays)
    take = load_take(tmp_path / "take.npz")
    motion = motion_of_take(take, calibration(path), head)
    assert motion.present[COLUMN["mouthSmileLeft"]] and motion.present[COLUMN["jawOpen"]]
    assert motion.values[0, COLUMN["mouthSmileLeft"]] > 0.45
    assert not motion_of_take(take, calibration(path)).present[COLUMN["mouthSmileLeft"]]


def test_a_head_with_arkits_names_needs_none(tmp_path: Path) -> None:
    egg = load_head(write_synthetic_head(tmp_path / "egg.npz"))
    assert arkit_values(egg, np.ones((2, len(egg.expression_names)))) == {}
