"""The look as files beside a take: its pictures, and `look.json`, which says what it is and which head it fits."""

from __future__ import annotations

import json

import numpy as np

from inference_core.head import Head
from inference_core.look.names import PORES, ROUGHNESS, TEXTURE
from inference_core.look.painter import Look

VERSION = 2  # 1: painted before the head's UV was laid out anew


def description(head: Head, look: Look) -> str:
    """What look.json holds. Colours are sRGB 0..255; docs/architecture.md explains each key."""
    values = {
        "format": "n2f-look",
        "version": VERSION,
        "head_id": head.head_id,
        "head_sha256": head.sha256,
        "texture": TEXTURE,
        "roughness": ROUGHNESS,
        "normal": PORES,
        "size": len(look.picture),
        "kind": look.kind,
        "strength": look.strength,
        "coverage": round(look.coverage, 3),
        "mirrored": round(look.mirrored, 3),
        "skin": np.round(look.skin, 1).tolist(),
        "iris": {
            "colour": np.round(look.eyes.iris, 1).tolist(),
            "white": np.round(look.eyes.white, 1).tolist(),
            "radius_degrees": round(look.iris_degrees, 2),
            "from_photo": look.eyes.found,
        },
        "light": {
            "frame": "head",
            "basis": "real spherical harmonics: 1, y, z, x, xy, yz, 3z2-1, xz, x2-y2",
            "coefficients": np.round(look.light.coefficients, 5).tolist(),
        },
    }
    return json.dumps(values, indent=2, ensure_ascii=False)
