"""The package mediapipe 0.10.21, which the networks come from, as the reference that ours are held to.

The product does without it. It needs numpy 1.26 and protobuf 4 (requirements/landmarks.txt).
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.perception.detector import Detection

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


class PackageDetector:
    """One of the package's two detectors, short range or full range."""

    def __init__(self, *, full_range: bool, threshold: float) -> None:
        """The package's own graph.

        Raises:
            BadInput: where the package is not installed.
        """
        graph = _solution("face_detection").FaceDetection
        self._graph = graph(min_detection_confidence=threshold, model_selection=int(full_range))

    def detect(self, rgb: Pixels) -> list[Detection]:
        """As FaceDetector.detect."""
        scale = np.array([rgb.shape[1], rgb.shape[0]], dtype=np.float64)
        found = []
        for item in self._graph.process(np.ascontiguousarray(rgb)).detections or ():
            box = item.location_data.relative_bounding_box
            corner = np.array([box.xmin, box.ymin]) * scale
            extent = np.array([box.width, box.height]) * scale
            marks = np.array([[mark.x, mark.y] for mark in item.location_data.relative_keypoints]) * scale
            found.append(Detection(np.concatenate([corner, corner + extent]), marks, float(item.score[0])))
        return found


class PackageMesher:
    """The package's Face Mesh with refined lips, eyes and irises."""

    def __init__(self, threshold: float, *, following: bool) -> None:
        """The package's own graph.

        Raises:
            BadInput: where the package is not installed.
        """
        graph = _solution("face_mesh").FaceMesh
        self._graph = graph(
            static_image_mode=not following, max_num_faces=1, refine_landmarks=True, min_detection_confidence=threshold
        )

    def points(self, rgb: Pixels) -> Floats | None:
        """As FaceMesher.points."""
        height, width = rgb.shape[:2]
        faces = self._graph.process(np.ascontiguousarray(rgb)).multi_face_landmarks
        if not faces:
            return None
        return np.array([[mark.x * width, mark.y * height, mark.z * width] for mark in faces[0].landmark])


def _solution(name: str) -> Any:
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return importlib.import_module(f"mediapipe.python.solutions.{name}")
    except ImportError as error:
        raise BadInput(
            f"The package mediapipe cannot be loaded: {error}.",
            "Make an environment of its own with requirements/core.txt, then requirements/landmarks.txt (--no-deps).",
        ) from error
