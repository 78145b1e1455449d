"""The forward pass against a plain loop over joints and vertices, written from the paper's formula."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from inference_core.head import Head, HeadParameters, pose_head
from inference_core.head.model import PARENTS
from tests.head.conftest import random_parameters


def slow_forward(head: Head, p: HeadParameters) -> NDArray[np.float64]:
    """FLAME's equations 1 to 5, homogeneous matrices along the chain, no batching, float64."""
    shaped = head.template + head.shape_dirs.astype(float) @ p.shape + head.expression_dirs.astype(float) @ p.expression
    joints = head.joint_regressor.astype(float) @ shaped
    rotations = [np.eye(3)] + [Rotation.from_rotvec(v).as_matrix() for v in (p.neck, p.jaw, p.eyes[0], p.eyes[1])]
    feature = np.concatenate([(r - np.eye(3)).ravel() for r in rotations[1:]])
    rest = shaped + head.eyelid_dirs.astype(float) @ p.eyelids + head.pose_dirs.astype(float) @ feature
    motion, pairs = np.concatenate([p.expression, p.eyelids, feature]), head.combinations
    for pair, ((a, b), (one, other)) in enumerate(zip(pairs.columns, pairs.scales, strict=True)):
        rest = rest + max(0.0, min(motion[a] * one, motion[b] * other)) * pairs.dirs[..., pair]
    world: list[NDArray[np.float64]] = []
    for joint, parent in enumerate(PARENTS):
        step = np.eye(4)
        step[:3, :3] = rotations[joint]
        step[:3, 3] = joints[joint] - (joints[parent] if parent >= 0 else 0)
        world.append(world[parent] @ step if parent >= 0 else step)
    result = np.zeros_like(rest)
    for joint in range(5):
        relative = world[joint].copy()
        relative[:3, 3] -= world[joint][:3, :3] @ joints[joint]
        posed = rest @ relative[:3, :3].T + relative[:3, 3]
        result += head.skin_weights[:, joint, None] * posed
    return result


def test_equals_the_formula(head: Head) -> None:
    for seed in range(3):
        parameters = random_parameters(head, seed)
        assert np.abs(pose_head(head, parameters) - slow_forward(head, parameters)).max() < 1e-6


def test_neutral_is_the_template(head: Head) -> None:
    assert np.abs(pose_head(head, HeadParameters.neutral(head)) - head.template).max() < 1e-7


def test_a_batch_equals_its_members(head: Head) -> None:
    batch = random_parameters(head, 5, batch=(2, 3))
    posed = pose_head(head, batch)
    member = HeadParameters(**{name: value[1, 2] for name, value in vars(batch).items()})
    assert np.abs(posed[1, 2] - pose_head(head, member)).max() < 1e-7
