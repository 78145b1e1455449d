"""ICT-FaceKit's face: neutral, identities and expressions made from light-stage scans. Data to the build, metres.

ICT Face Model Light, USC Institute for Creative Technologies, MIT licence. Its axes are those of head space.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .source import Floats, Ints, SourceMissing

CENTIMETRE = 0.01
SKIN = 11248  # vertices before this one: face, head and neck
UPPER_TEETH, LOWER_TEETH = slice(17895, 18391), slice(20079, 20619)  # the front teeth, from one eye tooth to the other


@dataclass(frozen=True, eq=False)
class IctFace:
    """neutral (N,3), identity (100,N,3), expressions (57,N,3) m; triangles (T,3) of the skin; iBUG-68 vertices."""

    neutral: Floats
    identity: Floats
    expressions: Floats
    expression_names: tuple[str, ...]
    triangles: Ints
    marks: Ints

    def placed(self, rotation: Floats, shift: Floats) -> IctFace:
        """The same face elsewhere: x -> rotation x + shift."""
        return replace(
            self,
            neutral=self.neutral @ rotation.T + shift,
            identity=self.identity @ rotation.T,
            expressions=self.expressions @ rotation.T,
        )


def read_ict(folder: Path) -> IctFace:
    """Read `ict_facekit.npz` and `landmarks68.json`.

    Raises:
        SourceMissing: where one of them is missing or damaged.
    """
    try:
        with np.load(folder / "ict_facekit.npz", allow_pickle=False) as data:
            neutral, identity = data["neutral"].astype(np.float64), data["identity"].astype(np.float64)
            expressions, quads = data["expression"].astype(np.float64), data["faces"]
            names = tuple(str(name) for name in data["expression_names"])
        marks = json.loads((folder / "landmarks68.json").read_text(encoding="utf-8"))["vertex_indices"]
    except (OSError, KeyError, ValueError) as error:
        raise SourceMissing(f"{folder} holds no ICT-FaceKit that can be read: {error}") from error
    quads = np.where(quads < 0, quads[:, :1], quads)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    distinct = (np.diff(np.sort(triangles, axis=1), axis=1) > 0).all(axis=1)
    return IctFace(
        neutral=neutral * CENTIMETRE,
        identity=identity * CENTIMETRE,
        expressions=expressions * CENTIMETRE,
        expression_names=names,
        triangles=np.ascontiguousarray(triangles[distinct & (triangles < SKIN).all(axis=1)], np.int32),
        marks=np.array(marks, np.int32),
    )
