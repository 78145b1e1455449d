# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures for materials: packed into the .blend, one of a kind, each in the colour space that its numbers are in."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..files.look import LookError

COLOUR, DATA = "sRGB", "Non-Color"
_KEY = "n2f_texture"  # on the image: whose it is and what it holds


def packed_image(path: Path, key: str, name: str, space: str) -> bpy.types.Image:
    """The picture of this key, from the file where it is not in the .blend yet.

    Raises:
        LookError: where the file is missing, or Blender cannot read it.
    """
    known = next((image for image in bpy.data.images if image.get(_KEY) == key), None)
    if known is not None:
        return known
    try:
        image = bpy.data.images.load(str(path), check_existing=False)
    except RuntimeError as error:
        raise LookError(f"{path.name} cannot be read: {error}.") from error
    if not all(image.size):
        bpy.data.images.remove(image)
        raise LookError(f"{path.name} is not a picture that Blender can read.")
    image.pack()
    image.colorspace_settings.name = space
    image.name, image[_KEY] = name[:63], key
    return image


def is_made(image: bpy.types.Image | None, label: str) -> bool:
    """Whether a picture is a look's of this kind: Albedo, Roughness or Normal."""
    return image is not None and str(image.get(_KEY, "")).endswith(f":{label}")


def sample(image: bpy.types.Image, uv: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float32]:
    """(N, 3) the nearest pixels at texture coordinates (N, 2), as the file has them, 0..1."""
    width, height = image.size
    pixels = np.empty(width * height * image.channels, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    place = np.clip((np.asarray(uv) * (width, height)).astype(np.int64), 0, (width - 1, height - 1))
    return np.asarray(pixels.reshape(height, width, image.channels)[place[:, 1], place[:, 0], :3])


def linear(srgb: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB 0..1 as light adds up (IEC 61966-2-1)."""
    values = np.asarray(srgb, dtype=np.float64)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def srgb(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear 0..1 as sRGB."""
    low = light <= 0.0031308
    return np.asarray(np.where(low, 12.92 * light, 1.055 * np.maximum(light, 1e-12) ** (1 / 2.4) - 0.055), np.float32)
