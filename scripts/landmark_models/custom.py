"""MediaPipe's own operators in ONNX's: a crop placed by landmarks, bilinear sampling in it, the way back; enlarging.

What they compute is read off mediapipe/util/tflite/operations (Apache-2.0): landmarks_to_transform_matrix.cc,
transform_tensor_bilinear.cc and transform_landmarks.cc, each in its version 2. Their 4 x 4 matrices move points in the
plane only: here they are (N, 2, 3), the linear part and the shift.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np

from .writer import GraphWriter


def landmarks_to_matrix(writer: GraphWriter, options: object, _: tuple[int, ...], landmarks: str) -> str:
    """(N, 2, 3): from px of the crop to where they lie, from `landmarks` (N, L, 3).

    The crop stands on the line through two landmarks, around the box of a subset in that direction, enlarged. Only sine
    and cosine of the line's angle are needed: they are the line's direction.
    """
    told = cast("Mapping[str, object]", options)
    if told["target_rotation_radians"]:
        raise ValueError("the crop is turned against the line")
    subset = cast("list[int]", told["subset_idxs"])
    sizes = np.array([told["output_width"], told["output_height"]], np.float32)
    enlarged = np.array([told["scale_x"], told["scale_y"]], np.float32)

    plane = writer.add("Gather", landmarks, writer.integers([0, 1]), axis=2)  # (N, L, 2)
    first, last = (
        writer.add("Gather", plane, writer.constant(told[f"{side}_rotation_idx"], np.int64), axis=1)
        for side in ("left", "right")
    )
    line = writer.add("Sub", last, first)
    right = writer.add("Div", line, writer.add("ReduceL2", line, axes=[1], keepdims=1))  # (N, 2): cosine, sine
    swapped = writer.add("Gather", right, writer.integers([1, 0]), axis=1)
    down = writer.add("Mul", swapped, writer.floats([-1.0, 1.0]))
    axes = writer.integers([1])
    rows = writer.add("Concat", writer.add("Unsqueeze", right, axes), writer.add("Unsqueeze", down, axes), axis=1)
    columns = writer.add("Transpose", rows, perm=[0, 2, 1])  # (N, 2, 2): the crop's directions

    points = writer.add("Gather", plane, writer.integers(subset), axis=1)
    turned = writer.add("MatMul", points, columns)
    high = writer.add("ReduceMax", turned, axes=[1], keepdims=1)  # (N, 1, 2)
    low = writer.add("ReduceMin", turned, axes=[1], keepdims=1)
    middle = writer.add("Mul", writer.add("Add", high, low), writer.floats(0.5))
    centre = writer.add("Transpose", writer.add("MatMul", middle, rows), perm=[0, 2, 1])  # (N, 2, 1)
    pixel = writer.add("Mul", writer.add("Sub", high, low), writer.floats(enlarged / sizes))
    linear = writer.add("Mul", columns, pixel)
    corner = writer.add("Sub", centre, writer.add("MatMul", linear, writer.floats(sizes[:, None] / 2)))
    return writer.add("Concat", linear, corner, axis=2)


def sample_bilinear(writer: GraphWriter, options: object, shape: tuple[int, ...], picture: str, matrix: str) -> str:
    """(N, C, h, w) of `picture` (N, C, S, S), at pixel centres; zero beyond the centres of its outermost pixels.

    `shape` is the picture's in the file, (1, S, S, C).
    """
    side = shape[1]
    if side != shape[2]:
        raise ValueError("the picture that is sampled is no square")
    told = cast("Mapping[str, int]", options)
    height, width = told["output_height"], told["output_width"]
    v, u = np.mgrid[:height, :width] + 0.5
    centres = np.stack([u.ravel(), v.ravel(), np.ones(height * width)])
    places = writer.add("Transpose", writer.add("MatMul", matrix, writer.floats(centres)), perm=[0, 2, 1])
    places = writer.add("Reshape", places, writer.integers([0, height, width, 2]))
    grid = writer.add("Sub", writer.add("Mul", places, writer.floats(2.0 / side)), writer.floats(1.0))
    sampled = writer.add("GridSample", picture, grid, mode="bilinear", padding_mode="zeros", align_corners=0)
    farthest = writer.add("ReduceMax", writer.add("Abs", grid), axes=[3], keepdims=0)
    outermost = np.float32(1.0 - 1.0 / side)
    inside = writer.add("Cast", writer.add("LessOrEqual", farthest, writer.floats(outermost)), to=1)
    return writer.add("Mul", sampled, writer.add("Unsqueeze", inside, writer.integers([1])))


def transform_landmarks(writer: GraphWriter, options: object, _: tuple[int, ...], landmarks: str, matrix: str) -> str:
    """`landmarks` (N, L, 2) carried by `matrix` (N, 2, 3)."""
    if options:
        raise ValueError("the landmarks have more than two coordinates")
    linear = writer.add("Gather", matrix, writer.integers([0, 1]), axis=2)
    shift = writer.add("Gather", matrix, writer.integers([2]), axis=2)
    turned = writer.add("MatMul", landmarks, writer.add("Transpose", linear, perm=[0, 2, 1]))
    return writer.add("Add", turned, writer.add("Transpose", shift, perm=[0, 2, 1]))


def transposed_convolution(
    writer: GraphWriter, options: object, _: tuple[int, ...], picture: str, weights: str, bias: str
) -> str:
    """(N, O, 2 H, 2 W) of `picture` (N, C, H, W) by `weights` (O, C, 2, 2) and `bias` (O,): each pixel becomes four."""
    if options:
        raise ValueError("the enlarging convolution is told something")
    kernel = writer.add("Transpose", weights, perm=[1, 0, 2, 3])
    return writer.add("ConvTranspose", picture, kernel, bias, kernel_shape=[2, 2], strides=[2, 2])


CUSTOM: Mapping[str, Callable[..., str]] = {
    "Landmarks2TransformMatrix": landmarks_to_matrix,
    "TransformTensorBilinear": sample_bilinear,
    "TransformLandmarks": transform_landmarks,
    "Convolution2DTransposeBias": transposed_convolution,
}
