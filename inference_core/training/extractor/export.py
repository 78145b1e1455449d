"""A checkpoint becomes the product's ONNX file and its card."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from inference_core.training.extractor.config import Config
from inference_core.training.extractor.network import ExtractorNet, Product
from inference_core.training.extractor.shade import CLASS_NAMES
from inference_core.training.extractor.train import build_net

HALF_FROM = 1024  # tensors with fewer values stay float32


def load_mean(checkpoint: Path) -> tuple[ExtractorNet, Config, int]:
    """The averaged weights of a checkpoint, its config and its step."""
    state = torch.load(checkpoint, weights_only=True)
    values = dict(state["config"])
    for key in ("channels", "depths"):
        values[key] = tuple(values[key])
    config = Config(**values)
    net = build_net(config)
    net.load_state_dict(state["mean"])
    net.eval()
    return net, config, int(state["step"])


def export_onnx(net: ExtractorNet, size: int, path: Path) -> None:
    """Write `Product(net, size)` with weights stored as float16 and computed as float32; any batch size."""
    product = Product(net, size).eval()
    part = path.with_suffix(".part")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            product,
            (torch.rand(1, 3, 256, 256),),
            str(part),
            input_names=["rgb"],
            output_names=["normals", "classes", "sigma"],
            dynamic_axes={name: {0: "n"} for name in ("rgb", "normals", "classes", "sigma")},
            opset_version=17,
            dynamo=False,
        )
    model = onnx.load(str(part))
    _store_half(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(part))
    part.replace(path)


def _store_half(model: onnx.ModelProto) -> None:
    """Keep large weights as float16 with a Cast behind each: half the file; ONNX Runtime folds the casts on loading."""
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < HALF_FROM:
            continue
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def write_card(path: Path, weights: Path, config: Config, step: int, measures: dict[str, float]) -> None:
    """The card beside the weights: what they are, where they come from, how good they are."""
    card = {
        "name": "normals",
        "task": "photo crop -> surface normals, classes, expected angular error",
        "input": "rgb (N,3,256,256) float32 in [0,1]",
        "outputs": {
            "normals": "(N,3,256,256) float32, unit",
            "classes": "(N,7,256,256) float32, probabilities: " + ", ".join(CLASS_NAMES),
            "sigma": "(N,1,256,256) float32, expected angular error, rad",
        },
        "class_names": list(CLASS_NAMES),
        "normal_frame": "camera",
        "normal_axes": "+X right, +Y up, +Z towards the camera",
        "data": "renders of the Open Head (CC0) by inference_core.training.extractor; backgrounds procedural and from "
        "scikit-image's photos without people. No photo of a person was trained on.",
        "recipe": f"python -m inference_core.training.extractor --config shipped (seed {config.seed}, step {step}), "
        "started from the averaged weights of two shorter runs of the same code on earlier versions of the head and "
        "the renderer: the config alone repeats the method, not these very numbers.",
        "seed": config.seed,
        "step": step,
        "measures": measures,
        "license": "Apache-2.0",
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
