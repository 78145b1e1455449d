"""From a finished n2fnet.onnx back to weights that can learn: where the checkpoint is gone, the file is enough.

Its normalisations are folded into the convolutions, so the network that goes on has none (`network.normalised`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from inference_core.errors import BadInput, ModelMissing
from inference_core.head import Head
from inference_core.n2fnet.placement import REFERENCE_POINT
from inference_core.training.folding import module_name
from inference_core.training.n2fnet.config import Network
from inference_core.training.n2fnet.model import N2FNet

LINEAR = {"self_attn": "self_attn.in_proj_weight"}  # what is a MatMul but no nn.Linear
CONSTANT = ("backbone.reference", "backbone.flip")


def state_from_onnx(path: Path, network: Network, head: Head) -> dict[str, Tensor]:
    """The weights in `path`, a network of `head`, as a state of N2FNet(network, head) without normalisations.

    Raises:
        ModelMissing: where there is no such file.
        BadInput: where it is another network.
    """
    try:
        graph = onnx.load(str(path)).graph
    except FileNotFoundError as error:
        raise ModelMissing(f"The network {path} is missing.", "Name an existing .onnx file.") from error
    except Exception as error:  # protobuf's DecodeError, and whatever onnx makes of other damage
        raise BadInput(f"'{path}' is no ONNX network.", "Name an N2FNet's .onnx file.") from error
    found = _weights(graph)
    fresh = N2FNet(network, head).state_dict()
    missing = set(fresh) - set(found) - set(CONSTANT)
    wrong = {name for name, value in found.items() if name in fresh and value.shape != fresh[name].shape}
    if network.normalised or missing or wrong:
        raise BadInput(
            f"'{path.name}' is not an N2FNet of this version, config and head: {sorted(missing | wrong)[:3]}.",
            "Name one that this version made, its head with --start-head, and network.normalised = false.",
        )
    return {name: found[name] if name in found and name not in CONSTANT else own for name, own in fresh.items()}


def _weights(graph: onnx.GraphProto) -> dict[str, Tensor]:
    """By torch's names: what kept its name, and what convolutions and matrix products hold under names of their own."""
    held = {item.name.removesuffix("_half"): _values(item) for item in graph.initializer}
    for node in graph.node:  # tensors that happen to be equal are stored once
        if node.op_type == "Identity" and node.input[0] in held:
            held[node.output[0]] = held[node.input[0]]
    found = {name.removeprefix("model."): value for name, value in held.items() if name.startswith("model.")}
    for node in graph.node:
        if node.op_type == "Conv":
            name = module_name(node.name)
            found[f"{name}.weight"], found[f"{name}.bias"] = (held[key] for key in node.input[1:3])
        elif node.op_type == "MatMul" and node.name == "/model/backbone/MatMul":
            found["backbone.points"] = held[node.input[0]] + np.array(REFERENCE_POINT, np.float32)
        elif node.op_type == "MatMul" and node.input[1] in held:
            name = module_name(node.name)
            part = name.rpartition(".")[2]
            found[f"{name.removesuffix(part)}{LINEAR.get(part, f'{part}.weight')}"] = held[node.input[1]].T
    return {name: torch.from_numpy(np.array(value)) for name, value in found.items()}


def _values(item: onnx.TensorProto) -> NDArray[np.float32]:
    return np.asarray(numpy_helper.to_array(item), np.float32)
