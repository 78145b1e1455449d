"""The only module that touches the package mediapipe: quick import, quiet stderr, typed results."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import Internal, ModelMissing
from inference_core.perception.landmarks import MESH_POINTS


@dataclass(frozen=True)
class Detection:
    """A face as a detector sees it, in px of the picture it was given.

    `box` is (4,) x0, y0, x1, y1; `keypoints` is (6, 2): right eye, left eye, nose tip, mouth, right ear, left ear.
    """

    box: NDArray[np.float64]
    keypoints: NDArray[np.float64]
    score: float

    @property
    def roll(self) -> float:
        """Clockwise turn in the picture, rad, from the line through the eyes."""
        right, left = self.keypoints[0], self.keypoints[1]
        return float(np.arctan2(left[1] - right[1], left[0] - right[0]))


class FaceDetector:
    """One of MediaPipe's two detectors: short range (faces that fill the picture) or full range (small ones too)."""

    def __init__(self, *, full_range: bool, threshold: float) -> None:
        module = _solution("face_detection")
        with quiet_stderr():
            self._graph = cast(
                "_Detector",
                module.FaceDetection(min_detection_confidence=threshold, model_selection=int(full_range)),
            )
            self.detect(np.zeros((64, 64, 3), np.uint8))  # the graph's own first-run remarks

    def detect(self, rgb: NDArray[np.uint8]) -> list[Detection]:
        """Faces in `rgb` (H, W, 3), best first as the graph orders them."""
        height, width = rgb.shape[:2]
        scale = np.array([width, height], dtype=np.float64)
        found: list[Detection] = []
        for item in self._graph.process(np.ascontiguousarray(rgb)).detections or ():
            place = item.location_data
            box = place.relative_bounding_box
            corner = np.array([box.xmin, box.ymin]) * scale
            extent = np.array([box.width, box.height]) * scale
            keypoints = np.array([[point.x, point.y] for point in place.relative_keypoints]) * scale
            found.append(Detection(np.concatenate([corner, corner + extent]), keypoints, float(item.score[0])))
        return found

    def close(self) -> None:
        self._graph.close()


class FaceMesher:
    """Face Mesh with refined lips, eyes and irises, for a picture that one face fills.

    By default every picture stands on its own: no state carries over, so results do not depend on what came before.
    With `following` the points of one picture say where to look in the next, which must show the same cut-out: a third
    quicker, steadier, and no detector runs while a face is held.
    """

    def __init__(self, threshold: float = 0.3, *, following: bool = False) -> None:
        module = _solution("face_mesh")
        with quiet_stderr():
            self._graph = cast(
                "_Mesher",
                module.FaceMesh(
                    static_image_mode=not following,
                    max_num_faces=1,
                    refine_landmarks=True,
                    min_detection_confidence=threshold,
                ),
            )
            self._graph.process(np.zeros((64, 64, 3), np.uint8))
        self._seen_a_face = False

    def points(self, rgb: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """(478, 3) px of `rgb` (H, W, 3), z towards the camera negative and in the same unit; None without a face."""
        height, width = rgb.shape[:2]
        with nullcontext() if self._seen_a_face else quiet_stderr():  # the graph remarks on its first face, too
            faces = self._graph.process(np.ascontiguousarray(rgb)).multi_face_landmarks
        if not faces:
            return None
        self._seen_a_face = True
        points = _coordinates(faces[0])
        if points.shape != (MESH_POINTS, 3):
            raise Internal(
                f"Face Mesh gave {points.shape[0]} points instead of {MESH_POINTS}.", "Reinstall mediapipe 0.10.21."
            )
        return points * np.array([width, height, width], dtype=np.float64)

    def close(self) -> None:
        self._graph.close()


def _coordinates(face: _Landmarks) -> NDArray[np.float64]:
    """(n, 3). Reading 478 messages one number at a time takes as long as a network; serialised they lie in rows.

    A row is a tag, the length 15, then three times a tag and a little-endian float32 (protobuf's wire format).
    """
    data = np.frombuffer(face.SerializeToString(), dtype=np.uint8)
    if len(data) == MESH_POINTS * _ROW.itemsize:
        rows = data.view(_ROW)
        marks = [rows[name] for name in ("tag", "length", "tag_x", "tag_y", "tag_z")]
        if all((mark == value).all() for mark, value in zip(marks, (0x0A, 15, 0x0D, 0x15, 0x1D), strict=True)):
            return np.stack([rows["x"], rows["y"], rows["z"]], axis=1, dtype=np.float64)
    return np.array([[point.x, point.y, point.z] for point in face.landmark], dtype=np.float64)


_ROW = np.dtype(
    {
        "names": ["tag", "length", "tag_x", "x", "tag_y", "y", "tag_z", "z"],
        "formats": ["u1", "u1", "u1", "<f4", "u1", "<f4", "u1", "<f4"],
    }
)


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keeps the C++ libraries' start-up remarks off the user's screen; they come back if the block fails.

    They are written to descriptor 2 before MediaPipe's log is set up, where neither an environment variable nor
    Python's sys.stderr reaches them. For the first runs of a model only: it concerns the whole process.
    """
    try:
        saved = os.dup(2)
    except OSError:  # a process without stderr has no screen to keep clean
        yield
        return
    with tempfile.TemporaryFile() as sink:
        sys.stderr.flush()
        os.dup2(sink.fileno(), 2)
        try:
            yield
        except BaseException:
            sink.seek(0)
            os.write(saved, sink.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def _solution(name: str) -> _Solution:
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with quiet_stderr(), _without_matplotlib():
            return cast("_Solution", importlib.import_module(f"mediapipe.python.solutions.{name}"))
    except ImportError as error:
        raise ModelMissing(
            f"MediaPipe, which finds faces, cannot be loaded: {error}.", "Install the core's requirements again."
        ) from error


@contextmanager
def _without_matplotlib() -> Iterator[None]:
    """Imports mediapipe without matplotlib.

    mediapipe imports matplotlib.pyplot for one plotting helper that nobody here calls: 0.8 s of start-up and 40 MB of
    installation. Empty stand-ins satisfy that import; they are removed again, so that a real matplotlib still loads.
    """
    names = [name for name in ("matplotlib", "matplotlib.pyplot") if name not in sys.modules]
    for name in names:
        sys.modules[name] = types.ModuleType(name)
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


# What is used of mediapipe, which carries no types.
class _Box(Protocol):
    xmin: float
    ymin: float
    width: float
    height: float


class _Point(Protocol):
    x: float
    y: float
    z: float


class _Place(Protocol):
    relative_bounding_box: _Box
    relative_keypoints: Sequence[_Point]


class _Found(Protocol):
    location_data: _Place
    score: Sequence[float]


class _Detections(Protocol):
    detections: Sequence[_Found] | None


class _Landmarks(Protocol):
    landmark: Sequence[_Point]

    def SerializeToString(self) -> bytes: ...  # noqa: N802


class _Meshes(Protocol):
    multi_face_landmarks: Sequence[_Landmarks] | None


class _Detector(Protocol):
    def process(self, image: NDArray[np.uint8]) -> _Detections: ...
    def close(self) -> None: ...


class _Mesher(Protocol):
    def process(self, image: NDArray[np.uint8]) -> _Meshes: ...
    def close(self) -> None: ...


class _Solution(Protocol):
    def FaceDetection(self, *, min_detection_confidence: float, model_selection: int) -> object: ...  # noqa: N802
    def FaceMesh(  # noqa: N802
        self, *, static_image_mode: bool, max_num_faces: int, refine_landmarks: bool, min_detection_confidence: float
    ) -> object: ...
