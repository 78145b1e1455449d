# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The photo as a Blender image, upright: Blender shows a file's pixels as stored and ignores EXIF orientation."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray


def load_photo(path: Path, size: tuple[int, int], orientation: int = 1) -> bpy.types.Image | None:
    """The picture with `size` (width, height) px as the core saw it, packed; None when Blender cannot read it as that.

    `orientation`, 1..8 as EXIF has it: how the file's pixels lie, as the take says.
    """
    try:
        image = bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError:
        return None
    if orientation > 1 and image.source == "FILE":
        upright = _upright(image, orientation)
        if image.users == 0:
            bpy.data.images.remove(image)
        image = upright
    if image.source == "FILE" and tuple(image.size) != size:
        return None  # another picture under the same name, or one that cannot be read
    if image.users == 0 and image.packed_file is None:  # not one that the user had opened before
        image.pack()
    return image


def upright_copy(take_path: Path, row: int = 0, count: int = 1) -> Path | None:
    """The copy that the core lays beside a take of `count` photos where Blender cannot read a photo's own file."""
    copy = take_path.with_name("photo.jpg" if count == 1 else f"photo_{row}.jpg")
    return copy if copy.is_file() else None


def why_not_shown(photo: Path, size: tuple[int, int]) -> str:
    """A sentence: what keeps a photo that is there from being shown."""
    try:
        image = bpy.data.images.load(str(photo), check_existing=False)
    except RuntimeError:
        return f"Blender cannot read {photo.name}: the camera shows no background."
    found = tuple(image.size)
    bpy.data.images.remove(image)
    if not all(found):
        return f"Blender cannot read {photo.name}: the camera shows no background."
    return (
        f"{photo.name} has {found[0]} x {found[1]} pixels here and {size[0]} x {size[1]} in the take: it is another "
        "picture, or stored turned. The camera shows no background."
    )


def _upright(image: bpy.types.Image, orientation: int) -> bpy.types.Image:
    """A copy with the orientation applied, packed into the .blend: there is no file that has these pixels."""
    width, height = image.size
    pixels = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    turned = turn(pixels.reshape(height, width, 4)[::-1], orientation)[::-1]  # Blender's first row is the lowest
    upright = bpy.data.images.new(f"{image.name} upright", turned.shape[1], turned.shape[0])
    upright.colorspace_settings.name = image.colorspace_settings.name
    upright.pixels.foreach_set(np.ascontiguousarray(turned).ravel())
    upright.pack()
    return upright


def turn(pixels: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """Rows from the top (H, W, C) as stored -> as meant."""
    if orientation in (2, 4, 5, 7):  # mirrored
        pixels = pixels[:, ::-1]
    quarter_turns = {3: 2, 4: 2, 5: 1, 6: -1, 7: -1, 8: 1}.get(orientation, 0)  # counter-clockwise
    return np.rot90(pixels, quarter_turns)
