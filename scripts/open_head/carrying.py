"""What a laid head takes over from the face below it: mean, identity modes and expressions on the head's vertices."""

from __future__ import annotations

import numpy as np

from inference_core.head import vertex_normals
from inference_core.training.geometry import Surface

from .cut import Cut
from .laying import Laid
from .scans import Scans
from .source import Flags, Floats
from .spreading import Spreading

TOUCHING, ALIKE = 0.0015, 0.6  # m, and cosine: a vertex that lies on the face takes its values
HELD = 30.0
EAR_REACH, EAR_HELD = 0.008, 0.003  # ears follow loosely: where they are and how large, not how they are folded


def carry(cut: Cut, template: Floats, ears: Flags, hidden: Flags, laid: Laid) -> Scans:
    """Values at the closest place of the face where the head lies on it; everything else follows smoothly."""
    surface = Surface(laid.face.neutral, laid.face.triangles)
    corners, weights = surface.closest_corners(laid.vertices)
    on_face = (laid.face.neutral[corners] * weights[..., None]).sum(axis=1)
    away = np.linalg.norm(on_face - laid.vertices, axis=1)
    facing = (vertex_normals(laid.vertices, cut.triangles()) * surface.normals_at(corners, weights)).sum(axis=1)
    lies = cut.parts["skin"] & ~hidden & ~ears & ~laid.root & (away < TOUCHING) & (facing > ALIKE)
    held = np.where(lies, HELD, 0.0)
    held[ears & (away < EAR_REACH)] = EAR_HELD
    held[laid.curve] = HELD
    spreading = Spreading(cut, template)

    def carried(fields: Floats) -> Floats:
        at = np.einsum("kvcd,vc->vkd", fields[:, corners], weights)
        return np.ascontiguousarray(spreading(held, at).transpose(1, 0, 2))

    return Scans(
        mean=np.where(lies[:, None], on_face, laid.vertices),
        identity=carried(laid.face.identity),
        expressions=carried(laid.face.expressions),
        expression_names=laid.face.expression_names,
    )
