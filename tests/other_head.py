"""A second head for tests, quickly made from the Open Head: other directions, another name, FLAME's kind of values.

Its identity directions are mixtures of the Open Head's, its expressions are signed modes ("expr.000" ...) that span
what the Open Head's units do, and it stands 20 mm away in its own head space: whatever assumes the bundled head fails.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference_core.head import BUNDLED_HEAD

HEAD_ID = "other_head"
SHAPES, EXPRESSIONS = 60, 39
SHIFT = np.array([0.0, 0.02, -0.01], np.float32)


def other_arrays() -> dict[str, NDArray[Any]]:
    """The arrays of its file; the same every time."""
    with np.load(BUNDLED_HEAD, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if not name.startswith("combination_")}
    random = np.random.default_rng(6)
    meta = json.loads(str(arrays["meta"]))
    meta |= {"head_id": HEAD_ID, "name": "Other Head", "license": "For research only", "commercial_use": False}
    turn = np.linalg.qr(random.normal(size=(SHAPES, SHAPES)))[0]
    arrays["template"] = arrays["template"] + SHIFT
    arrays["shape_dirs"] = (arrays["shape_dirs"][..., :SHAPES].astype(np.float32) @ turn).astype(np.float16)
    units = arrays["expression_dirs"]
    flat = units.reshape(-1, units.shape[2])
    _, _, right = np.linalg.svd(flat, full_matrices=False)
    modes = flat @ right[:EXPRESSIONS].T * (0.3 * np.sqrt(flat.shape[1] / EXPRESSIONS))
    arrays["expression_dirs"] = modes.reshape(*units.shape[:2], EXPRESSIONS).astype(np.float32)
    arrays["expression_names"] = np.array([f"expr.{index:03d}" for index in range(EXPRESSIONS)])
    arrays["expression_sigma"] = np.ones(EXPRESSIONS, np.float32)
    arrays["arkit_names"] = np.array([str(name) for name in np.load(BUNDLED_HEAD)["expression_names"]])
    arrays["arkit_dirs"] = units.astype(np.float32)
    arrays["meta"] = np.array(json.dumps(meta))
    return arrays


def write_other_head(path: Path) -> Path:
    """Write its file."""
    with path.open("wb") as stream:
        np.savez(stream, **other_arrays())
    return path
