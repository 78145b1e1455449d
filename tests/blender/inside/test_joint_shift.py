"""Joints follow the expression, as FLAME's do, though a bone's rest is fixed: driven, exact, and without Python."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from helpers import HEAD_FROM_BLENDER, build, evaluated
from reference import forward, read_head

from n2f_blender.files.frames import quaternions, to_blender
from n2f_blender.files.head import load_head
from n2f_blender.scene.joint_shift import CARRIER, SHIFT_PREFIX, joint_shifts

MILLIMETRES = 1000.0
BONES = ("neck", "jaw", "eye_L", "eye_R")


def _worst(avatar: object, head: dict[str, np.ndarray], take: dict[str, np.ndarray], frame: int = 0) -> float:
    actual = evaluated(avatar.head) @ HEAD_FROM_BLENDER.T  # type: ignore[attr-defined]
    return float(MILLIMETRES * np.linalg.norm(actual - forward(head, take, frame), axis=1).max())


@pytest.mark.parametrize("seed", range(3))
def test_sliders_and_bones_by_hand(head_path: Path, folder: Path, seed: int) -> None:
    """An artist who moves an expression and the jaw gets FLAME's forward pass, not a bone that stayed behind."""
    avatar, take = build(head_path, folder, seed)
    head_file, head = load_head(head_path), read_head(head_path)
    random = np.random.default_rng(seed)
    blocks = avatar.head.data.shape_keys.key_blocks
    limits = np.array([(blocks[name].slider_min, blocks[name].slider_max) for name in head_file.expression_names])
    values = np.clip(random.normal(size=len(limits)), limits[:, 0], limits[:, 1])
    for name, value in zip(head_file.expression_names, values.tolist(), strict=True):
        blocks[name].value = value
    turns = random.normal(scale=0.35, size=(4, 3))
    for bone, quaternion in zip(BONES, quaternions(to_blender(turns)).tolist(), strict=True):
        avatar.rig.pose.bones[bone].rotation_quaternion = quaternion
    avatar.rig.update_tag()
    bpy.context.view_layer.update()
    take = {**take, "expression": values[None], "neck": turns[:1], "jaw": turns[1:2], "eyes": turns[None, 2:]}
    worst = _worst(avatar, head, take)
    assert worst < 0.01
    left_out = MILLIMETRES * np.linalg.norm(forward(head, take) - _without_shift(head, take), axis=1).max()
    print(f"bpy {bpy.app.version_string} {head_path.stem} by hand: {worst:.6f} mm; left out {left_out:.3f} mm")


def _without_shift(head: dict[str, np.ndarray], take: dict[str, np.ndarray]) -> np.ndarray:
    """The forward pass with joints that follow the shape only."""
    shift = head["joint_regressor"] @ (head["expression_dirs"] @ take["expression"][0]).reshape(-1, 3)
    # A template that is moved back where the joints are read, by rows that nothing else reads.
    extra = np.concatenate([head["template"], -shift])
    count = len(shift)

    def padded(name: str) -> np.ndarray:
        return np.concatenate([head[name], np.zeros((count, *head[name].shape[1:]))])

    wider = {name: padded(name) for name in ("shape_dirs", "expression_dirs", "pose_dirs", "eyelid_dirs")}
    wider |= {"template": extra, "skin_weights": padded("skin_weights")}
    wider |= {name: head[name] for name in ("combination_columns", "combination_scales")}
    wider["combination_dirs"] = padded("combination_dirs")
    wider["joint_regressor"] = np.concatenate([head["joint_regressor"], np.eye(count)], axis=1)
    return forward(wider, take)[:-count]


@pytest.fixture(scope="session")
def restless(egg: Path, folder: Path) -> Path:
    """As many modes as FLAME has, each of which moves every joint by a millimetre or so."""
    random = np.random.default_rng(7)
    with np.load(egg) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["expression_names"] = np.array([f"expr.{index:03d}" for index in range(100)])
    arrays["expression_sigma"] = np.ones(100, np.float32)
    arrays["expression_dirs"] = random.normal(scale=2e-3, size=(len(arrays["template"]), 3, 100)).astype(np.float32)
    arrays["expression_dirs"] += random.normal(scale=1e-3, size=(1, 3, 100)).astype(np.float32)
    path = folder / "restless.npz"
    np.savez(path, **arrays)
    return path


def test_a_hundred_modes(restless: Path, folder: Path) -> None:
    for seed in range(2):
        test_sliders_and_bones_by_hand(restless, folder, seed)
        bpy.ops.wm.read_homefile(use_empty=True)
    test_drivers_are_simple_and_only_where_joints_move(restless, folder)


def test_a_performance(head_path: Path, folder: Path) -> None:
    avatar, take = build(head_path, folder, 4, frames=6)
    head = read_head(head_path)
    start = int(bpy.context.scene.frame_start)
    for row in np.flatnonzero(take["valid"])[[0, 1, -1]].tolist():
        bpy.context.scene.frame_set(start + row)
        assert _worst(avatar, head, take, row) < 0.01


def test_drivers_are_simple_and_only_where_joints_move(head_path: Path, folder: Path) -> None:
    avatar, _take = build(head_path, folder, 1)
    moving = 3 * np.abs(joint_shifts(load_head(head_path))[1:]).sum(axis=2).max(axis=1) >= 2e-6
    data = avatar.rig.animation_data
    curves = list(data.drivers) if data is not None else []
    driven = {curve.data_path.split('"')[1] for curve in curves if curve.data_path.endswith(".location")}
    assert {name.removesuffix(CARRIER) for name in driven} == {
        bone for bone, moves in zip(BONES, moving.tolist(), strict=True) if moves
    }
    for curve in curves:
        assert curve.driver.is_simple_expression, curve.driver.expression
        assert len(curve.driver.expression) < 255 and curve.driver.is_valid
    assert any(key.startswith(SHIFT_PREFIX) for key in list(avatar.rig.keys())) == bool(moving.any())
