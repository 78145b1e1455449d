# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the fine detail beside a take: relief that its head's mesh lacks. No bpy.

The take names `detail.json`: {"format": "n2f-detail", "version": 1, "head_sha256", "displacement" (16 bits, 1/2 is 0, 1
is "range_mm" outwards), "normal" (tangent space, +Y up, with the look's pores)}. Where it moves there is "moving":
{"displacement", "normal": what comes with expressions, "regions": [{"mask": a picture, "channel": 0..2,
"expressions": {name: weight}}]}. All pictures are in the head file's UV, row 0 at v = 1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import ExtensionError
from .head import HeadFile

MOST_REGIONS = 9
"""Three pictures of three channels."""
_VERSION = 1
_REMEDY = "Reconstruct the photo again with Fine Detail."


class DetailError(ExtensionError):
    """Detail that cannot be used; the head opens without it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, _REMEDY, code="BAD_DETAIL")


@dataclass(frozen=True)
class Region:
    """A part of the face whose wrinkles come together: where, and by how much of which expressions."""

    mask: Path
    channel: int  # of the mask, 0..2
    expressions: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Moving:
    """What comes and goes with the expression."""

    displacement: Path
    normal: Path  # without pores
    regions: tuple[Region, ...]

    @property
    def masks(self) -> tuple[Path, ...]:
        """Each once, in order."""
        return tuple(dict.fromkeys(region.mask for region in self.regions))


@dataclass(frozen=True, eq=False)
class Detail:
    """A person's relief."""

    displacement: Path
    normal: Path
    range_mm: float
    sha256: str  # of all its pictures
    moving: Moving | None = None


def find_detail(named: str, take_path: Path, head: HeadFile) -> Detail | None:
    """The detail beside a take, by the name that the take gives it; None where it names none.

    Raises:
        DetailError: it is gone, or cannot be used on this head.
    """
    if not named:
        return None
    path = take_path.parent / Path(named).name
    if not path.is_file():
        raise DetailError(f"The fine detail that the take names, {path.name}, is not beside it.")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["format"] != "n2f-detail" or facts["version"] != _VERSION:
            raise ValueError(f"it is not detail of version {_VERSION}")
        if not head.answers_to(facts["head_sha256"]):
            raise DetailError(f"The fine detail beside the take belongs to another head than '{head.head_id}'.")
        return _detail(path.parent, facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DetailError(f"{path.name} cannot be read: {error}.") from error


def _detail(folder: Path, facts: Mapping[str, object]) -> Detail:
    displacement, normal = (_picture(folder, facts[name]) for name in ("displacement", "normal"))
    reach = float(str(facts["range_mm"]))
    if not 0.0 < reach < 100.0:
        raise ValueError("its range is none")
    given = facts.get("moving")
    moving = _moving(folder, given) if isinstance(given, dict) else None
    pictures = [displacement, normal, *((moving.displacement, moving.normal, *moving.masks) if moving else ())]
    digest = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in pictures)).hexdigest()
    return Detail(displacement, normal, reach, digest, moving)


def _moving(folder: Path, facts: Mapping[str, object]) -> Moving:
    given = facts["regions"]
    if not isinstance(given, list) or not 0 < len(given) <= MOST_REGIONS:
        raise ValueError("its regions are none")
    regions = tuple(
        Region(
            _picture(folder, one["mask"]),
            int(one["channel"]),
            {str(name): float(weight) for name, weight in dict(one["expressions"]).items()},
        )
        for one in given
    )
    if any(region.channel not in (0, 1, 2) for region in regions):
        raise ValueError("a region's channel is none")
    return Moving(_picture(folder, facts["displacement"]), _picture(folder, facts["normal"]), regions)


def _picture(folder: Path, name: object) -> Path:
    path = folder / Path(str(name)).name  # beside the take: it names no other place
    if not path.is_file():
        raise ValueError(f"{path.name} is not beside it")
    return path
