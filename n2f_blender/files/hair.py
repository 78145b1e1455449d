# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hair that lies beside a take and grows on its head. No bpy; `formats.strands` knows the files."""

from __future__ import annotations

from pathlib import Path

from ..errors import ExtensionError
from ..formats.npz import FAULTS
from ..formats.strands import HAIR_NAME, OtherHead, Strands, read_strands
from .head import HeadFile

_REMEDY = "Reconstruct the photo again to have its hair."

Hair = Strands


class HairError(ExtensionError):
    """Hair that cannot be used; the head opens without it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, _REMEDY, code="BAD_HAIR")


def find_hair(take_path: Path, head: HeadFile) -> Hair | None:
    """The hair beside a take; None where there is none.

    Raises:
        HairError: when it cannot be used on this head.
    """
    try:
        return read_strands(take_path.parent, head.sha256)
    except OtherHead as error:
        raise HairError(f"The hair beside the take was grown on another head than '{head.head_id}'.") from error
    except FAULTS as error:
        raise HairError(f"{HAIR_NAME} cannot be read: {error}.") from error
