"""Eyelid directions: at 1 a lid is closed onto the eyeball. Made from MakeHuman's eyeBlink, corrected against our round ball."""

from __future__ import annotations

import numpy as np

from .cut import Cut
from .expressions import face_unit
from .identity import mirrored
from .source import Floats, Source


def eyelid_directions(source: Source, cut: Cut) -> Floats:
    """(V,3,2) m, left and right."""
    left = face_unit(source, cut, "eyeBlinkLeft")
    return np.stack([left, mirrored(left, cut.mirror)], axis=-1)
