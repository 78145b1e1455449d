"""A photo and the head in it -> the head's look: joins the room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.head import Head
from inference_core.head.model import Floats
from inference_core.look.atlas import atlas_of
from inference_core.look.blend import best_of, blended
from inference_core.look.choice import LookKind
from inference_core.look.composition import compose
from inference_core.look.eyes import EyeColours, eye_colours, iris_degrees, paint_eyes
from inference_core.look.light import Light
from inference_core.look.mouth import paint_mouth
from inference_core.look.relief import SIZE as RELIEF_SIZE
from inference_core.look.relief import normals as normals_of
from inference_core.look.relief import roughness
from inference_core.look.scalp import grown, hair_of
from inference_core.look.skin_model import skin_model_of
from inference_core.look.study import Sitter, coverage, study_of
from inference_core.perception.normals import NormalEstimator

__all__ = ["SIZE", "Look", "Sitter", "paint"]

SIZE = 2048


@dataclass(frozen=True, eq=False)
class Look:
    """What a head's surface looks like."""

    kind: LookKind
    picture: NDArray[np.uint8]  # (size, size, 3) sRGB in the head's UV, row 0 is v = 1
    roughness: NDArray[np.uint8]  # (S, S) data, 255 is 1
    pores: NDArray[np.uint8]  # (S, S, 3) data: normals in tangent space, +Y along v
    light: Light
    cast: Floats  # (V, 3), natural logarithms of sRGB: shadows and highlights beyond `light` that were taken out
    strength: float  # how far the light was taken out, 0..1
    eyes: EyeColours
    iris_degrees: float
    coverage: float  # share of the face's texels that the photo showed
    mirrored: float  # share that the other side lent
    skin: Floats  # (3,) sRGB 0..255, the median of both cheeks


def paint(
    head: Head,
    sitters: Sequence[Sitter],
    normals: NormalEstimator,
    kind: LookKind,
    size: int = SIZE,
    strength: float = 1.0,
) -> Look:
    """The look of a head from photos of one person. Raises BadInput where all are too small or too dark for one."""
    strength = strength if kind == "albedo" else 0.0
    studies, failures = [], []
    for sitter in sitters:
        try:
            studies.append(study_of(head, sitter, normals, size, strength))
        except BadInput as error:
            failures.append(error)
    if not studies:
        raise failures[0]
    shots = [study.shot for study in studies]
    best = studies[best_of(shots)]
    shot = blended(shots)
    model = skin_model_of(head)
    skin = compose(shot, model)
    hair = hair_of(best.shot, best.sitter.photo.rgb, best.mask, model)
    painted_skin = skin.colour if hair is None else grown(hair, shot, skin.colour)
    eyes = eye_colours(best.sitter.photo, best.sitter.face)
    degrees = _iris(head, best.sitter, eyes)
    atlas = shot.part.atlas
    colour = np.zeros((len(atlas.texel), 3), np.float32)
    colour[shot.part.texels] = painted_skin
    for texels, painted in (paint_eyes(atlas, eyes, degrees), paint_mouth(atlas)):
        colour[texels] = painted
    picture = np.clip(atlas.picture(colour, best.cheek) + 0.5, 0, 255).astype(np.uint8)
    seen, mirrored = coverage(shot, shot.weight), coverage(shot, skin.mirrored)
    small = atlas_of(head, min(size, RELIEF_SIZE))
    rough, pores = roughness(small), normals_of(small, picture)
    return Look(kind, picture, rough, pores, best.light, best.cast, strength, eyes, degrees, seen, mirrored, best.cheek)


def _iris(head: Head, sitter: Sitter, eyes: EyeColours) -> float:
    ball = head.region("left_eyeball")
    across = float(np.ptp(sitter.vertices[ball, 0])) / 2
    middle = sitter.camera.to_camera(sitter.vertices[ball].mean(axis=0))
    return iris_degrees(eyes.radius_px, float(middle[2]), float(sitter.camera.intrinsics[0]), across)
