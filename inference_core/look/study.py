"""One photo's skin: which of its pixels lie on the head, and what colour they have once the photo's light is out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from inference_core.errors import BadInput
from inference_core.head import Camera, Head
from inference_core.head.model import Float32s, Floats
from inference_core.look.atlas import Part, atlas_of
from inference_core.look.bare_skin import bare
from inference_core.look.colour import encoded, linear
from inference_core.look.composition import trusted, usual_colour
from inference_core.look.leftover import leftover
from inference_core.look.light import Light, solve_light
from inference_core.look.shine import without_shine
from inference_core.look.shot import Shot, View, shoot
from inference_core.look.skin_mask import skin_mask
from inference_core.look.skin_model import cheek_vertices, skin_model_of
from inference_core.look.transfer import transfer
from inference_core.perception.faces import Face
from inference_core.perception.image import Photo
from inference_core.perception.normals import NormalEstimator

SMALLEST_FACE = 40.0
"""px between the eyes below which a photo holds no skin, only a few blurred pixels."""
DARKEST_SKIN = 14.0
"""Of 255: below it the skin is noise."""
STUDY_SIZE = 512
"""px of the atlas in which light and shadows are found: some thirty texels a vertex."""
LEAST_COVER = 0.08
"""Share of the face's skin that a photo must show."""


@dataclass(frozen=True, eq=False)
class Sitter:
    """One photo's face, explained: what the look needs of a reconstruction."""

    photo: Photo
    face: Face
    camera: Camera  # the photo's
    vertices: Floats  # (V, 3) posed, head space, m


@dataclass(frozen=True, eq=False)
class Study:
    """One photo's skin, its light known: what takes it out of every texel is known at the vertices.

    `shot` is coarse, of STUDY_SIZE; it shows skin alone, its light taken out by `strength`.
    """

    sitter: Sitter
    view: View
    strength: float
    shot: Shot
    light: Light
    lit: Float32s  # (V, 3), linear: what it brings to each vertex
    mean: Floats  # (V, 3) sRGB: the skin before cast shadows were taken out
    cast: Floats  # (V, 3), natural logarithms of sRGB: cast shadows and highlights that were taken out
    cheek: Floats  # (3,) sRGB, as photographed

    def developed(self, part: Part) -> Shot:
        """The texels of a part as the photo shows them, its light taken out."""
        shot = _bare(shoot(part, self.view), self.lit, self.strength, self.cheek)
        return _even(shot, self.mean, self.cast, self.strength)


def study_of(head: Head, sitter: Sitter, normals: NormalEstimator, strength: float) -> Study:
    """A photo's skin without its light, by `strength`.

    Raises:
        BadInput: where the photo holds no skin to speak of.
    """
    study = seen_skin(head, sitter, normals, STUDY_SIZE, strength)
    cast = _cast(study, head)
    return replace(study, shot=_even(study.shot, study.mean, cast, strength), cast=cast)


def seen_skin(head: Head, sitter: Sitter, normals: NormalEstimator, size: int, strength: float) -> Study:
    """The same with what harmonics say of the light taken out alone: what the statistical skin is learned from.

    Raises:
        BadInput: where the photo holds no skin to speak of.
    """
    if sitter.face.eye_distance < SMALLEST_FACE:
        raise BadInput(
            f"The face is too small for its skin: {sitter.face.eye_distance:.0f} px between the eyes, "
            f"{SMALLEST_FACE:.0f} are needed; the head comes plain."
        )
    with ThreadPoolExecutor(1) as aside:  # the network lets go of Python's lock
        transferred = aside.submit(transfer, head, sitter.vertices)
        mask = skin_mask(sitter.photo, sitter.face, normals)
        received = transferred.result()
    view = View(head, sitter.photo.rgb, sitter.camera, sitter.vertices, mask)
    shot = shoot(atlas_of(head, size).part("skin", "lips"), view)
    if coverage(shot.part, shot.weight) < LEAST_COVER:
        raise BadInput("Too little of the face's skin is to be seen for a texture; the head comes plain.")
    light, cheek = _light_of(shot, received)
    if cheek.max() < DARKEST_SKIN:
        raise BadInput("The photo is too dark for its skin; the head comes plain.")
    lit = light.through(received)
    shot = _bare(shot, lit, strength, cheek)
    mean, _ = shot.smooth()
    return Study(sitter, view, strength, shot, light, lit, mean, np.zeros_like(mean), cheek)


def _light_of(shot: Shot, received: Floats) -> tuple[Light, Floats]:
    """The photo's light, and the cheeks' median colour as photographed, sRGB. `received`: (V, 9)."""
    part, head = shot.part, shot.part.atlas.head
    mean, cover = part.gather(linear(shot.colour), shot.weight)
    plain = head.region("face").copy()
    for name in ("lips", "brows", "eyelids", "inner_mouth", "hidden"):
        plain &= ~head.region(name)
    chosen = plain & (cover > 0)
    light = solve_light(mean[chosen], received[chosen], cover[chosen])
    seen = shot.colour[part.interpolate(cheek_vertices(head)) * shot.weight > 0.5]
    return light, np.median(seen if len(seen) else shot.colour[shot.weight > 0.5], axis=0).astype(np.float64)


def _bare(shot: Shot, lit: Float32s, strength: float, cheek: Floats) -> Shot:
    """The shot with the light `lit` (V, 3) taken out by `strength`, and without what is no skin by its colour."""
    shade = shot.part.interpolate(lit)
    whole = linear(shot.colour)
    weight = shot.weight * bare(shot, whole / shade, linear(cheek))
    colour = shot.colour if strength <= 0.0 else encoded(whole / shade ** np.float32(strength))
    return replace(shot, colour=colour, weight=weight)


def _cast(study: Study, head: Head) -> Floats:
    """(V, 3), natural logarithms: cast shadows and highlights to be taken out of a study's shot."""
    if study.strength <= 0.0:
        return study.cast
    mean, seen = study.shot.smooth()
    likely = skin_model_of(head).fitted(mean, seen, usual_colour(mean, seen, head))
    over = np.log(np.maximum(mean, 1.0)) - np.log(np.maximum(likely, 1.0))
    return study.strength * leftover(head, over, seen * trusted(np.exp(over), head), study.lit)


def _even(shot: Shot, mean: Floats, cast: Floats, strength: float) -> Shot:
    """The shot without `cast` (V, 3) and without small highlights over the skin `mean` (V, 3), by `strength`."""
    if strength <= 0.0:
        return shot
    colour = without_shine(shot, shot.part.interpolate(mean), strength) * np.exp(-shot.part.interpolate(cast))
    return replace(shot, colour=np.clip(colour, 0.0, 255.0))


def coverage(part: Part, weight: Float32s) -> float:
    """Share of the face's texels of a part that `weight` (M,) counts."""
    head = part.atlas.head
    face = head.region("face")[head.triangles].all(axis=1)
    return float(weight[face[part.triangle]].mean())
