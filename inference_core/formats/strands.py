# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Strands of hair, and how they lie beside a take.

`hair.json` says what they are: {"format": "n2f-hair", "version": 1, "head_sha256", "kind": "hair", "strands":
"hair.npz", "radius", "colour": {"length"}}; of kind "bald", "covered", "growing" (the head is there before its hair) or
"failed" there are no strands. `hair.npz` holds `points` (S, K, 3) m in head space of the neutral head, root first,
`root_uv` (S, 2), `colour` (S, 3) linear RGB.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .npz import read_npz

HAIR_NAME: Final = "hair.json"
MOST_POINTS: Final = 4_000_000

Float32s = NDArray[np.float32]


class OtherHead(ValueError):
    """The strands grew on another head."""


@dataclass(frozen=True, eq=False)
class Strands:
    """S strands of K points. In this order any first part of them covers the scalp."""

    style: str
    points: Float32s  # (S, K, 3) m, head space of the neutral head, root first
    root_uv: Float32s  # (S, 2) in the head file's UV
    colour: Float32s  # (S, 3) linear RGB
    radius: float  # m at the root


def read_strands(folder: Path, head_sha256: str) -> Strands | None:
    """What lies in a take's folder; None where there is none, or a bald head.

    Raises:
        OtherHead: where it grew on another head.
        npz.FAULTS: one of them, with the reason, for damaged files.
    """
    path = folder / HAIR_NAME
    if not path.is_file():
        return None
    facts = json.loads(path.read_text(encoding="utf-8"))
    if facts["format"] != "n2f-hair" or facts["version"] != 1:
        raise ValueError("it is not hair of version 1")
    if facts["head_sha256"] != head_sha256:
        raise OtherHead("it grew on another head")
    if facts["kind"] != "hair":
        return None
    return _strands(folder / Path(str(facts["strands"])).name, facts)


def _strands(path: Path, facts: dict[str, object]) -> Strands:
    arrays = read_npz(path, ("points", "root_uv", "colour"))
    points, root_uv, colour = (np.asarray(arrays[name], np.float32) for name in ("points", "root_uv", "colour"))
    count, radius = len(points), float(str(facts["radius"]))
    if points.ndim != 3 or points.shape[1] < 2 or points.shape[2] != 3 or root_uv.shape != (count, 2):
        raise ValueError("its strands are none")
    if colour.shape != (count, 3) or points.size > 3 * MOST_POINTS or not 0 < radius < 0.01:
        raise ValueError("its strands have no colour or no width that could be")
    if not all(np.isfinite(values).all() for values in (points, root_uv, colour)):
        raise ValueError("it holds values that are not finite")
    return Strands(str(facts.get("style", "")), points, root_uv, colour, radius)
