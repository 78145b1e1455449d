"""A photo and the head in it -> the head's look: joins the room."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.formats.options import LookKind
from inference_core.head import Head
from inference_core.head.model import Floats
from inference_core.look.atlas import Atlas, Part, atlas_of
from inference_core.look.blend import best_of, blended, differences
from inference_core.look.composition import base_of, compose
from inference_core.look.eyes import EyeColours, eye_colours, iris_degrees, paint_eyes
from inference_core.look.light import Light
from inference_core.look.mouth import paint_mouth, tooth_colour
from inference_core.look.relief import SIZE as RELIEF_SIZE
from inference_core.look.relief import normals as normals_of
from inference_core.look.relief import roughness
from inference_core.look.scalp import hair_of
from inference_core.look.shot import Shot
from inference_core.look.skin_model import skin_model_of
from inference_core.look.study import Sitter, Study, coverage, study_of
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
    """The look of a head from photos of one person.

    Raises:
        BadInput: where all are too small or too dark for one.
    """
    strength = strength if kind == "albedo" else 0.0
    # The texture's tables take as long as a look at the photo, and need nothing of it.
    with ThreadPoolExecutor(1) as aside:
        tables = aside.submit(_tables, head, size)
        studies = _studies(head, sitters, normals, strength)
        atlas, small, rough = tables.result()
    shots = [study.shot for study in studies]
    best = studies[best_of(shots)]
    model = skin_model_of(head)
    difference = differences(shots)
    base = base_of(blended(shots, difference), model)
    hair = hair_of(best.shot.part, best.view, model)
    skin = compose(_developed(studies, difference, atlas), base, hair)
    eyes = eye_colours(best.sitter.photo, best.sitter.face)
    degrees = _iris(head, best.sitter, eyes)
    teeth = tooth_colour(best.sitter.photo, best.sitter.face)
    colour = np.zeros((len(atlas.texel), 3), np.uint8)
    colour[skin.part.texels] = skin.colour
    for texels, painted in (paint_eyes(atlas, eyes, degrees), paint_mouth(atlas, teeth)):
        colour[texels] = np.clip(painted + 0.5, 0.0, 255.0)
    picture = atlas.picture(colour, best.cheek)
    seen, mirrored = coverage(skin.part, skin.seen), coverage(skin.part, skin.mirrored)
    pores = normals_of(small, picture)
    return Look(kind, picture, rough, pores, best.light, best.cast, strength, eyes, degrees, seen, mirrored, best.cheek)


def _tables(head: Head, size: int) -> tuple[Atlas, Atlas, NDArray[np.uint8]]:
    """The atlas of the texture, that of its relief, and the roughness: what is the same for all photos."""
    small = atlas_of(head, min(size, RELIEF_SIZE))
    return atlas_of(head, size), small, roughness(small)


def _studies(head: Head, sitters: Sequence[Sitter], normals: NormalEstimator, strength: float) -> list[Study]:
    """Of the photos that hold skin.

    Raises:
        BadInput: where none does.
    """
    studies: list[Study] = []
    failures: list[BadInput] = []
    for sitter in sitters:
        try:
            studies.append(study_of(head, sitter, normals, strength))
        except BadInput as error:
            failures.append(error)
    if not studies:
        raise failures[0]
    return studies


def _developed(studies: Sequence[Study], difference: Sequence[Floats], atlas: Atlas) -> Shot:
    """The texels that any of the photos shows, as one shot."""
    head = atlas.head
    shown = np.zeros(head.vertex_count, np.bool_)
    for study in studies:
        shown |= study.shot.part.gather(study.shot.colour[:, :1], study.shot.weight)[1] > 0
    part = atlas.part("skin", "lips").about(shown)
    count = len(part.texels)
    whole = Shot(part, np.empty((count, 3), np.float32), np.empty(count, np.float32), np.empty(count, np.float32))

    def work(piece: slice, block: Part) -> None:
        one = blended([study.developed(block) for study in studies], difference)
        whole.colour[piece], whole.weight[piece], whole.sharpness[piece] = one.colour, one.weight, one.sharpness

    part.in_blocks(work)
    return whole


def _iris(head: Head, sitter: Sitter, eyes: EyeColours) -> float:
    ball = head.region("left_eyeball")
    across = float(np.ptp(sitter.vertices[ball, 0])) / 2
    middle = sitter.camera.to_camera(sitter.vertices[ball].mean(axis=0))
    return iris_degrees(eyes.radius_px, float(middle[2]), float(sitter.camera.intrinsics[0]), across)
