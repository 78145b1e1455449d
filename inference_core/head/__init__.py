"""The head (3DMM): file, forward pass, camera and what is read off the surface."""

from inference_core.head.camera import Camera, project
from inference_core.head.forward import pose_head
from inference_core.head.identity import with_identity
from inference_core.head.model import BUNDLED_HEAD, Head, HeadParameters, load_head, signed_expressions
from inference_core.head.surface import landmarks_68, mediapipe_points, points_at, vertex_normals

__all__ = [
    "BUNDLED_HEAD",
    "Camera",
    "Head",
    "HeadParameters",
    "landmarks_68",
    "load_head",
    "mediapipe_points",
    "points_at",
    "pose_head",
    "project",
    "signed_expressions",
    "vertex_normals",
    "with_identity",
]
