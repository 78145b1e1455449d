"""An ONNX graph as it grows: nodes and constants under names that follow from their order, so that bytes repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
"""GridSample needs 16; 17 is read by every ONNX Runtime from 1.12 on."""
IR_VERSION = 8

Array = npt.NDArray[np.generic]
Shape = tuple[int, ...]


class GraphWriter:
    """Collects nodes; values are named by strings."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._tensors: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: object) -> str:
        """The name of a node's one output."""
        output = name or f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike) -> str:
        """The name of a constant; equal ones are kept once."""
        array = np.asarray(values, dtype, order="C")
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = f"c{len(self._tensors)}"
            self._tensors.append(numpy_helper.from_array(array, self._constants[key]))
        return self._constants[key]

    def weights(self, values: Array) -> str:
        """float32 values; those that half precision holds exactly are stored in it and cast when the network loads."""
        half = values.astype(np.float16)
        if half.size >= 16 and np.array_equal(half.astype(np.float32), values):
            return self.add("Cast", self.constant(half, np.float16), to=TensorProto.FLOAT)
        return self.constant(values, np.float32)

    def integers(self, values: Sequence[int]) -> str:
        """(n,) int64."""
        return self.constant(np.array(values, np.int64), np.int64)

    def floats(self, values: npt.ArrayLike) -> str:
        """float32 of any shape."""
        return self.constant(values, np.float32)

    def model(
        self,
        inputs: Mapping[str, tuple[npt.DTypeLike, Shape]],
        outputs: Mapping[str, Shape],
        notes: Mapping[str, str],
    ) -> onnx.ModelProto:
        """Shapes are without their first axis, N, which is left open; outputs are float32."""
        graph = helper.make_graph(
            self._nodes,
            "landmarks",
            [
                helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), ["N", *shape])
                for name, (dtype, shape) in inputs.items()
            ],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape]) for name, shape in outputs.items()],
            self._tensors,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="n2f")
        model.ir_version = IR_VERSION
        helper.set_model_props(model, dict(notes))
        onnx.checker.check_model(model, full_check=True)
        return model
