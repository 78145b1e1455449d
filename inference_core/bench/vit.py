"""The paper's backbone, for its cost alone: a ViT-L/16 on a 256 px map, built at run time with random weights.

24 layers of width 1024 with 16 heads and 4096 hidden units on 256 tokens (Dosovitskiy et al., ICLR 2021; DINOv3's
rotary places and register tokens cost next to nothing and are left out). All layers name the same weights: the work is
that of 300 million parameters, the file has 50 MB instead of 1.2 GB. Less memory is read, so this flatters the ViT.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, LAYERS, HEADS, HIDDEN, PATCH, SIDE = 1024, 24, 16, 4096, 16, 256
TOKENS = (SIDE // PATCH) ** 2
PARAMETERS = LAYERS * (4 * WIDTH * WIDTH + 2 * WIDTH * HIDDEN) + 3 * PATCH * PATCH * WIDTH
"""Of the matrices, were they not shared."""


def available() -> bool:
    """Whether the package that writes the graph is installed; it belongs to the extra `lab`."""
    return importlib.util.find_spec("onnx") is not None


def write_vit(path: Path, layers: int = LAYERS) -> None:
    """Input `normals` (1, 3, 256, 256) f4 -> `tokens` (1, 256, 1024) f4."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weights: dict[str, NDArray[np.generic]] = {
        "patch": _random(rng, WIDTH, 3, PATCH, PATCH),
        "query": _random(rng, WIDTH, WIDTH),
        "key": _random(rng, WIDTH, WIDTH),
        "value": _random(rng, WIDTH, WIDTH),
        "mixed": _random(rng, WIDTH, WIDTH),
        "wide": _random(rng, WIDTH, HIDDEN),
        "narrow": _random(rng, HIDDEN, WIDTH),
        "one": np.ones(WIDTH, np.float32),
        "zero": np.zeros(WIDTH, np.float32),
        "scale": np.asarray((WIDTH // HEADS) ** -0.5, np.float32),
        "half": np.asarray(0.5, np.float32),
        "unit": np.asarray(1, np.float32),
        "root": np.asarray(2**0.5, np.float32),
        "flat": np.array([1, WIDTH, TOKENS]),
        "apart": np.array([1, TOKENS, HEADS, WIDTH // HEADS]),
        "together": np.array([1, TOKENS, WIDTH]),
    }
    nodes: list[Any] = []

    def add(kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}_{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def normalised(x: str) -> str:
        return add("LayerNormalization", x, "one", "zero", axis=-1)

    def per_head(x: str, order: tuple[int, ...]) -> str:
        return add("Transpose", add("Reshape", x, "apart"), perm=order)

    patches = add("Conv", "normals", "patch", strides=[PATCH, PATCH])
    x = add("Transpose", add("Reshape", patches, "flat"), perm=(0, 2, 1))
    for _ in range(layers):
        y = normalised(x)
        query = per_head(add("Mul", add("MatMul", y, "query"), "scale"), (0, 2, 1, 3))
        key = per_head(add("MatMul", y, "key"), (0, 2, 3, 1))
        value = per_head(add("MatMul", y, "value"), (0, 2, 1, 3))
        seen = add("MatMul", add("Softmax", add("MatMul", query, key), axis=-1), value)
        joined = add("Reshape", add("Transpose", seen, perm=(0, 2, 1, 3)), "together")
        x = add("Add", x, add("MatMul", joined, "mixed"))
        y = add("MatMul", normalised(x), "wide")
        gate = add("Add", add("Erf", add("Div", y, "root")), "unit")
        x = add("Add", x, add("MatMul", add("Mul", add("Mul", y, gate), "half"), "narrow"))
    nodes.append(helper.make_node("LayerNormalization", [x, "one", "zero"], ["tokens"], axis=-1))
    graph = helper.make_graph(
        nodes,
        "vit_l16",
        [helper.make_tensor_value_info("normals", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [1, TOKENS, WIDTH])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def _random(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(0.02)
