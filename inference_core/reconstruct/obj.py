"""Wavefront OBJ of a head: quads, UV and one group a material. Head space, metres."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Head


def obj_text(head: Head, vertices: NDArray[np.float64], comment: str) -> str:
    """The file's text for posed vertices (V, 3). Materials are named by `usemtl`; there is no .mtl beside it."""
    positions = ("v %.7f %.7f %.7f\n" * len(vertices)) % tuple(vertices.ravel().tolist())
    return (
        f"# {comment}\n# head space: +X the subject's left, +Y up, +Z out of the face; metres\n{positions}{_rest(head)}"
    )


@lru_cache(maxsize=2)
def _rest(head: Head) -> str:
    """Texture coordinates and polygons: the same for every pose of a head."""
    parts = [("vt %.6f %.6f\n" * len(head.uv)) % tuple(head.uv.astype(np.float64).ravel().tolist())]
    for number, name in enumerate(head.material_names):
        mine = head.material == number
        if not mine.any():
            continue
        parts.append(f"g {name}\nusemtl {name}\n")
        # v/vt pairs, counted from 1, a triangle where the fourth corner is missing.
        pairs = np.stack([head.quads[mine], head.uv_quads[mine]], axis=2) + 1
        four = head.quads[mine][:, 3] >= 0
        parts.append(("f %d/%d %d/%d %d/%d %d/%d\n" * int(four.sum())) % tuple(pairs[four].ravel().tolist()))
        parts.append(("f %d/%d %d/%d %d/%d\n" * int((~four).sum())) % tuple(pairs[~four][:, :3].ravel().tolist()))
    return "".join(parts)
