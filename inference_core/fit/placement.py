"""Where the head is, from its landmarks alone: the start of a fit when nothing better is known."""

from __future__ import annotations

import cv2
import numpy as np

from inference_core.head import Camera, Head, HeadParameters, mediapipe_points, pose_head
from inference_core.head.model import Floats


def place_head(head: Head, parameters: HeadParameters, points: Floats, intrinsics: Floats) -> Camera:
    """The camera under which a known head's Face Mesh points lie on `points` (M, 2) px, head.mediapipe_index order.

    SQPnP (Terzakis and Lourakis, ECCV 2020), the global optimum, then Levenberg-Marquardt, both OpenCV's.
    """
    model = mediapipe_points(head, pose_head(head, parameters))
    fx, fy, cx, cy = intrinsics
    matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    lens = np.zeros(4)  # no distortion
    _, rotation, translation = cv2.solvePnP(model, points, matrix, lens, flags=cv2.SOLVEPNP_SQPNP)
    rotation, translation = cv2.solvePnPRefineLM(model, points, matrix, lens, rotation, translation)
    return Camera(
        np.asarray(rotation, dtype=np.float64)[:, 0],
        np.asarray(translation, dtype=np.float64)[:, 0],
        np.asarray(intrinsics, dtype=np.float64),
    )
