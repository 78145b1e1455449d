"""Landmarks of many frames at once equal those of one frame after another on the whole head."""

from __future__ import annotations

import numpy as np

from inference_core.head import Camera, HeadParameters, landmarks_68, load_head, pose_head
from inference_core.take import Take, TakeMeta
from inference_core.track.landmarks import CHUNK, with_landmarks


def test_they_are_those_of_the_whole_head() -> None:
    head = load_head()
    frames = CHUNK + 3
    random = np.random.default_rng(5)

    def draw(scale: float, *shape: int) -> np.ndarray:
        return random.normal(0, scale, shape).astype(np.float32)

    rotation = draw(0.5, frames, 3) + np.array([np.pi, 0, 0], np.float32)
    take = Take(
        meta=TakeMeta(head.head_id, head.sha256, head.expression_names, "", 25.0, "", {}),
        shape=draw(1, head.shape_count),
        expression=np.abs(draw(0.4, frames, head.expression_count)),
        jaw=draw(0.1, frames, 3),
        neck=draw(0.1, frames, 3),
        eyes=draw(0.2, frames, 2, 3),
        eyelids=random.random((frames, 2)).astype(np.float32),
        head_rotation=rotation,
        head_translation=draw(0.02, frames, 3) + np.array([0, 0, 1], np.float32),
        intrinsics=np.array([900, 880, 320, 240], np.float32),
        image_size=np.array([640, 480], np.int32),
        frame_index=np.arange(frames, dtype=np.int32),
        timestamp=np.arange(frames) / 25.0,
        valid=np.ones(frames, np.bool_),
        confidence=np.ones(frames, np.float32),
        landmarks_68=np.zeros((frames, 68, 2), np.float32),
        landmarks_68_head=np.zeros((frames, 68, 3), np.float32),
        bbox=np.zeros((frames, 4), np.float32),
    )
    made = with_landmarks(head, take)
    for frame in (0, 7, CHUNK - 1, CHUNK, frames - 1):
        parameters = HeadParameters(
            *(
                np.asarray(value, np.float64)
                for value in (
                    take.shape,
                    take.expression[frame],
                    take.neck[frame],
                    take.jaw[frame],
                    take.eyes[frame],
                    take.eyelids[frame],
                )
            )
        )
        camera = Camera(
            take.head_rotation[frame].astype(float), take.head_translation[frame].astype(float), take.intrinsics
        )
        expected = landmarks_68(head, pose_head(head, parameters), camera.yaw_degrees)
        np.testing.assert_allclose(made.landmarks_68_head[frame], expected, atol=2e-6)
        np.testing.assert_allclose(made.landmarks_68[frame], camera.project(expected), atol=2e-2)
