"""Our forward pass on a converted file is FLAME's: against two implementations that share nothing with it.

One is below, from the paper, straight on the arrays of the file. The other is PyPI's body-models (Apache-2.0): it
wants NumPy 2, so it needs an environment of its own; N2F_BODY_MODELS names its Python, without it the test is skipped.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from inference_core.flame import convert_flame
from inference_core.head import Head, HeadParameters, pose_head

FLAME_VERTICES = 5023


def flame_forward(model: dict[str, Any], beta: Any, psi: Any, pose: Any) -> Any:
    """Vertices (5023, 3) of FLAME's file; beta (300,), psi (100,), pose (5, 3) rotation vectors of all five joints.

    Li et al. 2017, equations 1 to 4, joint by joint with homogeneous matrices, as SMPL's authors wrote it down.
    """
    shaped = model["v_template"] + model["shapedirs"] @ np.concatenate([beta, psi])
    joints = model["J_regressor"] @ shaped
    turns = Rotation.from_rotvec(pose).as_matrix()
    posed = shaped + model["posedirs"] @ np.concatenate([(turn - np.eye(3)).ravel() for turn in turns[1:]])
    parents = model["kintree_table"][0].astype(np.int64)
    world: list[Any] = []
    for joint in range(5):
        step = np.eye(4)
        step[:3, :3] = turns[joint]
        step[:3, 3] = joints[joint] if joint == 0 else joints[joint] - joints[parents[joint]]
        world.append(step if joint == 0 else world[parents[joint]] @ step)
    vertices = np.zeros_like(posed)
    for joint in range(5):
        rest = np.append(joints[joint], 0.0)
        matrix = world[joint] - np.pad((world[joint] @ rest)[:, None], ((0, 0), (3, 0)))
        moved = posed @ matrix[:3, :3].T + matrix[:3, 3]
        vertices += model["weights"][:, joint, None] * moved
    return vertices


def _random(head: Head, count: int) -> HeadParameters:
    random = np.random.default_rng(11)
    return HeadParameters(
        shape=random.normal(size=(count, head.shape_count)),
        expression=1.5 * random.normal(size=(count, head.expression_count)),
        neck=random.normal(scale=0.4, size=(count, 3)),
        jaw=random.normal(scale=0.4, size=(count, 3)),
        eyes=random.normal(scale=0.4, size=(count, 2, 3)),
        eyelids=np.zeros((count, 2)),
    )


def test_the_papers_equations(flame_model: dict[str, Any], flame_head: Head) -> None:
    parameters = _random(flame_head, 12)
    ours = pose_head(flame_head, parameters)[:, :FLAME_VERTICES]
    worst = 0.0
    for row in range(12):
        beta = np.pad(parameters.shape[row], (0, 300 - flame_head.shape_count))
        psi = np.pad(parameters.expression[row], (0, 100 - flame_head.expression_count))
        pose = np.stack([np.zeros(3), parameters.neck[row], parameters.jaw[row], *parameters.eyes[row]])
        worst = max(worst, float(np.abs(ours[row] - flame_forward(flame_model, beta, psi, pose)).max()))
    print(f"against the paper's equations: {worst:.2e} m")
    assert worst < 1e-6


def test_body_models(flame_file: Path, flame_head: Head, tmp_path: Path) -> None:
    python = os.environ.get("N2F_BODY_MODELS", "")
    if not python:
        pytest.skip("N2F_BODY_MODELS does not name the Python of an environment with body-models")
    parameters = _random(flame_head, 12)
    np.savez(
        tmp_path / "in.npz",
        shape=np.pad(parameters.shape, ((0, 0), (0, 300 - flame_head.shape_count))).astype(np.float32),
        expression=np.pad(parameters.expression, ((0, 0), (0, 100 - flame_head.expression_count))).astype(np.float32),
        head_pose=np.concatenate([parameters.neck[:, None], parameters.jaw[:, None], parameters.eyes], axis=1).astype(
            np.float32
        ),
    )
    program = (
        "import sys, numpy as np; from body_models.flame.numpy import FLAME\n"
        "values = dict(np.load(sys.argv[2])); model = FLAME(model_path=sys.argv[1])\n"
        "np.save(sys.argv[3], np.asarray(model.forward_vertices(values.pop('head_pose'), **values)))\n"
    )
    arguments = [str(flame_file), str(tmp_path / "in.npz"), str(tmp_path / "out.npy")]
    subprocess.run([python, "-c", program, *arguments], check=True)
    theirs = np.load(tmp_path / "out.npy")
    worst = float(np.abs(pose_head(flame_head, parameters)[:, :FLAME_VERTICES] - theirs).max())
    print(f"against body-models: {worst:.2e} m")
    assert worst < 1e-5


def test_joints_follow_the_expression(flame_head: Head) -> None:
    """Leaving the expression out of the joints would be seen by the tests above."""
    moved = np.linalg.norm(flame_head.joint_dirs[:, :, flame_head.shape_count :], axis=1)
    assert moved[1:3].max() > 2e-5


def test_lids_turn_with_the_neck(flame_head: Head) -> None:
    """They are added before skinning: a turned head closes its eyes along its own axes."""
    neutral = HeadParameters.neutral(flame_head)
    turned = replace(neutral, neck=np.array([0.1, 0.6, 0.0]))
    closed = replace(turned, eyelids=np.ones(2))
    moved = pose_head(flame_head, closed) - pose_head(flame_head, turned)
    at_rest = pose_head(flame_head, replace(neutral, eyelids=np.ones(2))) - pose_head(flame_head, neutral)
    stiff = (flame_head.skin_weights[:, 1] > 0.999) & (np.linalg.norm(at_rest, axis=1) > 1e-3)
    assert stiff.sum() > 50
    turn = Rotation.from_rotvec(turned.neck).as_matrix()
    assert np.abs(moved[stiff] - at_rest[stiff] @ turn.T).max() < 2e-5


def test_the_same_bytes_every_time(flame_file: Path, flame_head_file: Path, tmp_path: Path) -> None:
    convert_flame(flame_file, tmp_path / "again.npz")
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (flame_head_file, tmp_path / "again.npz")]
    assert sums[0] == sums[1]
