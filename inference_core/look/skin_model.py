"""A statistical skin: what colour every place has, over the face's usual one, and where hair grows.

A linear model in natural logarithms of sRGB at the Open Head's vertices: mean and modes, learned from portraits
and CC0 skins (`scripts/build_skin_model.py`; data and limits on `assets/skin_model.card.json`). Another head is reached
through the places of its vertices on the Open Head.
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
MODES = 8
NOISE = 0.15
"""How far one vertex of a photo may be off the model, in logarithms: beard, blush, make-up and what light is left."""
SAID_ONCE = 20
"""Neighbouring vertices that tell the same thing: how many count as one."""

FOREIGN, ROUNDS = 0.3, 3
"""Logarithm of a colour over the expected one at which it counts a quarter, and how often that is asked."""


@dataclass(frozen=True, eq=False)
class SkinModel:
    """Of a head's V vertices: `mean` (V, 3), `modes` (K, V, 3), logarithms over the usual colour; `hair` (V,) 0..1."""

    mean: Floats
    modes: Floats
    hair: Floats

    def fitted(self, colour: Floats, seen: Floats, usual: Floats) -> Floats:
        """(V, 3) sRGB 0..255: the likeliest skin of a person of whom `colour` (V, 3) was `seen` (V,), 0..1.

        The posterior mean with coefficients N(0, 1), what does not fit discounted (Geman-McClure). `usual` (3,): the
        person's own colour.
        """
        away = np.log(np.maximum(colour, 1.0)) - np.log(np.maximum(usual, 1.0)) - self.mean
        design = self.modes.reshape(len(self.modes), -1)
        answer = np.zeros_like(away)
        for _ in range(ROUNDS):
            like = 1.0 / (1.0 + (np.abs(away - answer).max(axis=1) / FOREIGN) ** 2) ** 2
            trust = np.repeat(seen * like / (SAID_ONCE * NOISE**2), 3)
            normal = (design * trust) @ design.T + np.eye(len(design))
            answer = np.tensordot(np.linalg.solve(normal, (design * trust) @ away.ravel()), self.modes, axes=1)
        return np.asarray(usual * np.exp(self.mean + answer))


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
