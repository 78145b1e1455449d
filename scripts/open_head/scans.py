"""People and expressions from scans, on the head's mesh: `ict_people.npz` beside this module.

Measured once by scripts/build_ict_people.py from ICT-FaceKit (MIT licence, its notice in ict_people.license.txt); the
build of the head reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference_core.head.write import write_npz

from .source import Floats

PEOPLE = Path(__file__).with_name("ict_people.npz")
STEP = 2e-6  # m: offsets are stored in steps of it, in 16 bits


@dataclass(frozen=True, eq=False)
class Scans:
    """mean (V,3), identity (100,V,3) in standard deviations, expressions (57,V,3) at full strength; m, head space.

    `expression_names` are ICT's: browDown_L ... Eyeballs, teeth and tongue are not whole yet.
    """

    mean: Floats
    identity: Floats
    expressions: Floats
    expression_names: tuple[str, ...]

    def expression(self, name: str) -> Floats:
        """(V,3) m."""
        return np.asarray(self.expressions[self.expression_names.index(name)])


def write_scans(scans: Scans, path: Path = PEOPLE) -> None:
    """The same bytes for the same numbers."""
    write_npz(
        path,
        {
            "mean": scans.mean.astype(np.float32),
            "identity": _packed(scans.identity),
            "expressions": _packed(scans.expressions),
            "expression_names": np.array(scans.expression_names),
        },
        level=9,
    )


def read_scans(path: Path = PEOPLE) -> Scans:
    """All in float64."""
    with np.load(path, allow_pickle=False) as data:
        return Scans(
            mean=data["mean"].astype(np.float64),
            identity=data["identity"].astype(np.float64) * STEP,
            expressions=data["expressions"].astype(np.float64) * STEP,
            expression_names=tuple(str(name) for name in data["expression_names"]),
        )


def _packed(offsets: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    whole = np.rint(offsets / STEP)
    if np.abs(whole).max() > np.iinfo(np.int16).max:
        raise ValueError("an offset is larger than 65 mm: the step does not fit")
    packed: np.ndarray[tuple[int, ...], np.dtype[np.int16]] = whole.astype(np.int16)
    return packed
