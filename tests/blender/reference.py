"""FLAME's forward pass once more, written straight from the definition, joint by joint, in float64.

Independent of the product: the tests inside Blender compare with this where the core is not installed, and
test_reference.py compares this with the core.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PARENTS = (-1, 0, 1, 1, 1)


def rotation(vector: Floats) -> Floats:
    """Rodrigues' formula: (3,) -> (3, 3)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k))


def forward(head: dict[str, Floats], take: dict[str, Floats], frame: int = 0) -> Floats:
    """(V, 3): a take's posed head, head space, m."""
    local = [np.eye(3), *(rotation(v) for v in (take["neck"][frame], take["jaw"][frame], *take["eyes"][frame]))]
    shape = take["shape"]
    shaped = head["template"] + head["shape_dirs"][..., : len(shape)] @ shape
    shaped = shaped + head["expression_dirs"] @ take["expression"][frame]
    joints = head["joint_regressor"] @ shaped
    feature = np.concatenate([(r - np.eye(3)).ravel() for r in local[1:]])
    rest = shaped + head["eyelid_dirs"] @ take["eyelids"][frame] + head["pose_dirs"] @ feature
    motion = np.concatenate([take["expression"][frame], take["eyelids"][frame], feature])
    for pair, (columns, scales) in enumerate(zip(head["combination_columns"], head["combination_scales"], strict=True)):
        one, other = motion[columns.astype(int)] * scales
        rest = rest + max(0.0, min(one, other)) * head["combination_dirs"][..., pair]
    world: list[Floats] = []
    for joint, parent in enumerate(PARENTS):
        step = np.eye(4)
        step[:3, :3] = local[joint]
        step[:3, 3] = joints[joint] - local[joint] @ joints[joint]
        world.append(step if parent < 0 else world[parent] @ step)
    homogeneous = np.column_stack([rest, np.ones(len(rest))])
    return np.asarray(np.einsum("vj,jab,vb->va", head["skin_weights"], np.array(world)[:, :3], homogeneous))


def project(take: dict[str, Floats], points: Floats, frame: int = 0) -> Floats:
    """Head space (N, 3) m -> image (N, 2) px."""
    camera = points @ rotation(take["head_rotation"][frame]).T + take["head_translation"][frame]
    fx, fy, cx, cy = take["intrinsics"]
    return np.asarray(np.column_stack([fx * camera[:, 0] / camera[:, 2] + cx, fy * camera[:, 1] / camera[:, 2] + cy]))


def read_head(path: Path) -> dict[str, Floats]:
    """The arrays of a head file that the forward pass needs, float64."""
    names = ["template", "shape_dirs", "expression_dirs", "pose_dirs", "eyelid_dirs", "joint_regressor", "skin_weights"]
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name].astype(np.float64) for name in names}
        pairs = ("combination_columns", "combination_scales", "combination_dirs")
        if pairs[0] in file:
            return arrays | {name: file[name].astype(np.float64) for name in pairs}
        return arrays | {name: np.zeros((0, 2)) for name in pairs}


def random_take(
    head_path: Path, seed: int, frames: int = 1, source: str = "nobody.jpg"
) -> dict[str, NDArray[np.generic]]:
    """The arrays of a take with every parameter away from zero."""
    import hashlib

    random = np.random.default_rng(seed)
    with np.load(head_path, allow_pickle=False) as file:
        head_id = json.loads(str(file["meta"]))["head_id"]
        shapes = file["shape_dirs"].shape[2]
        names = [str(name) for name in file["expression_names"]]
    width, height = 640, 480

    def normal(size: tuple[int, ...], scale: float) -> NDArray[np.float32]:
        return random.normal(scale=scale, size=size).astype(np.float32)

    turned = normal((frames, 3), 0.25)
    turned[:, 0] += np.pi  # the face looks at the camera: OpenCV's axes are half a turn about X away from the head's
    meta = {
        "schema_version": 1,
        "head_id": head_id,
        "head_sha256": hashlib.sha256(head_path.read_bytes()).hexdigest(),
        "expression_names": names,
        "source": source,
        "fps": 29.97 if frames > 1 else 0.0,
        "software_version": "test",
        "weights": {},
    }
    valid = np.ones(frames, dtype=bool)
    if frames > 3:
        valid[[0, frames // 2]] = False
    return {
        "meta": np.array(json.dumps(meta)),
        "shape": normal((shapes,), 0.8),
        "expression": normal((frames, len(names)), 0.5),
        "jaw": normal((frames, 3), 0.2),
        "neck": normal((frames, 3), 0.3),
        "eyes": normal((frames, 2, 3), 0.25),
        "eyelids": random.uniform(-0.2, 1.3, (frames, 2)).astype(np.float32),
        "head_rotation": turned,
        "head_translation": (normal((frames, 3), 0.02) + np.array([0.03, -0.02, 0.7])).astype(np.float32),
        "intrinsics": np.array([900.0, 880.0, 310.5, 255.25], np.float32),
        "image_size": np.array([width, height], np.int32),
        "frame_index": np.arange(frames, dtype=np.int32),
        "timestamp": np.arange(frames) / 29.97,
        "valid": valid,
        "confidence": valid.astype(np.float32),
        "landmarks_68": np.zeros((frames, 68, 2), np.float32),
        "landmarks_68_head": np.zeros((frames, 68, 3), np.float32),
        "bbox": np.zeros((frames, 4), np.float32),
    }


def as_floats(arrays: dict[str, NDArray[np.generic]]) -> dict[str, Floats]:
    """The numbers of a take, float64."""
    return {name: value.astype(np.float64) for name, value in arrays.items() if name != "meta"}
