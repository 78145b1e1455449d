"""Cropped hair painted on the scalp, where it grows and the photo shows it: under strands a scalp is no forehead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference_core.head.model import Float32s, Floats
from inference_core.look.atlas import Part
from inference_core.look.sampling import sample
from inference_core.look.shot import View, sight_of
from inference_core.look.skin_model import SkinModel
from inference_core.look.surface_fill import membrane, smoothed, surface_of
from inference_core.perception.crop import cut

SURE = 0.8
"""Probability of hair from which a pixel tells its colour."""
ENOUGH = 300
"""Pixels of the mask's square below which a photo shows no hair."""
BARE, FULL = 0.25, 0.70
"""Share of hair below which a place is bald, and above which it is hidden."""
GROWS = 0.5
"""Of the model's hair: places where hair is looked for."""
THICK = 0.80
"""How far full hair hides the scalp."""
SOFT = 6
"""Rounds of averaging along the surface: a hairline is some 2 cm of ever fewer hairs."""
THIN, DENSE = 0.15, 0.85
"""Share of hair at which the first and the last of the scalp is hidden."""
ROOTS, STUBBLE = 0.10, 0.05
"""How much the hairline's place, and the hair's brightness, vary from pore to pore."""


@dataclass(frozen=True, eq=False)
class Hair:
    """`colour` (3,) sRGB 0..255 as photographed; `cover` (V,) 0..1, how thickly it grows."""

    colour: Floats
    cover: Floats


def hair_of(part: Part, view: View, model: SkinModel) -> Hair | None:
    """The hair of a view's picture, looked for at the texels of a part; None where none is to be seen."""
    mask = view.mask
    chosen = cut(view.rgb, mask.frame)[mask.hair * mask.known > SURE]
    if len(chosen) < ENOUGH:
        return None
    sight = sight_of(part, view)
    told = sample(mask.known, sight.cropped) * sight.shown * (part.interpolate(model.hair) > GROWS)
    shown, seen = part.gather(sample(mask.hair, sight.cropped)[:, None], told)
    if seen.sum() <= 0:
        return None
    trust = np.clip(seen / np.maximum(part.held, 1e-9), 0.0, 1.0)
    # What is behind is as what is seen: bald heads show skin from the front, full ones hair.
    shown = np.clip((shown - BARE) / (FULL - BARE), 0.0, 1.0)
    share = np.array([float((shown[:, 0] * seen).sum() / seen.sum())])
    grown = membrane(surface_of(part.atlas.head), shown, trust, share)[:, 0]
    cover = smoothed(surface_of(part.atlas.head), (np.clip(grown, 0.0, 1.0) * model.hair)[:, None], SOFT)[:, 0]
    return Hair(np.median(chosen, axis=0).astype(np.float64), np.clip(cover, 0.0, 1.0))


def grown(colour: Floats, cover: Float32s, skin: Float32s, noise: Float32s) -> Float32s:
    """Skin (M, 3) sRGB 0..255 under hair of a colour (3,) that covers `cover` (M, 1) 0..1 of it.

    `noise` (M, 1): `grain.noise_of` its texels.
    """
    along = np.clip((cover * (1.0 + ROOTS * noise) - THIN) / (DENSE - THIN), 0.0, 1.0)
    thick = np.float32(THICK) * along * along * (3 - 2 * along)
    hair = colour.astype(np.float32) * (1.0 + np.float32(STUBBLE) * noise)
    return np.asarray(skin + thick * (hair - skin), dtype=np.float32)
