"""TensorFlow Lite's operators as ONNX's.

Pictures lie as (N, H, W, C) there and as (N, C, H, W) here. Every value with four axes is kept in the order of here,
all others as they are; N, 1 in the file, is left open.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import tflite

from .custom import CUSTOM
from .tflite_graph import Operator, TfliteGraph
from .writer import GraphWriter

Floats = npt.NDArray[np.float32]

CHANNELS_FIRST = (0, 3, 1, 2)
CHANNELS_LAST = (0, 2, 3, 1)
BLOCK = 16
"""Channels that ONNX Runtime computes at once, at most."""


class Converter:
    """Writes `graph`'s operators into `writer`, from the picture `values` (N, C, H, W) on."""

    def __init__(self, graph: TfliteGraph, writer: GraphWriter, picture: str) -> None:
        self.graph = graph
        self.writer = writer
        self.names: dict[int, str] = {graph.inputs[0]: picture}
        self._constants = dict(graph.constants)

    def run(self) -> Mapping[str, str]:
        """Names of the values by the names of the file's outputs."""
        for operator in self.graph.operators:
            if operator.kind in ("DEQUANTIZE", "DENSIFY"):
                self._constants[operator.outputs[0]] = self._constants[operator.inputs[0]]
            elif operator.kind in CUSTOM:
                inputs = [self._read(number) for number in operator.inputs]
                shape = self.graph.shapes[operator.inputs[0]]
                self._keep(operator, CUSTOM[operator.kind](self.writer, operator.options, shape, *inputs))
            else:
                self._keep(operator, getattr(self, f"_{operator.kind.lower()}")(operator))
        return {name: self.names[number] for name, number in self.graph.outputs.items()}

    def _keep(self, operator: Operator, name: str) -> None:
        self.names[operator.outputs[0]] = name

    def _floats(self, number: int) -> Floats:
        return np.asarray(self._constants[number], dtype=np.float32)

    def _read(self, number: int) -> str:
        """A value by its name: one computed before, or a constant in the order of axes of here."""
        if number in self.names:
            return self.names[number]
        values = self._floats(number)
        if self.graph.shapes[number] == (1, 4, 4):  # an affine matrix: `custom` keeps what moves points in the plane
            values = values[:, :2][:, :, [0, 1, 3]]
        return self.writer.weights(values.transpose(CHANNELS_FIRST) if values.ndim == 4 else values)

    def _conv_2d(self, operator: Operator) -> str:
        weights = self._floats(operator.inputs[1]).transpose(CHANNELS_FIRST)  # OHWI
        return self._convolution(operator, weights, groups=1)

    def _depthwise_conv_2d(self, operator: Operator) -> str:
        weights = self._floats(operator.inputs[1]).transpose(3, 0, 1, 2)  # 1HWC
        if operator.options.DepthMultiplier() != 1:
            raise ValueError("a depthwise convolution makes several channels of one")
        return self._convolution(operator, weights, groups=len(weights))

    def _convolution(self, operator: Operator, weights: Floats, groups: int) -> str:
        options = operator.options
        dilations = [options.DilationHFactor(), options.DilationWFactor()]
        kernel = [weights.shape[2], weights.shape[3]]
        inputs = [self._read(operator.inputs[0]), self.writer.weights(weights)]
        if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
            inputs.append(self._read(operator.inputs[2]))
        name = self.writer.add(
            "Conv",
            *inputs,
            kernel_shape=kernel,
            group=groups,
            dilations=dilations,
            strides=[options.StrideH(), options.StrideW()],
            pads=self._pads(operator, kernel, dilations),
        )
        return self._activated(operator, name)

    def _pads(self, operator: Operator, kernel: list[int], dilations: list[int]) -> list[int]:
        """SAME: as much as makes ceil(size / stride) outputs, the odd one behind (TensorFlow's rule)."""
        if operator.options.Padding() == tflite.Padding.VALID:
            return [0, 0, 0, 0]
        sizes = self.graph.shapes[operator.inputs[0]][1:3]
        strides = (operator.options.StrideH(), operator.options.StrideW())
        reach = [(width - 1) * step + 1 for width, step in zip(kernel, dilations, strict=True)]
        total = [
            max((-(-size // stride) - 1) * stride + span - size, 0)
            for size, stride, span in zip(sizes, strides, reach, strict=True)
        ]
        before = [amount // 2 for amount in total]
        return [*before, *(amount - first for amount, first in zip(total, before, strict=True))]

    def _activated(self, operator: Operator, name: str) -> str:
        kind = operator.options.FusedActivationFunction()
        if kind == tflite.ActivationFunctionType.NONE:
            return name
        if kind == tflite.ActivationFunctionType.RELU:
            return self.writer.add("Relu", name)
        if kind == tflite.ActivationFunctionType.RELU6:
            return self.writer.add("Clip", name, self.writer.floats(0.0), self.writer.floats(6.0))
        raise ValueError(f"activation {kind} is not known")

    def _relu(self, operator: Operator) -> str:
        return self.writer.add("Relu", self._read(operator.inputs[0]))

    def _logistic(self, operator: Operator) -> str:
        return self.writer.add("Sigmoid", self._read(operator.inputs[0]))

    def _hard_swish(self, operator: Operator) -> str:
        return self.writer.add("HardSwish", self._read(operator.inputs[0]))

    def _average_pool_2d(self, operator: Operator) -> str:
        """Over the whole picture, which is all that these networks have."""
        options, size = operator.options, self.graph.shapes[operator.inputs[0]][1:3]
        if (options.FilterHeight(), options.FilterWidth()) != size:
            raise ValueError("a mean over a part of the picture")
        return self._activated(operator, self.writer.add("GlobalAveragePool", self._read(operator.inputs[0])))

    def _prelu(self, operator: Operator) -> str:
        """Two convolutions of a pixel each instead of ONNX's operator, for which ONNX Runtime leaves its fast layout.

        With slope a below zero: x for x > 0, else a x = x + sign(1 - a) max(-|1 - a| x, 0).
        """
        slopes = self._floats(operator.inputs[1])
        if slopes.shape[:2] != (1, 1):
            raise ValueError("slopes differ between pixels")
        bend = 1.0 - slopes.ravel()
        x = self._read(operator.inputs[0])
        below = self.writer.add("Relu", self._scaled(x, -np.abs(bend)))
        return self.writer.add("Add", self._scaled(below, np.sign(bend)), x)

    def _scaled(self, name: str, factors: Floats) -> str:
        """A picture times `factors` (C,)."""
        return self.writer.add(
            "Conv", name, self.writer.weights(factors[:, None, None, None]), kernel_shape=[1, 1], group=len(factors)
        )

    def _add(self, operator: Operator) -> str:
        return self._activated(operator, self.writer.add("Add", *map(self._read, operator.inputs)))

    def _mul(self, operator: Operator) -> str:
        return self._activated(operator, self.writer.add("Mul", *map(self._read, operator.inputs)))

    def _pad(self, operator: Operator) -> str:
        """Whole blocks of channels are added by a convolution, for which ONNX Runtime keeps its fast layout."""
        name = self._read(operator.inputs[0])
        amounts = np.asarray(self._constants[operator.inputs[1]])[list(CHANNELS_FIRST)]
        before, after = (self.graph.shapes[number][3] for number in (operator.inputs[0], operator.outputs[0]))
        if before % BLOCK or after % BLOCK or amounts[[0, 2, 3]].any():
            return self.writer.add("Pad", name, self.writer.integers([*amounts[:, 0], *amounts[:, 1]]))
        weights = np.eye(after, before, k=-int(amounts[1, 0]), dtype=np.float32)
        return self.writer.add("Conv", name, self.writer.weights(weights[:, :, None, None]), kernel_shape=[1, 1])

    def _max_pool_2d(self, operator: Operator) -> str:
        options = operator.options
        kernel = [options.FilterHeight(), options.FilterWidth()]
        name = self.writer.add(
            "MaxPool",
            self._read(operator.inputs[0]),
            kernel_shape=kernel,
            strides=[options.StrideH(), options.StrideW()],
            pads=self._pads(operator, kernel, [1, 1]),
        )
        return self._activated(operator, name)

    def _resize_bilinear(self, operator: Operator) -> str:
        options = operator.options
        mode = "half_pixel" if options.HalfPixelCenters() else "asymmetric"
        if options.AlignCorners():
            mode = "align_corners"
        before, after = (self.graph.shapes[number][1:3] for number in (operator.inputs[0], operator.outputs[0]))
        scales = [1.0, 1.0, after[0] / before[0], after[1] / before[1]]
        return self.writer.add(
            "Resize",
            self._read(operator.inputs[0]),
            "",
            self.writer.floats(scales),
            mode="linear",
            coordinate_transformation_mode=mode,
        )

    def _depth_to_space(self, operator: Operator) -> str:
        return self.writer.add(
            "DepthToSpace", self._read(operator.inputs[0]), blocksize=operator.options.BlockSize(), mode="DCR"
        )

    def _concatenation(self, operator: Operator) -> str:
        axes = len(self.graph.shapes[operator.outputs[0]])
        axis = operator.options.Axis() % axes
        axis = CHANNELS_FIRST.index(axis) if axes == 4 else axis
        return self._activated(operator, self.writer.add("Concat", *map(self._read, operator.inputs), axis=axis))

    def _reshape(self, operator: Operator) -> str:
        before, after = (self.graph.shapes[number] for number in (operator.inputs[0], operator.outputs[0]))
        name = self._read(operator.inputs[0])
        if len(before) == 4 and before[1:3] != (1, 1):
            name = self.writer.add("Transpose", name, perm=list(CHANNELS_LAST))
        if len(after) == 4:
            if after[1:3] != (1, 1):
                raise ValueError("something flat becomes a picture")
            after = (after[0], after[3], 1, 1)
        return self.writer.add("Reshape", name, self.writer.integers([0, *after[1:]]))

    def _strided_slice(self, operator: Operator) -> str:
        if self.graph.shapes[operator.inputs[0]] != self.graph.shapes[operator.outputs[0]]:
            raise ValueError("a slice leaves something out")
        return self._read(operator.inputs[0])
