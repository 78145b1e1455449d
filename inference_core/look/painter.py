"""A photo and the head in it -> the head's look: joins the room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.head import Camera, Head, vertex_normals
from inference_core.head.model import Float32s, Floats
from inference_core.look.atlas import atlas_of
from inference_core.look.bare_skin import bare
from inference_core.look.blend import best_of, blended
from inference_core.look.choice import LookKind
from inference_core.look.colour import encoded, linear
from inference_core.look.composition import compose
from inference_core.look.eyes import EyeColours, eye_colours, iris_degrees, paint_eyes
from inference_core.look.light import Light, solve_light
from inference_core.look.mouth import paint_mouth
from inference_core.look.scalp import grown, hair_of
from inference_core.look.shot import Shot, View, shoot
from inference_core.look.skin_mask import SkinMask, skin_mask
from inference_core.look.skin_model import cheek_vertices, skin_model_of
from inference_core.perception.faces import Face
from inference_core.perception.image import Photo
from inference_core.perception.normals import NormalEstimator

SIZE = 2048
SMALLEST_FACE = 40.0
"""px between the eyes below which a photo holds no skin, only a few blurred pixels."""
DARKEST_SKIN = 14.0
"""Of 255: below it the skin is noise."""
LEAST_COVER = 0.08
"""Share of the face's skin that a photo must show."""


@dataclass(frozen=True, eq=False)
class Look:
    """What a head's surface looks like."""

    kind: LookKind
    picture: NDArray[np.uint8]  # (size, size, 3) sRGB in the head's UV, row 0 is v = 1
    light: Light
    strength: float  # how far the light was taken out, 0..1
    eyes: EyeColours
    iris_degrees: float
    coverage: float  # share of the face's texels that the photo showed
    mirrored: float  # share that the other side lent
    skin: Floats  # (3,) sRGB 0..255, the median of both cheeks


@dataclass(frozen=True, eq=False)
class Sitter:
    """One photo's face, explained: what the look needs of a reconstruction."""

    photo: Photo
    face: Face
    camera: Camera  # the photo's
    vertices: Floats  # (V, 3) posed, head space, m


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
            studies.append(_study(head, sitter, normals, size, strength))
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
    seen, mirrored = _coverage(shot, shot.weight), _coverage(shot, skin.mirrored)
    return Look(kind, picture, best.light, strength, eyes, degrees, seen, mirrored, best.cheek)


@dataclass(frozen=True, eq=False)
class _Study:
    """One photo's skin, its light taken out as far as asked for."""

    sitter: Sitter
    mask: SkinMask
    shot: Shot
    light: Light
    cheek: Floats  # (3,) sRGB, as photographed


def _study(head: Head, sitter: Sitter, normals: NormalEstimator, size: int, strength: float) -> _Study:
    """Raises BadInput where the photo holds no skin to speak of."""
    if sitter.face.eye_distance < SMALLEST_FACE:
        raise BadInput(
            f"The face is too small for its skin: {sitter.face.eye_distance:.0f} px between the eyes, "
            f"{SMALLEST_FACE:.0f} are needed; the head comes plain."
        )
    view = View(sitter.photo.rgb, sitter.camera, sitter.vertices, skin_mask(sitter.photo, sitter.face, normals))
    shot = shoot(atlas_of(head, size).part("skin", "lips"), view)
    if _coverage(shot, shot.weight) < LEAST_COVER:
        raise BadInput("Too little of the face's skin is to be seen for a texture; the head comes plain.")
    light, cheek = _light_of(shot, sitter.vertices)
    if cheek.max() < DARKEST_SKIN:
        raise BadInput("The photo is too dark for its skin; the head comes plain.")
    return _Study(sitter, view.mask, _delit(shot, sitter.vertices, light, strength, cheek), light, cheek)


def _light_of(shot: Shot, vertices: Floats) -> tuple[Light, Floats]:
    """The photo's light, and the cheeks' median colour as photographed, sRGB."""
    part, head = shot.part, shot.part.atlas.head
    mean, cover = part.gather(linear(shot.colour), shot.weight)
    plain = head.region("face").copy()
    for name in ("lips", "brows", "eyelids", "inner_mouth", "hidden"):
        plain &= ~head.region(name)
    normals = vertex_normals(vertices, head.triangles)
    chosen = plain & (cover > 0)
    cheeks = cheek_vertices(head)
    light = solve_light(mean[chosen], normals[chosen], cover[chosen], (cover * cheeks)[chosen])
    seen = shot.colour[part.interpolate(cheeks) * shot.weight > 0.5]
    return light, np.median(seen if len(seen) else shot.colour[shot.weight > 0.5], axis=0).astype(np.float64)


def _delit(shot: Shot, vertices: Floats, light: Light, strength: float, cheek: Floats) -> Shot:
    """The shot with the light taken out by `strength`, and without what is no skin by its colour."""
    shade = shot.part.interpolate(light.on(vertex_normals(vertices, shot.part.atlas.head.triangles)))
    whole = linear(shot.colour)
    weight = shot.weight * bare(shot, whole / shade, linear(cheek))
    colour = shot.colour if strength <= 0.0 else encoded(whole / shade ** np.float32(strength))
    return replace(shot, colour=colour, weight=weight)


def _coverage(shot: Shot, weight: Float32s) -> float:
    face = shot.part.interpolate(shot.part.atlas.head.region("face")) > 0.5
    return float(weight[face].mean())


def _iris(head: Head, sitter: Sitter, eyes: EyeColours) -> float:
    ball = head.region("left_eyeball")
    across = float(np.ptp(sitter.vertices[ball, 0])) / 2
    middle = sitter.camera.to_camera(sitter.vertices[ball].mean(axis=0))
    return iris_degrees(eyes.radius_px, float(middle[2]), float(sitter.camera.intrinsics[0]), across)
