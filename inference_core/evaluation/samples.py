"""Test sets with known truth: renders of the Open Head from seeds that training never uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Camera, Head, HeadParameters, landmarks_68, mediapipe_points, pose_head
from inference_core.head.rotations import vector_from_matrix
from inference_core.training.n2fnet.config import HeadSpace
from inference_core.training.n2fnet.crop import CROP_SIZE, crop_intrinsics, landmark_batch
from inference_core.training.n2fnet.draw import draw_heads
from inference_core.training.n2fnet.render import NormalRenderer

Floats = NDArray[np.float64]

EVALUATION_STREAM = 0xE7A1  # keeps these seeds apart from training's and validation's
BATCH = 16


@dataclass(frozen=True, eq=False)
class Sample:
    """One head with its truth and what a perfect extractor would see of it in the 256 px crop."""

    name: str
    vertices: Floats  # (V, 3) posed, head space, m
    parameters: HeadParameters
    camera: Camera  # with the crop's intrinsics
    normals: NDArray[np.float32]  # (256, 256, 3) camera frame, true
    face: NDArray[np.bool_]  # (256, 256)
    landmarks: Floats  # (68, 2) px of the crop
    dense: Floats  # (M, 2) px: Face Mesh's points, as exact as the mesh


def open_head_samples(
    head: Head, count: int, seed: int, space: HeadSpace | None = None, distances: tuple[float, float] | None = None
) -> Iterator[Sample]:
    """`count` random heads, cameras and expressions; the product's own crop, perfect normals; the same for a seed.

    `distances`: their median, m, and the spread of their logarithm; None: as N2FNet's training draws them.
    """
    renderer = NormalRenderer(head, CROP_SIZE)
    space = space or HeadSpace()
    for start in range(0, count, BATCH):
        rng = np.random.default_rng((EVALUATION_STREAM, seed, start))
        drawn = draw_heads(rng, head, BATCH, space)
        if distances is not None:
            away = distances[0] * np.exp(distances[1] * rng.standard_normal(BATCH))
            drawn = replace(drawn, translation=drawn.translation * (away / drawn.translation[:, 2])[:, None])
        vertices = pose_head(head, drawn.parameters)
        turned = drawn.rotation.swapaxes(1, 2)
        points = landmark_batch(head, vertices, drawn.rotation) @ turned + drawn.translation[:, None]
        intrinsics = crop_intrinsics(rng, points, space, exact=True)
        for i in range(min(BATCH, count - start)):
            camera = Camera(vector_from_matrix(drawn.rotation[i]), drawn.translation[i], intrinsics[i])
            view = renderer.render(camera.to_camera(vertices[i]), intrinsics[i])
            yield Sample(
                name=f"open_head_{seed}_{start + i}",
                vertices=vertices[i],
                parameters=_one(drawn.parameters, i),
                camera=camera,
                normals=view.normals,
                face=view.face,
                landmarks=camera.project(landmarks_68(head, vertices[i], camera.yaw_degrees)),
                dense=camera.project(mediapipe_points(head, vertices[i])),
            )


def _one(batch: HeadParameters, index: int) -> HeadParameters:
    return HeadParameters(**{name: getattr(batch, name)[index] for name in HeadParameters.__dataclass_fields__})
