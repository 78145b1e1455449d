"""One map of skin out of what was seen, what the other side shows, and what is continued.

Every colour is a smooth part, which the surface's membrane carries everywhere, and the detail that remains where the
skin was seen. Detail fades out at the edge of what was seen; the smooth part has no edge. So no seam can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference_core.head import Head
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.look.grain import grain_of
from inference_core.look.sampling import sample
from inference_core.look.shot import Shot
from inference_core.look.surface_fill import filled, surface_of

LASH = 0.72
"""Of the skin's usual brightness, sRGB: lids darker than that are not bare."""


@dataclass(frozen=True, eq=False)
class Skin:
    """Of the texels (M,) of `shot`: colour (M, 3) sRGB 0..255 everywhere, and how far it was seen, here or mirrored."""

    colour: Float32s
    seen: Float32s  # (M,) 0..1 from the photo itself
    mirrored: Float32s  # (M,) 0..1 from the other side


def compose(shot: Shot) -> Skin:
    """Fills the skin from one shot."""
    part, head = shot.part, shot.part.atlas.head
    mean, seen = shot.smooth()
    usual = usual_colour(mean, seen, head)
    smooth = filled(surface_of(head), mean, seen * ~lashes(mean, usual, head), usual)
    base = part.interpolate(smooth)
    detail = (shot.colour - base) * shot.weight[:, None]
    other, other_weight = _other_side(shot, detail)
    rest = 1.0 - shot.weight
    mirrored = rest * other_weight
    grain = grain_of(shot, base)
    colour = base + detail + rest[:, None] * other + (rest - mirrored)[:, None] * grain
    return Skin(np.clip(colour, 0.0, 255.0), shot.weight, mirrored)


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
