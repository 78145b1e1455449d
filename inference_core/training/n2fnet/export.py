"""From a checkpoint to the product's files: n2fnet.onnx, compared with torch on the way, and its card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from inference_core.errors import Internal
from inference_core.formats.writing import named_whole
from inference_core.head import Head
from inference_core.n2fnet.placement import REFERENCE_POINT, RULER_METRES
from inference_core.n2fnet.regressor import basis_sketch
from inference_core.training.n2fnet.checkpoint import Progress, read_checkpoint
from inference_core.training.n2fnet.config import Config, as_dict
from inference_core.training.n2fnet.model import ExportedN2FNet, N2FNet, Prediction

OPSET = 17
TOLERANCE = 1e-3
HALF_TOLERANCE = 2e-2  # of a standard deviation, at worst; hundredths of a millimetre
HALF_FROM = 4096  # values; smaller tensors stay as they are


def exported_model(checkpoint: Path, head: Head) -> tuple[ExportedN2FNet, Config, Progress]:
    """The averaged weights in the shape that is shipped."""
    state = read_checkpoint(checkpoint)
    config: Config = state["config"]
    model = N2FNet(config.network, head)
    model.load_state_dict(state["average"])
    return ExportedN2FNet(model.eval()).eval(), config, state["progress"]


def to_onnx(model: ExportedN2FNet, head: Head, path: Path) -> bytes:
    """Write the graph, for any batch size, and return it; its metadata say what it was trained for."""
    example = torch.zeros(2, 3, 256, 256)
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # the fused encoder layer has no ONNX form
    try:
        torch.onnx.export(
            model, (example,), path, input_names=["normals"], output_names=list(Prediction._fields),
            dynamic_axes={name: {0: "batch"} for name in ("normals", *Prediction._fields)},
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    graph = onnx.load(str(path))
    metadata = {
        "head_id": head.head_id,
        "basis": json.dumps([round(float(value), 4) for value in basis_sketch(head)]),
        "expression_names": json.dumps(head.expression_names),
        "reference_point": json.dumps(REFERENCE_POINT),
        "ruler_metres": json.dumps(RULER_METRES),
    }
    onnx.helper.set_model_props(graph, metadata)
    serialised: bytes = graph.SerializeToString()
    path.write_bytes(serialised)
    return serialised


def store_half(path: Path) -> bytes:
    """Rewrite the graph with its large weights in float16, turned back on loading: half the file."""
    graph = onnx.load(str(path))
    casts = []
    for tensor in graph.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < HALF_FROM:
            continue
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend([*casts, *nodes])
    serialised: bytes = graph.SerializeToString()
    path.write_bytes(serialised)
    return serialised


def compare(
    model: ExportedN2FNet,
    graph: bytes,
    normals: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    tolerance: float = TOLERANCE,
) -> float:
    """The largest difference of any output between torch and ONNX Runtime.

    Raises:
        Internal: where it is beyond the tolerance.
    """
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    ours = session.run(None, {"normals": normals})
    with torch.inference_mode():
        theirs = model(torch.from_numpy(normals))
    worst = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(ours, theirs, strict=True))
    if not worst < tolerance:
        raise Internal(f"The exported network differs from the trained one by {worst:.2g}.", "Do not ship it.")
    return worst


def export(
    checkpoint: Path, head: Head, out: Path, normals: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    measures: Mapping[str, object],
) -> float:  # fmt: skip
    """Write `out` and its card beside it. normals (n, 3, 256, 256) are real inputs to compare on."""
    model, config, progress = exported_model(checkpoint, head)
    out.parent.mkdir(parents=True, exist_ok=True)
    with named_whole(out) as unfinished:
        graph = to_onnx(model, head, unfinished)
        difference = compare(model, graph, normals)
        graph = store_half(unfinished)
        half_difference = compare(model, graph, normals, HALF_TOLERANCE)
    # A folder's place on this machine is nobody's business.
    folder = Path(config.schedule.estimated).name
    public = replace(config, schedule=replace(config.schedule, estimated=folder))
    card = {
        "name": "n2fnet",
        "task": "normal map of a face, times its mask -> head parameters and camera",
        # Its data were rendered from the head: what the head may not be used for, neither may the network.
        "license": "Apache-2.0" if head.commercial_use else head.licence,
        "commercial_use": head.commercial_use,
        "sha256": hashlib.sha256(graph).hexdigest(),
        "bytes": len(graph),
        "parameters": sum(p.numel() for p in model.parameters()),
        "head": {"head_id": head.head_id, "sha256": head.sha256},
        "normal_frame": "camera",
        "input": {"normals": ["N", 3, 256, 256]},
        "outputs": {
            "shape": head.shape_count, "expression": head.expression_count, "jaw": 6, "eyelids": 2, "rotation": 6,
            "placement": "3: u, v, log scale, see inference_core/n2fnet/placement.py",
        },
        "data": f"Renders of random heads ({head.head_id}) drawn during training, spoiled by "
        "training/n2fnet/corrupt.py. No photographs, no scans, no people.",
        "recipe": as_dict(public),
        "seed": config.schedule.seed,
        "samples_seen": progress.samples,
        "training_seconds": round(progress.seconds),
        "validation": {name: round(value, 4) for name, value in progress.measures.items()},
        "measures": dict(measures),
        "largest_difference_to_torch": {"float32": difference, "as stored, float16": half_difference},
        "method": "Lee and Chang, 3D Face Reconstruction from a Single RGB Image via Normal-to-3DMM Regression, "
        "JBE 31(2), 2026",
    }  # fmt: skip
    card_path = out.with_suffix(".card.json")
    card_path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return half_difference
