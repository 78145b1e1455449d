"""One map of skin out of what was seen, what the other side shows, and what is continued.

Every colour is a smooth part, which the surface's membrane carries everywhere, and the detail that remains where the
skin was seen. Detail fades out at the edge of what was seen; the smooth part has no edge. So no seam can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Head
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.look.atlas import Atlas, Part, atlas_of
from inference_core.look.bare_skin import face_proper
from inference_core.look.grain import noise_at, strength_of
from inference_core.look.sampling import sample
from inference_core.look.scalp import Hair, grown
from inference_core.look.shot import Shot
from inference_core.look.skin_model import SkinModel
from inference_core.look.surface_fill import filled, surface_of

ASTRAY = 0.15
"""Logarithm of a colour over the likely one at which it counts a quarter, around the face."""
LASH = 0.72
"""Of the skin's usual brightness, sRGB: lids darker than that are not bare."""


@dataclass(frozen=True, eq=False)
class Base:
    """At the vertices: the smooth part of the skin's colour (V, 3) sRGB, and how far a shot is believed (V,) 0..1."""

    colour: Floats
    believed: Floats


@dataclass(frozen=True, eq=False)
class Skin:
    """Of all texels (M,) of the skin: colour (M, 3) sRGB everywhere, and how far it was seen, here or mirrored."""

    part: Part
    colour: NDArray[np.uint8]
    seen: Float32s  # (M,) 0..1 from the photo itself
    mirrored: Float32s  # (M,) 0..1 from the other side


def base_of(shot: Shot, model: SkinModel) -> Base:
    """The smooth skin of a shot, carried everywhere; what it does not say, `model` does."""
    head = shot.part.atlas.head
    mean, seen = shot.smooth()
    usual = usual_colour(mean, seen, head)
    seen = seen * ~lashes(mean, usual, head)
    likely = model.fitted(mean, seen, usual)
    over = mean / np.maximum(likely, 1.0)
    believed = trusted(over, head)
    return Base(likely * filled(surface_of(head), over, seen * believed, np.ones(3)), believed)


def compose(shot: Shot, base: Base, hair: Hair | None) -> Skin:
    """The whole skin: smooth, with the detail of a shot of some of its texels, mirrored where it lies on one side."""
    atlas = shot.part.atlas
    part, head = atlas.part("skin", "lips"), atlas.head
    detail = _detail(shot, base)
    texels = detail.reshape(-1, 4)
    pores = np.float32(strength_of(shot.part, detail))
    lends = _lending(shot)
    cover = np.zeros(head.vertex_count) if hair is None else hair.cover
    smooth, places = _smooth(atlas, np.column_stack([base.colour, cover])), _smooth(atlas, head.template)
    colour = np.empty((len(part.texels), 3), np.uint8)
    seen, mirrored = (np.zeros(len(part.texels), np.float32) for _ in range(2))

    def work(piece: slice, block: Part) -> None:
        own, at = texels[block.places], block.centres * np.float32(0.5)
        known, noise = sample(smooth, at), noise_at(sample(places, at))
        rest = 1.0 - own[:, 3:]
        whole, open_rest = known[:, :3] + own[:, :3], rest.copy()
        lent = np.flatnonzero((rest[:, 0] > 0) & lends[block.triangle])
        if len(lent):
            other = _other_side(Part(atlas, block.texels[lent]), detail) * rest[lent]
            whole[lent] += other[:, :3]
            open_rest[lent] -= other[:, 3:]
            mirrored[piece][lent] = other[:, 3]
        whole += open_rest * (pores * noise)
        if hair is not None:
            whole = grown(hair.colour, known[:, 3:] * rest, whole, noise)
        colour[piece] = np.clip(whole + 0.5, 0.0, 255.0)
        seen[piece] = own[:, 3]

    part.in_blocks(work)
    return Skin(part, colour, seen, mirrored)


def _smooth(atlas: Atlas, values: Floats | Float32s) -> Float32s:
    """Smooth vertex values (V, C) as a picture (size / 2, size / 2, C), a little beyond the islands' borders."""
    half = atlas_of(atlas.head, atlas.size // 2)
    wide = half.rimmed.part("skin", "lips")
    picture = np.zeros((half.size * half.size, values.shape[1]), np.float32)
    picture[wide.places] = wide.interpolate(values)
    return picture.reshape(half.size, half.size, -1)


def _lending(shot: Shot) -> Mask:
    """(T,): triangles of whose other side a shot may hold something."""
    head = shot.part.atlas.head
    held = np.zeros(head.vertex_count, np.bool_)
    shown = np.zeros(len(head.triangles), np.bool_)
    shown[shot.part.triangle] = True
    held[head.triangles[shown]] = True
    mirror = surface_of(head).mirror
    return np.asarray((held[mirror] & (mirror >= 0))[head.triangles].any(axis=1))


def _detail(shot: Shot, base: Base) -> Float32s:
    """(size, size, 4): what the shot's texels have over the smooth skin, times how far they count; and that, 0..1."""
    size = shot.part.atlas.size
    picture = np.zeros((size * size, 4), np.float32)

    def work(piece: slice, block: Part) -> None:
        weight = shot.weight[piece] * block.interpolate(base.believed)
        picture[block.places, :3] = (shot.colour[piece] - block.interpolate(base.colour)) * weight[:, None]
        picture[block.places, 3] = weight

    shot.part.in_blocks(work)
    return picture.reshape(size, size, 4)


def trusted(over: Floats, head: Head) -> Floats:
    """(V,) 0..1: how far colours `over` (V, 3) the likely skin's may run on over what nobody saw.

    Within the face all of it; around it what is far off is a shadow of hair, or the outline's, which would become a
    bruise a hand's breadth wide (Geman-McClure).
    """
    away = np.abs(np.log(np.maximum(over, 1e-2))).max(axis=1) / ASTRAY
    return np.maximum(1.0 / (1.0 + away**2) ** 2, face_proper(head))


def lashes(mean: Floats, usual: Floats, head: Head) -> Mask:
    """(V,): where the lids are dark. It is lash and liner, which must not run on over the lid that a blink shows."""
    return np.asarray((head.region("eyelids") | head.region("eyes")) & (mean.mean(axis=1) < LASH * usual.mean()))


def usual_colour(mean: Floats, seen: Floats, head: Head) -> Floats:
    """(3,): the median of the face's skin that was seen; `seen` (V,) 0..1."""
    face = head.region("face") & ~head.region("lips") & ~head.region("brows") & ~head.region("eyelids")
    chosen = face & (seen > 0.5)
    return np.asarray(np.median(mean[chosen if chosen.any() else face], axis=0))


def _other_side(block: Part, detail: Float32s) -> Float32s:
    """(M, 4): `detail` (size, size, 4) at the mirrored place of every texel; 0 where there is none."""
    places = block.mirrored
    found = sample(detail, np.nan_to_num(places, nan=-1.0))
    found[np.isnan(places[:, 0])] = 0.0
    return found
