"""The four networks as they are shipped: whole, from a picture in bytes to answers in shares of its side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx

from .convert import Converter
from .mesh_points import IRIS_RIMS, PARTS, plane_order
from .tflite_graph import read_tflite
from .writer import GraphWriter

KEYPOINTS = 6


@dataclass(frozen=True)
class Recipe:
    """A file of the wheel, what becomes of it, and what its card says."""

    source: str  # in the package mediapipe
    name: str  # in inference_core/assets
    task: str
    outputs: dict[str, str]
    build: Callable[[bytes], onnx.ModelProto]


def detector(data: bytes, side: int, strides: Sequence[int], boxes: str, scores: str) -> onnx.ModelProto:
    """A detector with one anchor per entry of `strides` and cell, all of the picture's size."""
    writer = GraphWriter()
    answers = Converter(read_tflite(data), writer, _picture(writer, scale=2.0 / 255.0, offset=-1.0)).run()
    centres = anchors(side, strides)
    # Rows: centre, size, key points; all but the size from the anchor's centre (tensors_to_detections_calculator.cc).
    origin = np.repeat(centres[:, None], 2 + KEYPOINTS, axis=1)
    origin[:, 1] = 0.0
    rows = writer.add("Reshape", answers[boxes], writer.integers([0, len(centres), 2 + KEYPOINTS, 2]))
    shares = writer.add("Mul", rows, writer.floats(1.0 / side))
    writer.add("Add", shares, writer.weights(origin), name="places")
    logits = writer.add("Reshape", answers[scores], writer.integers([0, len(centres)]))
    writer.add("Sigmoid", logits, name="scores")
    outputs = {"places": (len(centres), 2 + KEYPOINTS, 2), "scores": (len(centres),)}
    return writer.model(_input(side), outputs, NOTES)


def anchors(side: int, strides: Sequence[int]) -> npt.NDArray[np.float32]:
    """(A, 2) centres in shares of the side: cell by cell, in rows; strides that follow each other share their cells.

    ssd_anchors_calculator.cc. The finer grid of the short range has two anchors in a cell, the coarser six.
    """
    found = []
    for stride in dict.fromkeys(strides):
        count = side // stride
        v, u = np.mgrid[:count, :count]
        cells = (np.stack([u, v], axis=-1).reshape(-1, 2) + 0.5) / count
        per_cell = strides.count(stride) * (2 if len(strides) > 1 else 1)
        found.append(np.repeat(cells, per_cell, axis=0))
    return np.concatenate(found).astype(np.float32)


def face_mesh(data: bytes) -> onnx.ModelProto:
    """Face Mesh with attention, refined: one answer of 478 points."""
    side = 192
    writer = GraphWriter()
    answers = Converter(read_tflite(data), writer, _picture(writer, scale=1.0 / 255.0, offset=0.0)).run()
    mesh = writer.add("Reshape", answers[PARTS[0][0]], writer.integers([0, 468, 3]))
    parts = [writer.add("Gather", mesh, writer.integers([0, 1]), axis=2)]
    parts += [writer.add("Reshape", answers[name], writer.integers([0, len(points), 2])) for name, points in PARTS[1:]]
    every = writer.add("Concat", *parts, axis=1)
    plane = writer.add("Gather", every, writer.constant(plane_order(), np.int64), axis=1)
    depth = writer.add("Gather", mesh, writer.integers([2]), axis=2)
    depths = [depth]
    for iris, rim in IRIS_RIMS:
        mean = writer.add("ReduceMean", writer.add("Gather", depth, writer.integers(rim), axis=1), axes=[1], keepdims=1)
        depths += [mean] * len(iris)
    depth = writer.add("Concat", *depths, axis=1)
    refined = writer.add("Concat", plane, depth, axis=2)
    writer.add("Mul", refined, writer.floats(1.0 / side), name="points")
    flag = writer.add("Reshape", answers["conv_faceflag"], writer.integers([-1]))
    writer.add("Sigmoid", flag, name="presence")
    return writer.model(_input(side), {"points": (478, 3), "presence": ()}, NOTES)


def person(data: bytes) -> onnx.ModelProto:
    """Selfie Segmentation, square: how far each pixel is a person."""
    side = 256
    writer = GraphWriter()
    answers = Converter(read_tflite(data), writer, _picture(writer, scale=1.0 / 255.0, offset=0.0)).run()
    writer.add("Squeeze", answers["activation_10"], writer.integers([1]), name="person")
    return writer.model(_input(side), {"person": (side, side)}, NOTES)


def _input(side: int) -> dict[str, tuple[npt.DTypeLike, tuple[int, ...]]]:
    return {"rgb": (np.uint8, (side, side, 3))}


def _picture(writer: GraphWriter, scale: float, offset: float) -> str:
    """(N, 3, side, side) float32 of the input's bytes (N, side, side, 3)."""
    values = writer.add("Mul", writer.add("Cast", "rgb", to=onnx.TensorProto.FLOAT), writer.floats(scale))
    if offset:
        values = writer.add("Add", values, writer.floats(offset))
    return writer.add("Transpose", values, perm=[0, 3, 1, 2])


NOTES = {"origin": "MediaPipe 0.10.21, Google, Apache-2.0, converted"}
DETECTED = {
    "places": "(N,A,8,2) float32, shares of the side: centre, size, then right eye, left eye, nose tip, mouth,"
    " right ear, left ear",
    "scores": "(N,A) float32, 0..1",
}
RECIPES = (
    Recipe(
        "mediapipe/modules/face_detection/face_detection_short_range.tflite",
        "face_short_range",
        "faces that fill a picture (BlazeFace, short range)",
        DETECTED,
        lambda data: detector(data, 128, (8, 16, 16, 16), "regressors", "classificators"),
    ),
    Recipe(
        "mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
        "face_full_range",
        "faces in a picture, small ones too (BlazeFace, full range)",
        DETECTED,
        lambda data: detector(data, 192, (4,), "Identity", "Identity_1"),
    ),
    Recipe(
        "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite",
        "face_mesh",
        "478 points of the face that fills a picture (Face Mesh with attention: lips, eyes and irises refined)",
        {
            "points": "(N,478,3) float32, shares of the side; z smaller is nearer",
            "presence": "(N,) float32, 0..1: whether there is a face",
        },
        face_mesh,
    ),
    Recipe(
        "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
        "person",
        "which pixels show a person, with hair and clothes (Selfie Segmentation)",
        {"person": "(N,256,256) float32, 0..1"},
        person,
    ),
)
