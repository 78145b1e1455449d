"""One map of skin out of what was seen, what the other side shows, and what is continued.

Every colour is a smooth part, which the surface's membrane carries everywhere, and the detail that remains where the
skin was seen. Detail fades out at the edge of what was seen; the smooth part has no edge. So no seam can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inference_core.head import Head
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.look.bare_skin import face_proper
from inference_core.look.grain import grain_of
from inference_core.look.sampling import sample
from inference_core.look.shot import Shot
from inference_core.look.skin_model import SkinModel
from inference_core.look.surface_fill import filled, surface_of

ASTRAY = 0.15
"""Logarithm of a colour over the likely one at which it counts a quarter, around the face."""
LASH = 0.72
"""Of the skin's usual brightness, sRGB: lids darker than that are not bare."""


@dataclass(frozen=True, eq=False)
class Skin:
    """Of the texels (M,) of `shot`: colour (M, 3) sRGB 0..255 everywhere, and how far it was seen, here or mirrored."""

    colour: Float32s
    seen: Float32s  # (M,) 0..1 from the photo itself
    mirrored: Float32s  # (M,) 0..1 from the other side


def compose(shot: Shot, model: SkinModel) -> Skin:
    """Fills the skin from one shot; what it does not say, `model` does."""
    part, head = shot.part, shot.part.atlas.head
    mean, seen = shot.smooth()
    usual = usual_colour(mean, seen, head)
    seen = seen * ~lashes(mean, usual, head)
    likely = model.fitted(mean, seen, usual)
    over = mean / np.maximum(likely, 1.0)
    believed = trusted(over, head)
    base = part.interpolate(likely * filled(surface_of(head), over, seen * believed, np.ones(3)))
    shot = replace(shot, weight=shot.weight * part.interpolate(believed))
    detail = (shot.colour - base) * shot.weight[:, None]
    other, other_weight = _other_side(shot, detail)
    rest = 1.0 - shot.weight
    mirrored = rest * other_weight
    grain = grain_of(shot, base)
    colour = base + detail + rest[:, None] * other + (rest - mirrored)[:, None] * grain
    return Skin(np.clip(colour, 0.0, 255.0), shot.weight, mirrored)


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


def _other_side(shot: Shot, detail: Float32s) -> tuple[Float32s, Float32s]:
    """Detail (M, 3), times its weight, and weight (M,) of the mirrored place of every texel."""
    size, places = shot.part.atlas.size, shot.part.mirrored
    picture = np.zeros((size * size, 4), np.float32)
    picture[shot.part.places] = np.column_stack([detail, shot.weight])
    found = sample(picture.reshape(size, size, 4), np.nan_to_num(places, nan=-1.0))
    found[np.isnan(places[:, 0])] = 0.0
    return found[:, :3], found[:, 3]
