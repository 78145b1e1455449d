"""Beard and moustache as strands, where the photo shows that they cover the skin. Stubble stays on the skin's picture.

A place of the lower face belongs to a beard if it is darker and colder than the cheeks in the same light: shadow is
darker and warmer. A part of the face, moustache, chin or a jaw's side, has a beard only if most of it looks so. Grey
beards are as light as the skin; they stay on its picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import cKDTree

from inference_core.hair.ground import Ground
from inference_core.hair.scalp import Roots, spread
from inference_core.hair.shell import sampled
from inference_core.hair.sight import Sight
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.look.colour import linear
from inference_core.look.light import Light

TRIED = 6000
BLUR = 1.5
"""px of the matte's square."""
FACING = 0.4
"""Cosine to the camera: the jaw's underside is in its own shadow."""
DARKER, COLDER = 0.55, 0.2
"""Log of brightness, and of red over blue, by which a place is off the cheeks' from where it is no bare skin."""
TOWARDS = 0.5
"""Of the way in brightness from the cheeks to the head's hair, where that is known: shadow on dark skin is none."""
MOST, SEEN = 0.4, 0.3
"""Of a part's places from which it has a beard, and that have to be seen to say so."""
PARTS = ("moustache", "chin", "left", "right")
POINTS = 6
DENSER, LIP = 2.5, 0.002
"""How much closer places lie beside the upper lip, and m that hair keeps from the lips."""
FEWEST = 80
"""Places below which it is a shadow."""
SEED = 77


@dataclass(frozen=True, eq=False)
class Beard:
    """S strands."""

    points: Floats  # (S, POINTS, 3) m, root first
    roots: Roots
    colour: Float32s  # (S, 3) linear RGB


@dataclass(frozen=True, eq=False)
class Face:
    """Candidates on the lower face, and how they look."""

    roots: Roots
    part: Floats  # (N,) index into PARTS
    seen: Mask  # (N,)
    colour: Floats  # (N, 3) linear RGB, in the cheeks' light
    skin: Floats  # (3,) the cheeks'

    def bearded(self, hair: Floats | None) -> Mask:
        """(N,): seen places of the parts that have a beard. `hair` (3,): linear RGB of the head's."""
        brightness = np.log(self.skin.mean()) - np.log(np.maximum(self.colour.mean(axis=1), 1e-4))
        warmth = np.log(self.skin[0] / self.skin[2]) - np.log(
            np.maximum(self.colour[:, 0], 1e-4) / np.maximum(self.colour[:, 2], 1e-4)
        )
        least = DARKER
        if hair is not None:
            least = max(least, TOWARDS * float(np.log(self.skin.mean() / max(hair.mean(), 1e-3))))
        hairy = self.seen & (brightness > least) & (warmth > COLDER)
        for index in range(len(PARTS)):
            mine = self.part == index
            seen = mine & self.seen
            if seen.sum() < SEEN * mine.sum() or hairy[seen].mean() < MOST:
                hairy &= ~mine
        return np.asarray(hairy)


