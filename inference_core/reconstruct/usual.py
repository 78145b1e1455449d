"""The shape that the product finds on an average of photographed people: measured, and kept beside the networks.

It is as biased as the head's statistics and the networks are, so it belongs to just those files, and where one of them
has been replaced it counts as unknown. `python -m inference_core.evaluation.likeness --write` measures it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
USUAL_SHAPE = Path(__file__).parents[1] / "assets" / "usual_shape.json"


def read_usual_shape(head_sha256: str, weights: Mapping[str, str], count: int, path: Path = USUAL_SHAPE) -> Floats:
    """(count,) for a head and the networks used with it (name -> sha256); 0 where nobody has measured them together."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        shape = np.asarray(kept["shape"], dtype=np.float64)
        same = kept["head"] == head_sha256 and kept["weights"] == dict(weights)
    except (OSError, ValueError, KeyError, TypeError):
        return np.zeros(count)
    return shape if same and shape.shape == (count,) else np.zeros(count)


def write_usual_shape(
    shape: Floats, head_sha256: str, weights: Mapping[str, str], photos: int, path: Path = USUAL_SHAPE
) -> None:
    """`photos`: of how many people it is the mean."""
    kept = {"head": head_sha256, "weights": dict(weights), "photos": photos, "shape": shape.round(3).tolist()}
    path.write_text(json.dumps(kept) + "\n", encoding="utf-8")
