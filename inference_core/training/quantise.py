"""From a float32 network to one that computes in 8 bits in ONNX Runtime: static, QDQ, a scale per output channel."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

Float32s = NDArray[np.float32]


class _Inputs(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime carries no types
    def __init__(self, inputs: Sequence[Mapping[str, Float32s]]) -> None:
        self._rest = iter(inputs)

    def get_next(self) -> Mapping[str, Float32s] | None:
        return next(self._rest, None)


def quantise(
    source: Path,
    target: Path,
    inputs: Sequence[Mapping[str, Float32s]],
    operators: Sequence[str],
    spared: Sequence[str],
) -> None:
    """Write `target`, with the notes that `source` carries.

    `inputs` show the range of values; nodes with a word of `spared` in their name stay float32.

    Weights get 7 bits: processors without VNNI add two products of an 8-bit weight and an 8-bit value in 16 bits, which
    overflows silently (ONNX Runtime, "Quantize ONNX models", on reduce_range). So every processor answers alike.
    """
    log = logging.getLogger()
    level = log.level
    log.setLevel(logging.ERROR)  # advice to do what is done here
    try:
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "plain.onnx"
            quant_pre_process(str(source), str(plain), skip_symbolic_shape=True)
            names = [node.name for node in onnx.load(str(plain)).graph.node]
            quantize_static(
                str(plain),
                str(target),
                _Inputs(inputs),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=list(operators),
                nodes_to_exclude=[name for name in names if any(word in name for word in spared)],
            )
        made = onnx.load(str(target))
        onnx.helper.set_model_props(made, {item.key: item.value for item in onnx.load(str(source)).metadata_props})
        onnx.save(made, str(target))
    finally:
        log.setLevel(level)