def lower_face(sight: Sight, light: Light | None) -> Face:
    """What the photo shows where a beard can grow."""
    seat, matte = sight.seat, sight.matte
    head, vertices = seat.head, seat.vertices
    x, y, z = vertices.T
    nose, lips = vertices[head.region("nose")], vertices[head.region("lips")]
    chin = float(vertices[head.region("face"), 1].min())
    base, corner = float(nose[:, 1].min()), float(np.abs(lips[:, 0]).max())
    skin = head.region("face") & ~head.region("lips") & ~head.region("nose") & ~head.region("inner_mouth")
    upper, middle = float(lips[:, 1].max()), float(lips[:, 1].mean())
    zone = skin & (y < base + 0.004) & (y > chin + 0.002)
    weight = zone[seat.triangles].any(axis=1) * np.where((y > middle)[seat.triangles].any(axis=1), DENSER, 1.0)
    tried = spread(seat, weight, TRIED).where(
        lambda places: (places[:, 1] < base - 0.001) & (cKDTree(lips).query(places)[0] > LIP)
    )
    roots = tried.roots
    px, py = roots.places[:, 0], roots.places[:, 1]
    part = np.where(np.abs(px) > corner + 0.006, np.where(px > 0, 2, 3), np.where(py > middle, 0, 1))
    posed = np.einsum("sc,scd->sd", tried.mix, seat.posed[tried.corners])  # the photo's mouth may be open
    pixels, visible = sight.pixels(posed + 0.002 * roots.normals)
    seen = visible & (sight.facing(roots.places, roots.normals) > FACING) & (sampled(matte.known, pixels) > 0.99)
    seen &= sampled(matte.hair, pixels) < 0.5
    flat = linear(cv2.GaussianBlur(matte.rgb, (0, 0), BLUR).astype(np.float32))

    def lit(normals: Floats, where: Floats) -> Floats:
        shown = np.stack([sampled(np.ascontiguousarray(flat[..., c]), where) for c in range(3)], axis=-1)
        return shown if light is None else shown / light.on(normals).mean(axis=-1, keepdims=True)

    cheeks = skin & (y > upper + 0.004) & (y < base + 0.022) & (np.abs(x) > 0.6 * corner) & (z > 0.025)
    cheeks &= sight.facing(vertices, seat.normals) > FACING
    where, open_ = sight.pixels(seat.posed[cheeks] + 0.002 * seat.normals[cheeks])
    colour = lit(roots.normals, pixels)
    if not open_.any():
        return Face(roots, part, np.zeros(len(part), np.bool_), colour, np.ones(3))
    bare = np.median(lit(seat.normals[cheeks], where)[open_], axis=0)
    return Face(roots, part, np.asarray(seen), np.maximum(colour, 1e-4), np.maximum(bare, 1e-4))


def grown_beard(ground: Ground, sight: Sight, light: Light | None, hair: Floats | None) -> Beard | None:
    """None where the photo shows none. `hair` (3,): the head's colour, linear RGB; None: it has none."""
    face = lower_face(sight, light)
    hairy = face.bearded(hair)
    if hairy.sum() < FEWEST:
        return None
    grows = _mirrored(face, hairy)
    kept = face.roots.where(grows)
    places, normals = kept.places, kept.normals
    rng = np.random.default_rng(SEED)
    side = np.sign(places[:, 0]) * np.clip(np.abs(places[:, 0]) / 0.012, 0, 1)
    moustache = face.part[grows] == 0
    way = np.stack([np.where(moustache, 0.9, 0.15) * side, np.full(len(places), -0.8), np.zeros(len(places))], axis=1)
    way += rng.normal(0, 0.18, way.shape)
    way -= (way * normals).sum(axis=1, keepdims=True) * normals
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
    length = (np.where(moustache, 0.007, 0.008) * rng.uniform(0.6, 1.15, len(places)))[:, None, None]
    u = np.linspace(0, 1, POINTS)[:, None]
    rise = 0.55 * u - 0.25 * u**2
    points = places[:, None] + length * (u * way[:, None] + rise * normals[:, None])
    points = ground.pushed_out(points, 0.0004)
    points[:, 0] = places
    own = face.colour[hairy]
    nearest = cKDTree(face.roots.places[hairy]).query(places * (1, 1, 1), k=8)[1]
    colour = np.median(own[nearest], axis=1) * np.exp(rng.normal(0, 0.15, (len(places), 1)))
    return Beard(points, kept, np.clip(colour, 0.002, 0.8).astype(np.float32))


def _mirrored(face: Face, hairy: Mask) -> Mask:
    """(N,): what is seen as it is, what is not as its mirror image is."""
    known = face.roots.places[face.seen]
    away, nearest = cKDTree(known * (-1, 1, 1)).query(face.roots.places)
    return np.asarray(hairy | (~face.seen & (away < 0.006) & hairy[face.seen][nearest]))
