"""Correctives for two motions that break together; how they count is told in inference_core/head/combinations.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .correctives import JAW, LEFT_EYE, LOOK_DEGREES, RIGHT_EYE, TONGUE_DROP
from .cut import Cut
from .expressions import EXPRESSIONS
from .jaw import OPEN
from .lids import SPREAD, behind_lids, lid_rings
from .skinning import about_x, smooth_step
from .source import Floats, Ints

TONGUE_ANGLE = 0.2  # rad: from there on the jaw leaves room for the whole tongue
ROOM = 0.001  # m between the tongue that is out and the lower teeth
DROPPED = 0.6  # of the tongue's drop into an open jaw, at the openings in which tongues are shown
LIDS = len(EXPRESSIONS)  # of the motion: expressions, lids, elements of R - I
TURNS = LIDS + 2
SINE = 7  # [2,1] of R - I, the sine of a turn about x
COMPLETED = {"mouthClose": OPEN, "tongueOut": TONGUE_ANGLE}  # what needs an open jaw, and how far, rad


@dataclass(frozen=True)
class Combined:
    """names (C,2), columns (C,2), scales (C,2), dirs (V,3,C) m."""

    names: list[tuple[str, str]]
    columns: Ints
    scales: Floats
    dirs: Floats


def combine(cut: Cut, template: Floats, expressions: Floats, pose: Floats) -> Combined:
    """What mouthClose and tongueOut do with the jaw open only, and what squint, wide eyes and gaze do to closed lids.

    expressions (V,3,E) with both of them whole; pose (V,3,36).
    """
    names, columns, scales, dirs = [], [], [], []
    for name, angle in COMPLETED.items():
        names.append((name, "jawOpen"))
        columns.append((EXPRESSIONS.index(name), TURNS + JAW + SINE))
        scales.append((1.0, 1.0 / np.sin(angle)))
        dirs.append(expressions[:, :, EXPRESSIONS.index(name)])
    dirs[1] = _over_the_lip(dirs[1], cut, template)
    on_left = _lid_share(cut, template)
    for lid, (side, eye) in enumerate((("Left", LEFT_EYE), ("Right", RIGHT_EYE))):
        share = (on_left if lid == 0 else on_left[cut.mirror])[:, None]
        for name in ("eyeSquint", "eyeWide"):
            column = EXPRESSIONS.index(name + side)
            names.append((f"eyeBlink{side}", name + side))
            columns.append((LIDS + lid, column))
            scales.append((1.0, 1.0))
            dirs.append(-share * expressions[:, :, column])
        for way, sign in (("Down", 1.0), ("Up", -1.0)):
            turn = about_x(sign * np.radians(LOOK_DEGREES[way]))
            names.append((f"eyeBlink{side}", f"eyeLook{way}{side}"))
            columns.append((LIDS + lid, TURNS + eye + SINE))
            scales.append((1.0, 1.0 / turn[2, 1]))
            dirs.append(-share * (pose[:, :, eye : eye + 9] @ (turn - np.eye(3)).ravel()))
    return Combined(names, np.array(columns, np.int32), np.array(scales), np.stack(dirs, axis=-1))


def _over_the_lip(offset: Floats, cut: Cut, template: Floats) -> Floats:
    """(V,3) m: the tongue's way out, lifted over the lower teeth and lip, which it met from below.

    Teeth, lip and tongue turn with the same jaw, so that where they touch is decided at rest. The tongue's drop into an
    open jaw is taken back there.
    """
    tongue, teeth = cut.parts["tongue"], cut.parts["lower_teeth"]
    out = template + offset
    front, back = template[teeth, 2].max(), template[tongue, 2].mean()
    before = tongue & (out[:, 2] > front)
    lift = template[teeth, 1].max() + ROOM - out[before, 1].min() - DROPPED * TONGUE_DROP[1]
    result = offset.copy()
    result[tongue, 1] += lift * smooth_step((out[tongue, 2] - back) / (front - back))
    return result


def _lid_share(cut: Cut, template: Floats) -> Floats:
    """(V,) 1 on the left lids' margins, which are where the blink has brought them, fading over the lids."""
    share = np.zeros(cut.count)
    rings = lid_rings(template, cut)
    for ring, much in zip(rings, SPREAD, strict=True):
        share[ring] = much
    share[behind_lids(template, cut) & (template[:, 0] > 0)] = 1.0
    return share
