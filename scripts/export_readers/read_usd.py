# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""What Pixar's usd-core makes of a file: the surface skinned by UsdSkel itself, its blend shapes. No Blender, no N2F.

PYTHON read_usd.py FILE.usdc OUT.npz SECONDS,SECONDS,...      PYTHON has usd-core and numpy
"""

from __future__ import annotations

import json
import sys

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Usd, UsdGeom, UsdShade, UsdSkel


def read(path: str, seconds: list[float]) -> dict[str, NDArray[np.generic]]:
    """Y up, metres: frames (F, V, 3), shapes (K, V, 3), names (K,), said (JSON)."""
    stage = Usd.Stage.Open(path)
    unit = UsdGeom.GetStageMetersPerUnit(stage)
    upright = np.eye(3) if UsdGeom.GetStageUpAxis(stage) == "Y" else np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float)
    prims = [prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh) and "Hair" not in str(prim.GetPath())]
    mesh = UsdGeom.Mesh(max(prims, key=lambda prim: len(UsdGeom.Mesh(prim).GetPointsAttr().Get(0) or ())))
    rest = np.array(mesh.GetPointsAttr().Get(0))
    binding = UsdSkel.BindingAPI(mesh.GetPrim())
    names, shapes = list(binding.GetBlendShapesAttr().Get() or ()), []
    for target in binding.GetBlendShapeTargetsRel().GetTargets():
        shape = UsdSkel.BlendShape(stage.GetPrimAtPath(target))
        moved, rows = np.zeros_like(rest), shape.GetPointIndicesAttr().Get()
        moved[np.array(rows) if rows else slice(None)] = np.array(shape.GetOffsetsAttr().Get())
        shapes.append(unit * moved @ upright)
    rate = stage.GetTimeCodesPerSecond()
    said = {
        "version": ".".join(map(str, Usd.GetVersion())),
        "up": str(UsdGeom.GetStageUpAxis(stage)),
        "unit_metres": unit,
        "seconds": (stage.GetEndTimeCode() - stage.GetStartTimeCode()) / rate,
        "scheme": mesh.GetSubdivisionSchemeAttr().Get(),
        "skeletons": len([prim for prim in stage.Traverse() if prim.IsA(UsdSkel.Skeleton)]),
        "materials": len([prim for prim in stage.Traverse() if prim.IsA(UsdShade.Material)]),
        "preview_surfaces": sum(
            UsdShade.Shader(prim).GetIdAttr().Get() == "UsdPreviewSurface"
            for prim in stage.Traverse()
            if prim.IsA(UsdShade.Shader)
        ),
    }
    codes = [stage.GetStartTimeCode() + second * rate for second in seconds]
    UsdSkel.BakeSkinning(stage.Traverse(), Gf.Interval(stage.GetStartTimeCode(), stage.GetEndTimeCode()))
    frames = []
    for code in codes:
        matrix = UsdGeom.XformCache(code).GetLocalToWorldTransform(mesh.GetPrim())
        points = np.array(mesh.GetPointsAttr().Get(code)) @ linear(matrix) + np.array(matrix.ExtractTranslation())
        frames.append(unit * points @ upright)
    return {
        "frames": np.array(frames), "shapes": np.array(shapes), "names": np.array(names, str),
        "said": np.array(json.dumps(said)),
    }  # fmt: skip


def linear(matrix: Gf.Matrix4d) -> NDArray[np.float64]:
    """(3, 3), for rows."""
    return np.array(matrix, dtype=np.float64)[:3, :3]


if __name__ == "__main__":
    np.savez(sys.argv[2], **read(sys.argv[1], [float(item) for item in sys.argv[3].split(",") if item]))
