"""From a finished normals.onnx back to a network that learns: for short trainings that start where a product stands.

The file is all a user has: its normalisations are folded into the convolutions, and most weights are in 8 bits. Folded
normalisations are an advantage here, for a few hundred frames of one actor would spoil their statistics.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from inference_core.errors import BadInput, ModelMissing
from inference_core.perception.normals import FRAME_NOTE
from inference_core.training.extractor.build import build_net
from inference_core.training.extractor.config import Config
from inference_core.training.extractor.network import ExtractorNet
from inference_core.training.folding import module_name

Values = NDArray[np.float32]


def network_from_onnx(path: Path, config: Config) -> tuple[ExtractorNet, int]:
    """The network in `path` as float32 convolutions without normalisations, and the px of the pictures it takes.

    `config` says how wide and deep it is.

    Raises:
        ModelMissing: where there is no such file.
        BadInput: where it is another network than the config's.
    """
    try:
        model = onnx.load(str(path))
    except FileNotFoundError as error:
        raise ModelMissing(f"The network {path} is missing.", "Name an existing .onnx file.") from error
    except Exception as error:  # protobuf's DecodeError, and whatever onnx makes of other damage
        raise BadInput(f"'{path}' is no ONNX network.", "Name a normals network's .onnx file.") from error
    if FRAME_NOTE not in [(item.key, item.value) for item in model.metadata_props]:
        raise BadInput(
            f"'{path.name}' was made by an earlier version, whose normals lie in another frame.",
            "Start from the product's own network.",
        )
    graph = model.graph
    held = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    scaled = {node.output[0]: _dequantised(node, held) for node in graph.node if node.op_type == "DequantizeLinear"}
    net = build_net(replace(config, normalised=False))
    strange = BadInput(
        f"'{path.name}' is not a normals network of this version and config.",
        "Name one that this version made, and the config it was trained with.",
    )
    filled = 0
    for node in graph.node:
        if node.op_type == "BatchNormalization":
            raise strange
        if node.op_type != "Conv":
            continue
        weight, bias = (_value(name, held, scaled) for name in node.input[1:3])
        try:
            _fill(net, module_name(node.name), weight, bias)
        except (AttributeError, ValueError) as error:
            raise strange from error
        filled += 1
    if filled != sum(isinstance(module, nn.Conv2d) for module in net.modules()):
        raise strange
    side = [item.type.tensor_type.shape.dim[3].dim_value for item in graph.input if item.name == "rgb"]
    if not side or side[0] <= 0:
        raise strange
    return net, int(side[0])


def _dequantised(node: onnx.NodeProto, held: dict[str, NDArray[np.generic]]) -> Values | None:
    """The constant that a DequantizeLinear node stands for; None where it stands for values that are computed."""
    if node.input[0] not in held:
        return None
    values, scale = held[node.input[0]].astype(np.float32), held[node.input[1]].astype(np.float32)
    zero = held[node.input[2]].astype(np.float32) if len(node.input) > 2 else np.zeros_like(scale)
    axis = next((item.i for item in node.attribute if item.name == "axis"), 1)
    if scale.ndim:  # a scale per channel
        shape = [-1 if place == axis % values.ndim else 1 for place in range(values.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return np.asarray((values - zero) * scale, np.float32)


def _value(name: str, held: dict[str, NDArray[np.generic]], scaled: dict[str, Values | None]) -> Values:
    found = held[name] if name in held else scaled.get(name)
    if found is None:
        raise BadInput(f"The network's weight {name} is computed, not stored.", "Name a network this version made.")
    return np.asarray(found, np.float32)


def _fill(net: ExtractorNet, name: str, weight: Values, bias: Values) -> None:
    """Put folded weights into the convolution `name`.

    Raises:
        AttributeError: where it does not fit.
        ValueError: where it does not fit.
    """
    layer = net.get_submodule(name)
    if not isinstance(layer, nn.Conv2d) or layer.bias is None or tuple(layer.weight.shape) != weight.shape:
        raise ValueError(name)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight.copy()))
        layer.bias.copy_(torch.from_numpy(bias.copy()))
