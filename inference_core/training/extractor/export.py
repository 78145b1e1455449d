"""A checkpoint becomes the product's ONNX file and its card."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from inference_core.formats.writing import named_whole
from inference_core.head import load_head
from inference_core.perception.normals import FRAME_NOTE
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.build import build_net
from inference_core.training.extractor.config import Config
from inference_core.training.extractor.network import ExtractorNet, Product
from inference_core.training.extractor.pool import sample_rng
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.shade import CLASS_NAMES
from inference_core.training.quantise import quantise

CALIBRATION_SEED = 777
FINE_PARTS = (
    "/head/",
    "/fine/",
    "/lift/",
    "/decode0/",
    "/refine_fine/",
    "/refine0/",
    "/lift0/",
    "/enter/",
    "/encode0/",
)
"""Few operations, but their rounding shows from frame to frame: in 8 bits a still face would flicker by half more."""


def load_mean(checkpoint: Path) -> tuple[ExtractorNet, Config, int]:
    """The averaged weights of a checkpoint, its config and its step."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    values = dict(state["config"])
    for key in ("channels", "depths", "refine"):
        if key in values:
            values[key] = tuple(values[key])
    config = Config(**values)
    net = build_net(config)
    net.load_state_dict(state["mean"])
    net.eval()
    return net, config, int(state["step"])


def export_onnx(net: ExtractorNet, size: int, path: Path) -> None:
    """Write `Product(net)` for pictures of `size` px, float32; any batch size."""
    with named_whole(path) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Product(net).eval(),
            (torch.rand(1, 3, size, size),),
            str(part),
            input_names=["rgb"],
            output_names=["normals", "classes", "sigma"],
            dynamic_axes={name: {0: "n"} for name in ("rgb", "normals", "classes", "sigma")},
            opset_version=17,
            dynamo=False,
        )
        _note_frame(part)


def _note_frame(path: Path) -> None:
    """Say in the file in which frame its normals are."""
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, dict([FRAME_NOTE]))
    onnx.save(model, str(path))


def export_quantised(net: ExtractorNet, size: int, path: Path, pictures: Sequence[NDArray[np.uint8]]) -> None:
    """The same with 8-bit convolutions but for FINE_PARTS; `pictures` (256, 256, 3) say how large values get."""
    whole = path.with_suffix(".float.onnx")
    export_onnx(net, size, whole)
    try:
        inputs = [cv2.resize(rgb.astype(np.float32), (size, size)).transpose(2, 0, 1)[None] / 255 for rgb in pictures]
        quantise(whole, path, [{"rgb": np.asarray(x, np.float32)} for x in inputs], ("Conv",), FINE_PARTS)
    finally:
        whole.unlink(missing_ok=True)


def calibration(count: int = 48) -> list[NDArray[np.uint8]]:
    """Crops (256, 256, 3) of painted heads that no other part of training or measuring sees."""
    anatomy = build_anatomy(load_head())
    return [draw_sample(anatomy, sample_rng(CALIBRATION_SEED, n)).rgb for n in range(count)]


def write_card(
    path: Path, weights: Path, config: Config, recipe: str, step: int, measures: dict[str, float], note: str = ""
) -> None:
    """The card beside the weights: what they are, where they come from, how good they are."""
    real = config.real_share if config.real else 0.0
    half = config.size // 2
    card = {
        "name": "normals",
        "task": "photo crop -> surface normals, classes, expected angular error",
        "input": f"rgb (N,3,{config.size},{config.size}) float32 in [0,1]",
        "outputs": {
            "normals": f"(N,3,{half},{half}) float32, unit",
            "classes": f"(N,7,{half},{half}) float32, probabilities: " + ", ".join(CLASS_NAMES),
            "sigma": f"(N,1,{half},{half}) float32, expected angular error, rad",
        },
        "class_names": list(CLASS_NAMES),
        "normal_frame": "sight: each pixel's own line of sight is +Z (inference_core.perception.sight); the crop's "
        "intrinsics, which the estimator is given, turn that into camera space",
        "normal_axes": "+X right, +Y up, +Z towards the camera",
        "data": "renders of the Open Head (CC0 and MIT)"
        + (" and of ICT-FaceKit's shapes (MIT, USC ICT)" if config.second_body else "")
        + " by inference_core.training.extractor"
        + (f", {config.traced_share:.0%} of them by Cycles" if config.traced else "")
        + "; backgrounds procedural and from scikit-image's photos without "
        "people; skins, brows and irises of MakeHuman (CC0). "
        + (
            f"{real:.0%} real photographs, official portraits by the US government (public domain), with the "
            "product's own fit as truth where fit and network agree."
            if real
            else "No photo of a person was trained on."
        ),
        "recipe": recipe,
        "arithmetic": "Convolutions in 8 bits (weights in 7, so that processors without VNNI answer alike), but "
        "for the finest ones; calibrated on 48 renders that nothing else uses.",
        "note": note,
        "seed": config.seed,
        "step": step,
        "measures": measures,
        "license": "Apache-2.0",
        "commercial_use": True,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
