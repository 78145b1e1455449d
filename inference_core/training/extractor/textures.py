"""MakeHuman's skins, brows and irises (CC0) as the painter uses them: colour beside today's procedural one.

A skin's texture gives what is *between* its places (redness, shade, stubble, lips, creases that a camera saw); how
light or dark, how warm or cool a person is comes from the melanin and blood that were drawn. So seven skins serve all
tones.
The file is packed by scripts/pack_makehuman_looks.py; its card names origin and licence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.head.raster import Raster
from inference_core.training.extractor.anatomy import SCALP, Anatomy
from inference_core.training.raster import interpolate

Float32s = NDArray[np.float32]
PACKED = Path(__file__).parent / "looks_data" / "makehuman.npz"
TEXTURE = 2048  # px of a whole skin; brows lie at this size, skins at half of it
OF_PEOPLE = 0.5  # share of the painted faces that wear a portrait's skin, where there are some
DARK = np.float32(0.004)  # linear colour below which nothing is told apart
DARKEST, LIGHTEST = -1.6, 0.9  # logarithms about the face's own tone


@dataclass(frozen=True, eq=False)
class Textures:
    """What the file holds, made linear.

    skins (N, h, w, 3): logarithm of the colour over the face's usual one, at half of TEXTURE; skin_corner: its upper
    left texel (column, row) at TEXTURE. brows (M, h, w) opacity at TEXTURE; irises (K, radius, angle, 3) linear RGB.
    """

    skins: Float32s
    skin_corner: NDArray[np.int32]
    brows: Float32s
    brow_corner: NDArray[np.int32]
    irises: Float32s


@dataclass(frozen=True, eq=False)
class PortraitSkins:
    """What `portrait_skins` took from photographs. pictures (N, S, S, 3) sRGB in the head's own UV, usual (N, 3)
    logarithms of the face's usual linear colour."""

    pictures: NDArray[np.uint8]
    usual: Float32s

    def __len__(self) -> int:
        return len(self.pictures)

    @classmethod
    def load(cls, path: Path, anatomy: Anatomy) -> PortraitSkins:
        """The skins of a file.

        Raises:
            BadInput: for a file that holds none.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                coded = [data[name] for name in data.files]
        except (OSError, ValueError, BadZipFile) as error:
            raise BadInput(f"'{path}' holds no skins: {error}.", "Make it with portrait_skins.") from error
        decoded = [cv2.imdecode(one, cv2.IMREAD_COLOR) for one in coded]
        if not decoded or any(one is None for one in decoded):
            raise BadInput(f"'{path}' holds no skins.", "Make it with portrait_skins.")
        pictures = np.stack([cv2.cvtColor(one, cv2.COLOR_BGR2RGB) for one in decoded]).astype(np.uint8)
        head = anatomy.head
        face = np.unique(anatomy.uv_triangles[head.region("face")[head.triangles].all(axis=1)])
        place = head.uv[face] * pictures.shape[1]
        column, row = place[:, 0].astype(int), (pictures.shape[1] - place[:, 1]).astype(int)
        usual = np.median(np.log(_linear(pictures[:, row, column]) + DARK), axis=1)
        return cls(pictures, usual.astype(np.float32))


NO_PORTRAITS = PortraitSkins(np.zeros((0, 1, 1, 3), np.uint8), np.zeros((0, 3), np.float32))


class Surface(NamedTuple):
    """What the textures say at the pixels of a picture: tone (H, W, 3) logarithms, brow (H, W) opacity."""

    tone: Float32s
    brow: Float32s


@dataclass(frozen=True, eq=False)
class Complexion:
    """Which textures a person wears. first, second: skins, mixed by `mix`; brow: -1 for none."""

    first: int
    second: int
    mix: float
    strength: float  # 0: no texture at all
    cropped: float  # how much of the painted scalp hair shows
    brow: int
    brow_power: float  # below 1 thicker, above 1 thinner
    person: int = -1  # whose portrait the skin is taken from, brows and all; -1 for MakeHuman's


BARE = Complexion(0, 0, 0.0, 0.0, 0.0, -1, 1.0)
"""No textures: all is painted."""


def _linear(srgb: NDArray[np.uint8]) -> Float32s:
    x = srgb.astype(np.float32) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)


@lru_cache(maxsize=1)
def load_textures() -> Textures:
    """Read the packed file; a tenth of a second."""
    with np.load(PACKED, allow_pickle=False) as data:
        count = sum(name.startswith("skin_") for name in data.files) - 1
        coded = [data[f"skin_{n}"] for n in range(count)]
        images = [cv2.cvtColor(cv2.imdecode(one, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB) for one in coded]
        skin_corner, brow_corner = data["skin_corner"], data["brow_corner"]
        brows = data["brows"].astype(np.float32) / 255
        irises = _linear(data["irises"])
    tones = []
    for image in images:
        value = np.log(_linear(np.asarray(image, np.uint8)) + DARK)
        # The middle of the face is the middle of the picture, in the base mesh's layout.
        rows, columns = value.shape[0], value.shape[1]
        middle = value[int(0.36 * rows) : int(0.62 * rows), int(0.36 * columns) : int(0.85 * columns)]
        tones.append(np.clip(value - np.median(middle.reshape(-1, 3), axis=0), DARKEST, LIGHTEST))
    return Textures(np.stack(tones).astype(np.float32), skin_corner, brows, brow_corner, irises)


def draw_complexion(rng: np.random.Generator, bald: bool, people: int = 0) -> Complexion:
    """Two thirds wear skins, two thirds drawn brows; with people's skins at hand a half wears one of those."""
    textures = load_textures()
    if people and rng.random() < OF_PEOPLE:
        return Complexion(0, 0, 0.0, float(rng.uniform(0.75, 1.2)), 1.0, -1, 1.0, person=int(rng.integers(people)))
    first, second = rng.choice(len(textures.skins), 2, replace=False)
    return Complexion(
        first=int(first),
        second=int(second),
        mix=float(rng.uniform(0, 1)),
        strength=float(rng.uniform(0.5, 1.25)) if rng.random() < 0.7 else 0.0,
        cropped=float(rng.uniform(0.3, 1.0)) if rng.random() < (0.3 if bald else 0.7) else 0.0,
        brow=int(rng.integers(len(textures.brows))) if rng.random() < 0.7 else -1,
        brow_power=float(np.exp(rng.normal(-0.35, 0.35))),
    )


