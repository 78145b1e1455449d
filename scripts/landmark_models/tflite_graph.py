"""A TensorFlow Lite file as plain data: tensors with their constants, operators with their options.

The schema's own reader comes from the package tflite; half-precision constants stay so, sparse ones are laid out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tflite
from flatbuffers import flexbuffers
from flatbuffers.table import Table

Array = npt.NDArray[np.generic]

_DTYPES = {
    tflite.TensorType.FLOAT32: np.dtype("<f4"),
    tflite.TensorType.FLOAT16: np.dtype("<f2"),
    tflite.TensorType.INT32: np.dtype("<i4"),
}
_OPERATORS = {number: name for name, number in vars(tflite.BuiltinOperator).items() if isinstance(number, int)}


@dataclass(frozen=True)
class Operator:
    """One step. `inputs` are tensors by number, -1 where an optional one is left out.

    `options` is the table of the operator's kind as the schema's reader gives it, or what a custom operator was told.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: object


@dataclass(frozen=True)
class TfliteGraph:
    """The one subgraph of a file. `shapes` by tensor; `constants` by tensor, where it has one."""

    inputs: tuple[int, ...]
    outputs: Mapping[str, int]
    shapes: tuple[tuple[int, ...], ...]
    constants: Mapping[int, Array]
    operators: tuple[Operator, ...]


def read_tflite(data: bytes) -> TfliteGraph:
    """The network that a file's bytes hold.

    Raises:
        ValueError: for a file of another format, or of a kind that these networks do not need.
    """
    if data[4:8] != b"TFL3":
        raise ValueError("this is no TensorFlow Lite file")
    model = tflite.Model.GetRootAs(data, 0)
    if model.SubgraphsLength() != 1:
        raise ValueError("this network has several subgraphs")
    graph = model.Subgraphs(0)
    tensors = [graph.Tensors(number) for number in range(graph.TensorsLength())]
    return TfliteGraph(
        inputs=tuple(int(number) for number in graph.InputsAsNumpy()),
        outputs={tensors[number].Name().decode(): int(number) for number in graph.OutputsAsNumpy()},
        shapes=tuple(tuple(int(size) for size in np.atleast_1d(tensor.ShapeAsNumpy())) for tensor in tensors),
        constants={
            number: _constant(tensor, model.Buffers(tensor.Buffer()))
            for number, tensor in enumerate(tensors)
            if model.Buffers(tensor.Buffer()).DataLength()
        },
        operators=tuple(_operator(model, graph.Operators(number)) for number in range(graph.OperatorsLength())),
    )


def _operator(model: tflite.Model, operator: tflite.Operator) -> Operator:
    code = model.OperatorCodes(operator.OpcodeIndex())
    kind = _OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    if kind == "CUSTOM":
        kind = code.CustomCode().decode()
        told = bytes(operator.CustomOptionsAsNumpy()) if operator.CustomOptionsLength() else b""
        options: object = flexbuffers.Loads(told) if told else {}
    else:
        options = _options(operator)
    inputs = tuple(int(number) for number in operator.InputsAsNumpy())
    return Operator(kind, inputs, tuple(int(number) for number in operator.OutputsAsNumpy()), options)


def _options(operator: tflite.Operator) -> object:
    table = operator.BuiltinOptions()
    if not isinstance(table, Table):
        return None
    names = {number: name for name, number in vars(tflite.BuiltinOptions).items() if isinstance(number, int)}
    kind = getattr(tflite, names[operator.BuiltinOptionsType()])()
    kind.Init(table.Bytes, table.Pos)
    return kind


def _constant(tensor: tflite.Tensor, buffer: tflite.Buffer) -> Array:
    values = np.frombuffer(bytes(buffer.DataAsNumpy()), _DTYPES[tensor.Type()])
    shape = tuple(int(size) for size in np.atleast_1d(tensor.ShapeAsNumpy()))
    sparsity = tensor.Sparsity()
    return values.reshape(shape) if sparsity is None else _dense(values, shape, sparsity)


def _dense(values: Array, shape: tuple[int, ...], sparsity: tflite.SparsityParameters) -> Array:
    """Rows of channels of which only some are stored: all axes dense in their order, the last one compressed.

    `segments` says where each row's values begin among all, `indices` to which channels they belong (the schema's
    DimensionMetadata).
    """
    axes = [sparsity.DimMetadata(number) for number in range(sparsity.DimMetadataLength())]
    in_order = list(sparsity.TraversalOrderAsNumpy()) == list(range(len(shape)))
    if not in_order or sparsity.BlockMapLength() or [axis.Format() for axis in axes] != [0] * (len(shape) - 1) + [1]:
        raise ValueError("constants are sparse in another way than by their last axis")
    segments = _integers(axes[-1].ArraySegmentsType(), axes[-1].ArraySegments())
    indices = _integers(axes[-1].ArrayIndicesType(), axes[-1].ArrayIndices())
    dense = np.zeros((len(segments) - 1, shape[-1]), values.dtype)
    dense[np.repeat(np.arange(len(segments) - 1), np.diff(segments)), indices] = values[: len(indices)]
    return dense.reshape(shape)


def _integers(kind: int, table: Table) -> npt.NDArray[np.int64]:
    vector = {
        tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
        tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
        tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
    }[kind]()
    vector.Init(table.Bytes, table.Pos)
    return np.asarray(vector.ValuesAsNumpy(), dtype=np.int64)
