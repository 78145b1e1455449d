# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mouth shapes of speech as sums of ARKit's: Oculus' fifteen visemes, VRM's five vowels and moods. No bpy.

The shares are ours, set by the phonetic description of each sound (lip rounding, jaw, teeth on lip) and by eye.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..formats.figure import Figure, Stance

Recipe = Mapping[str, float]


def _both(name: str, value: float) -> dict[str, float]:
    return {f"{name}Left": value, f"{name}Right": value}


OCULUS: Mapping[str, Recipe] = {
    "viseme_sil": {},
    "viseme_PP": {"mouthPucker": 0.15, **_both("mouthPress", 0.7), "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
    "viseme_FF": {"jawOpen": 0.08, "mouthRollLower": 0.6, **_both("mouthUpperUp", 0.35)},
    "viseme_TH": {"jawOpen": 0.18, "tongueOut": 0.3, **_both("mouthUpperUp", 0.15)},
    "viseme_DD": {"jawOpen": 0.15, **_both("mouthStretch", 0.2), **_both("mouthLowerDown", 0.2)},
    "viseme_kk": {"jawOpen": 0.2, **_both("mouthStretch", 0.15), **_both("mouthUpperUp", 0.15)},
    "viseme_CH": {"jawOpen": 0.1, "mouthFunnel": 0.6, "mouthPucker": 0.2},
    "viseme_SS": {"jawOpen": 0.05, **_both("mouthStretch", 0.4), **_both("mouthLowerDown", 0.2)},
    "viseme_nn": {"jawOpen": 0.15, **_both("mouthLowerDown", 0.15)},
    "viseme_RR": {"jawOpen": 0.15, "mouthFunnel": 0.4},
    "viseme_aa": {"jawOpen": 0.55, **_both("mouthLowerDown", 0.2)},
    "viseme_E": {"jawOpen": 0.3, **_both("mouthStretch", 0.35), **_both("mouthUpperUp", 0.15)},
    "viseme_I": {"jawOpen": 0.15, **_both("mouthSmile", 0.3), **_both("mouthStretch", 0.3)},
    "viseme_O": {"jawOpen": 0.4, "mouthFunnel": 0.6},
    "viseme_U": {"jawOpen": 0.15, "mouthPucker": 0.75},
}
VRM: Mapping[str, Recipe] = {
    "happy": {**_both("mouthSmile", 0.8), **_both("cheekSquint", 0.6), **_both("eyeSquint", 0.3)},
    "angry": {**_both("browDown", 0.9), **_both("noseSneer", 0.4), **_both("mouthPress", 0.5)},
    "sad": {"browInnerUp": 0.8, **_both("mouthFrown", 0.7), "mouthShrugLower": 0.3},
    "relaxed": {**_both("mouthSmile", 0.3), **_both("eyeBlink", 0.3)},
    "surprised": {"browInnerUp": 0.8, **_both("browOuterUp", 0.8), **_both("eyeWide", 0.8), "jawOpen": 0.35},
    "aa": OCULUS["viseme_aa"],
    "ih": OCULUS["viseme_I"],
    "ou": OCULUS["viseme_U"],
    "ee": OCULUS["viseme_E"],
    "oh": OCULUS["viseme_O"],
    "blink": _both("eyeBlink", 1.0),
    "blinkLeft": {"eyeBlinkLeft": 1.0},
    "blinkRight": {"eyeBlinkRight": 1.0},
    "lookUp": _both("eyeLookUp", 1.0),
    "lookDown": _both("eyeLookDown", 1.0),
    "lookLeft": {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},
    "lookRight": {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0},
    "neutral": {},
}


def with_visemes(figure: Figure) -> Figure:
    """The fifteen behind the figure's own shapes; nothing plays them."""
    made = np.stack([_sum(figure, recipe) for recipe in OCULUS.values()])
    count = len(OCULUS)
    stance = Stance(np.pad(figure.stance.values, (0, count)), figure.stance.turns, figure.stance.place)
    clip = figure.clip and replace(figure.clip, values=np.pad(figure.clip.values, ((0, 0), (0, count))))
    names = (*figure.shape_names, *OCULUS)
    return replace(figure, shape_names=names, shapes=np.concatenate([figure.shapes, made]), stance=stance, clip=clip)


def _sum(figure: Figure, recipe: Recipe) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    total = np.zeros_like(figure.vertices, np.float32)
    for name, share in recipe.items():
        total += np.float32(share) * figure.shapes[figure.shape_names.index(name)]
    return total
