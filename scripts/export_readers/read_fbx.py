# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""What ufbx finds in an FBX: axes, unit, and how much of what. No Blender, no N2F.

PYTHON read_fbx.py FILE.fbx      PYTHON has ufbx; prints JSON
"""

from __future__ import annotations

import gc
import json
import os
import sys

import ufbx


def read(scene: ufbx.Scene) -> dict[str, object]:
    """Numbers. Surfaces are three.js's to read: ufbx 0.0.5 crashes on vectors in Python."""
    return {
        "axes": [axis(getattr(scene.settings.axes, way)) for way in ("right", "up", "front")],
        "unit_metres": scene.settings.unit_meters,
        "lod_groups": len(scene.lod_groups),
        "meshes": len(scene.meshes),
        "shapes": len({shape.name for shape in scene.blend_shapes}),  # of all levels and the hair
        "bones": len(scene.bones),
        "pictures": len(scene.videos),
    }


def axis(value: ufbx.CoordinateAxis) -> str:
    """As +X."""
    sign, letter = value.name.split("_")[-2:]
    return f"{'+' if sign == 'POSITIVE' else '-'}{letter}"


if __name__ == "__main__":
    gc.disable()
    scene = ufbx.load_file(sys.argv[1])
    print(json.dumps(read(scene)), flush=True)
    os._exit(0)  # ufbx 0.0.5 crashes where Python takes a scene apart