def surface_of(
    anatomy: Anatomy, raster: Raster, pixels: Float32s, wears: Complexion, people: PortraitSkins = NO_PORTRAITS
) -> Surface:
    """Read the textures at a picture's pixels; `pixels` (H, W, ...) are the interpolated fields."""
    size = raster.triangle.shape
    if wears.person >= 0:
        return Surface(_portrait(anatomy, raster, wears, people), np.zeros(size, np.float32))
    textures = load_textures()
    tone, brow = np.zeros((*size, 3), np.float32), np.zeros(size, np.float32)
    if wears.strength == 0 and wears.brow < 0:
        return Surface(tone, brow)
    places = interpolate(raster, anatomy.uv_triangles, anatomy.head.worn_by_makehuman.uv)
    column, row = places[..., 0] * TEXTURE, (1 - places[..., 1]) * TEXTURE
    if wears.strength > 0:
        skin = cv2.addWeighted(textures.skins[wears.first], 1 - wears.mix, textures.skins[wears.second], wears.mix, 0.0)
        x = (column - textures.skin_corner[0]) / 2 - np.float32(0.5)
        y = (row - textures.skin_corner[1]) / 2 - np.float32(0.5)
        seen = cv2.remap(skin, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        shaven = 1 - np.clip(pixels[..., SCALP] * 1.5, 0, 1) * np.float32(1 - wears.cropped)
        tone = seen * (np.float32(wears.strength) * shaven)[..., None]
    if wears.brow >= 0:
        x = column - textures.brow_corner[0] - np.float32(0.5)
        y = row - textures.brow_corner[1] - np.float32(0.5)
        seen = cv2.remap(textures.brows[wears.brow], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        brow = np.asarray(seen**wears.brow_power, np.float32)
    return Surface(np.asarray(tone, np.float32), brow)


def _portrait(anatomy: Anatomy, raster: Raster, wears: Complexion, people: PortraitSkins) -> Float32s:
    """(H, W, 3) logarithms of a portrait's skin over its usual colour."""
    picture = people.pictures[wears.person]
    places = interpolate(raster, anatomy.uv_triangles, anatomy.head.uv) * np.float32(len(picture))
    x, y = places[..., 0] - np.float32(0.5), np.float32(len(picture) - 0.5) - places[..., 1]
    seen = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    tone = np.log(_linear(np.asarray(seen, np.uint8)) + DARK) - people.usual[wears.person]
    return np.asarray(np.clip(tone, 2 * DARKEST, LIGHTEST) * np.float32(wears.strength), np.float32)
