"""A statistical skin: what colour ears, neck, lids and scalp have, over the cheeks', and where hair grows.

A linear model in natural logarithms of sRGB at the Open Head's vertices: mean and modes, learned from CC0 skins
(`scripts/build_skin_model.py`; data and limits on `assets/skin_model.card.json`). Another head is reached through the
places of its vertices on the Open Head.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.formats.npz import read_npz
from inference_core.head import Head, load_head
from inference_core.head.model import Floats

FILE = Path(__file__).parents[1] / "assets" / "skin_model.npz"
MODES = 3
NOISE = 0.20
"""How far one vertex of a photo may be off the model, in logarithms: beard, blush, make-up and what light is left."""
SAID_ONCE = 60
"""Neighbouring vertices that tell the same thing: how many count as one."""


@dataclass(frozen=True, eq=False)
class SkinModel:
    """Of a head's V vertices: `mean` (V, 3) and `modes` (K, V, 3), logarithms over the cheeks'; `hair` (V,) 0..1."""

    mean: Floats
    modes: Floats
    hair: Floats

    def fitted(self, colour: Floats, seen: Floats, cheek: Floats) -> Floats:
        """(V, 3) sRGB 0..255: the likeliest skin of a person of whom `colour` (V, 3) was `seen` (V,), 0..1.

        The posterior mean with coefficients N(0, 1). `cheek` (3,) is the person's own.
        """
        away = np.log(np.maximum(colour, 1.0)) - np.log(np.maximum(cheek, 1.0)) - self.mean
        trust = np.repeat(seen / (SAID_ONCE * NOISE**2), 3)
        design = self.modes.reshape(len(self.modes), -1)
        normal = (design * trust) @ design.T + np.eye(len(design))
        found = np.linalg.solve(normal, (design * trust) @ away.ravel())
        return np.asarray(cheek * np.exp(self.mean + np.tensordot(found, self.modes, axes=1)))


@lru_cache(maxsize=2)
def skin_model_of(head: Head) -> SkinModel:
    """The model on this head; a head that does not lie on the Open Head gets one even colour without hair."""
    arrays = read_npz(FILE)
    mean, modes, hair = (arrays[name].astype(np.float64) for name in ("mean", "modes", "hair"))
    if len(mean) == head.vertex_count:
        return SkinModel(mean, modes, hair)
    if head.open_head_triangles is None or head.open_head_barycentric is None:
        count = head.vertex_count
        return SkinModel(np.zeros((count, 3)), np.zeros((MODES, count, 3)), np.zeros(count))
    corners = load_head().triangles[head.open_head_triangles]
    share = head.open_head_barycentric.astype(np.float64)
    return SkinModel(
        np.einsum("vkc,vk->vc", mean[corners], share),
        np.einsum("mvkc,vk->mvc", modes[:, corners], share),
        np.einsum("vk,vk->v", hair[corners], share),
    )


def cheek_vertices(head: Head) -> NDArray[np.bool_]:
    """(V,): skin beside the nose and below the eyes, above the mouth's corners, in front of the ears."""
    x, y, z = head.template.T
    face = head.region("face") & ~head.region("lips") & ~head.region("nose") & ~head.region("eyelids")
    eyes = head.joint_template[3:5]
    mouth = float(head.template[head.region("lips"), 1].mean())
    apart = eyes[0, 0] - eyes[1, 0]
    low, high = mouth + 0.25 * (eyes[0, 1] - mouth), eyes[0, 1] - 0.30 * apart
    return np.asarray(face & (np.abs(x) > 0.32 * apart) & (np.abs(x) < 0.85 * apart) & (y > low) & (y < high) & (z > 0))
