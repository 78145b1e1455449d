# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a look: the pictures that lie beside a take and colour its head. No bpy.

The take names `look.json`, which names them: {"format": "n2f-look", "version": 2, "head_sha256", "texture":
"albedo.png", "iris": {"radius_degrees"}, "light": {"coefficients": 9 x 3}}, and perhaps "roughness" and "normal", which
hold data. All pictures are in the head file's UV, row 0 at v = 1.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ExtensionError
from ..formats.npz import FAULTS
from .detail import Detail
from .head import HeadFile

_EARLIER, _VERSION = 1, 2
_REMEDY = "Reconstruct the photo again to have it painted."


class LookError(ExtensionError):
    """A look that cannot be used; the head opens without it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, _REMEDY, code="BAD_LOOK")


@dataclass(frozen=True, eq=False)
class Look:
    """How a person's head is coloured. The texture is sRGB, roughness and normal hold data."""

    texture: Path
    sha256: str  # of all its pictures: what makes two looks the same
    roughness: Path | None = None
    normal: Path | None = None  # tangent space, +Y up
    light: NDArray[np.float64] | None = None  # (9, 3): the photo's, as spherical harmonics in head space, linear RGB
    detail: Detail | None = None
    iris_degrees: float | None = None  # half-angle of the painted irises from the balls' middles


def find_look(named: str, take_path: Path, head: HeadFile) -> Look | None:
    """The look beside a take, by the name that the take gives it; None where it names none.

    A file of that name beside a take that does not ask for it is another take's.

    Raises:
        LookError: when the look is gone or cannot be used on this head.
    """
    if not named:
        return None
    path = take_path.parent / Path(named).name
    if not path.is_file():
        raise LookError(f"The skin that the take names, {path.name}, is not beside it.")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["format"] != "n2f-look" or facts["version"] not in (_EARLIER, _VERSION):
            raise ValueError(f"it is not a look of version {_VERSION}")
        if facts["version"] == _EARLIER:
            raise LookError("The skin beside the take was painted before the head's texture was laid out anew.")
        if not head.answers_to(facts["head_sha256"]):
            raise LookError(f"The skin beside the take was painted for another head than '{head.head_id}'.")
        return _look(path.parent, facts)
    except LookError:
        raise
    except FAULTS as error:
        raise LookError(f"{path.name} cannot be read: {error}.") from error


def detailed(look: Look, detail: Detail) -> Look:
    """The look with relief: another set of pictures, so another look."""
    both = hashlib.sha256(f"{look.sha256}{detail.sha256}".encode()).hexdigest()
    return replace(look, detail=detail, sha256=both)


def _look(folder: Path, facts: dict[str, object]) -> Look:
    texture, roughness, normal = (_picture(folder, facts, name) for name in ("texture", "roughness", "normal"))
    if texture is None:
        raise ValueError("it names no texture")
    pictures = [path for path in (texture, roughness, normal) if path is not None]
    digest = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in pictures)).hexdigest()
    return Look(
        texture, digest, roughness, normal, _light(facts.get("light")), iris_degrees=_iris_degrees(facts.get("iris"))
    )


def _picture(folder: Path, facts: dict[str, object], name: str) -> Path | None:
    value = facts.get(name)
    if value is None:
        return None
    path = folder / Path(str(value)).name  # beside the take: a look names no other place
    if not path.is_file():
        raise ValueError(f"{path.name} is not beside it")
    return path


def _light(value: object) -> NDArray[np.float64] | None:
    if not isinstance(value, dict) or value.get("coefficients") is None:
        return None
    light = np.asarray(value["coefficients"], dtype=np.float64)
    if light.shape != (9, 3) or not np.isfinite(light).all():
        raise ValueError("its light is not 9 x 3 finite numbers")
    return light


def _iris_degrees(value: object) -> float | None:
    degrees = value.get("radius_degrees") if isinstance(value, dict) else None
    return float(degrees) if degrees is not None and 5.0 < float(degrees) < 60.0 else None
