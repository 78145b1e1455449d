"""Single hairs for Cycles: scalp hair of several cuts, beards, brows and lashes, as polylines in camera space, m.

A few hundred guides grow from the skin, combed, drawn down by their weight and kept out of the head; every other hair
follows its nearest guide from its own root and bends towards it, which makes locks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from inference_core.head.rotations import matrix_from_vector
from inference_core.training.extractor.anatomy import BEARD, BROWS, CROWN, FACE, Anatomy, X, Y, Z
from inference_core.training.extractor.looks import HairLook, SkinLook
from inference_core.training.extractor.subject import Subject

Floats = NDArray[np.float64]

GUIDES = 450
CROPPED = 0.0055  # m: a haircut thinner than this is cropped


@dataclass(frozen=True, eq=False)
class Strands:
    """points (S, K, 3) m in camera space, root first; radius m at the root, a third of it at the tip."""

    points: Floats
    radius: float


@dataclass(frozen=True, eq=False)
class _Roots:
    """Places on the skin (S, 3) m, their unit normals, and the anatomy's fields there (S, FIELD_COUNT)."""

    places: Floats
    normals: Floats
    fields: Floats


@dataclass(frozen=True, eq=False)
class _Skull:
    """The posed head for whoever must stay outside of it; axes: the skull's X, Y, Z in camera space, as columns."""

    tree: cKDTree
    points: Floats
    front: NDArray[np.bool_]  # of the face below the brows, where hair seldom hangs
    normals: Floats
    axes: Floats

    def before_face(self, places: Floats) -> NDArray[np.bool_]:
        """(...) whether the skin nearest to places (..., 3) is the face below its brows."""
        return np.asarray(self.front[self.tree.query(places.reshape(-1, 3))[1]].reshape(places.shape[:-1]))

    def pushed_out(self, places: Floats, above: float) -> Floats:
        """places (..., 3), moved along the nearest skin's normal to lie at least `above` m over it."""
        flat = places.reshape(-1, 3)
        _, nearest = self.tree.query(flat)
        over = ((flat - self.points[nearest]) * self.normals[nearest]).sum(axis=1)
        lacking = np.clip(above - over, 0, 0.03)[:, None]
        return np.asarray((flat + lacking * self.normals[nearest]).reshape(places.shape))


def _skull(anatomy: Anatomy, subject: Subject) -> _Skull:
    skin = np.unique(anatomy.shell)
    axes = subject.rotation @ matrix_from_vector(subject.parameters.neck)
    fields = anatomy.fields[skin]
    front = (fields[:, FACE] > 0.5) & (fields[:, Y] < anatomy.brow_height + 0.004)
    front &= np.abs(fields[:, X]) < 0.78 * anatomy.ear_width
    return _Skull(cKDTree(subject.points[skin]), subject.points[skin], front, subject.normals[skin], axes)


def _roots(anatomy: Anatomy, subject: Subject, weight: Floats, count: int, rng: np.random.Generator) -> _Roots | None:
    """`count` roots drawn by `weight` (V,) and area; None where nothing has any weight."""
    corners = subject.points[anatomy.shell]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    share = area * weight[anatomy.shell].mean(axis=1)
    if share.sum() <= 0:
        return None
    chosen = anatomy.shell[rng.choice(len(share), count, p=share / share.sum())]
    a, b = rng.random((2, count))
    over = a + b > 1
    a, b = np.where(over, 1 - a, a), np.where(over, 1 - b, b)
    mix = np.stack([1 - a - b, a, b], axis=1)
    places, normals, fields = (
        np.einsum("sc,scd->sd", mix, values[chosen])
        for values in (subject.points, subject.normals, anatomy.fields.astype(np.float64))
    )
    return _Roots(places, normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9), fields)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9))


def _grown(
    roots: _Roots, comb: Floats, lengths: Floats, steps: int, lift: float, weight: float, skull: _Skull | None
) -> Floats:
    """(S, steps, 3): out of the skin by `lift`, along `comb` (S, 3) on it, down by `weight` towards the tip."""
    along = _unit(comb - (comb * roots.normals).sum(axis=1, keepdims=True) * roots.normals)
    along = along * np.minimum(np.linalg.norm(comb, axis=1, keepdims=True), 2.0)
    down = np.array([0.0, 1.0, 0.0]) if skull is None else _unit(np.array([0.0, 1.0, 0.0]) - skull.axes[:, 1])
    points = np.empty((len(lengths), steps, 3))
    points[:, 0] = roots.places
    for k in range(1, steps):
        u = k / (steps - 1)
        way = lift * (1 - u) ** 1.5 * roots.normals + (1 - 0.7 * u) * along + weight * u * down
        points[:, k] = points[:, k - 1] + _unit(way) * (lengths / (steps - 1))[:, None]
        if skull is not None:
            points[:, k] = skull.pushed_out(points[:, k], 0.0015 + 0.006 * lift * min(1.0, 4 * u))
    return points


def _cut_short(points: Floats, over: NDArray[np.bool_]) -> Floats:
    """Polylines (S, K, 3) that end before their first point that is `over` (S, K), with as many points as before."""
    steps = points.shape[1]
    kept = np.where(over.any(axis=1), np.maximum(over.argmax(axis=1) - 1, 0.5), steps - 1)
    at = kept[:, None] * np.linspace(0, 1, steps)
    low = np.minimum(at.astype(int), steps - 2)
    share = (at - low)[..., None]
    rows = np.arange(len(points))[:, None]
    return np.asarray(points[rows, low] * (1 - share) + points[rows, low + 1] * share)


def _locks(
    roots: _Roots,
    guides: _Roots,
    grown: Floats,
    clump: float,
    shake: float,
    rng: np.random.Generator,
) -> Floats:
    """(S, K, 3): each root's hair after its nearest guide's form, drawn towards it by `clump`, shaken by `shake` m."""
    _, nearest = cKDTree(guides.places).query(roots.places)
    u = np.linspace(0, 1, grown.shape[1])[:, None]
    form = grown[nearest] - grown[nearest, :1]
    form = form * rng.uniform(0.7, 1.05, (len(nearest), 1, 1))
    apart = (roots.places - guides.places[nearest])[:, None] * (1 - clump * u**1.3)
    bent = rng.normal(0, shake, (len(nearest), 1, 3)) * u + rng.normal(0, 0.15 * shake, form.shape) * u
    return np.asarray(guides.places[nearest][:, None] + apart + form + bent)


def _curled(points: Floats, size: float, turns: float, rng: np.random.Generator) -> Floats:
    """The polylines wound into helices of radius `size` m."""
    if size <= 0:
        return points
    u = np.linspace(0, 1, points.shape[1])
    phase = rng.uniform(0, 2 * np.pi, (len(points), 1)) * 0.25 + 2 * np.pi * turns * u
    axis = _unit(points[:, -1] - points[:, 0])
    side = _unit(np.cross(axis, (0.37, 0.21, 0.9)))
    other = np.cross(axis, side)
    wound = np.cos(phase)[..., None] * side[:, None] + np.sin(phase)[..., None] * other[:, None]
    return np.asarray(points + size * np.minimum(3 * u, 1)[:, None] * wound)


@dataclass(frozen=True)
class _Cut:
    """A haircut: how it is combed, how long it is in m, how far it stands off, how much its weight draws it down."""

    comb: str  # back, part, crown (outwards from the whorl), forward, up
    length: float
    lift: float
    weight: float
    cropped: bool


def _draw_cut(hair: HairLook, rng: np.random.Generator) -> _Cut:
    if hair.thickness < CROPPED:
        return _Cut("crown", float(rng.uniform(0.003, 0.010)), 0.5, 0.2, True)
    comb = "forward" if hair.fringe < 0.9 else str(rng.choice(["back", "part", "crown", "up"]))
    length = float(rng.uniform(0.10, 0.28) if hair.long > 0 else rng.uniform(0.02, 0.075))
    lift = 2.0 if comb == "up" else float(rng.uniform(0.25, 1.0))
    return _Cut(comb, length, lift, float(rng.uniform(0.6, 1.6)) * (1.6 if hair.long > 0 else 0.7), False)


def _combed(cut: _Cut, guides: _Roots, skull: _Skull, whorl: Floats, rng: np.random.Generator) -> Floats:
    """(S, 3) which way the hair is laid at each root; camera space, about unit."""
    x_axis, y_axis, z_axis = skull.axes.T
    aside = guides.fields[:, :1]
    if cut.comb == "back":
        return np.asarray(-1.6 * z_axis + 0.3 * y_axis + 0.5 * np.sign(aside) * x_axis)
    if cut.comb == "part":
        return np.asarray(1.6 * np.tanh((aside - rng.uniform(-0.04, 0.04)) / 0.004) * x_axis - 0.5 * z_axis)
    if cut.comb == "up":
        return rng.normal(0, 0.2, (len(aside), 3))
    outwards = _unit(guides.fields[:, :3] - whorl) @ skull.axes.T
    return np.asarray(outwards + 1.2 * z_axis if cut.comb == "forward" else outwards)


def _lengths(anatomy: Anatomy, cut: _Cut, hair: HairLook, guides: _Roots, rng: np.random.Generator) -> Floats:
    """(S,) m: a fringe ends above the eyes; what is laid back or aside at the front is long enough to lie."""
    lengths = cut.length * rng.uniform(0.75, 1.1, len(guides.places))
    if cut.comb == "forward":
        front = guides.fields[:, Z] > anatomy.ear_depth + 0.03
        reach = np.maximum(guides.fields[:, Y] - hair.fringe, 0.012) * 1.35 * rng.uniform(0.9, 1.15, len(lengths))
        return np.where(front, np.minimum(lengths, reach), lengths)
    return np.maximum(lengths, 0.05) if cut.comb in ("back", "part") else lengths


def scalp_strands(anatomy: Anatomy, subject: Subject, hair: HairLook, rng: np.random.Generator) -> Strands | None:
    """A haircut; None for the bald. Swept back, forward, parted, from the whorl outwards, or standing up."""
    if hair.layers == 0:
        return None
    cover = np.clip((anatomy.fields[:, CROWN].astype(np.float64) - hair.hairline) * 12, 0, 1)
    guides = _roots(anatomy, subject, cover, GUIDES, rng)
    cut = _draw_cut(hair, rng)
    roots = _roots(anatomy, subject, cover, 9000 if cut.cropped else 6500, rng)
    if guides is None or roots is None:
        return None
    skull = _skull(anatomy, subject)
    whorl = np.array([0.01, anatomy.fields[:, Y].max() - 0.015, anatomy.ear_depth - 0.045])
    comb = _combed(cut, guides, skull, whorl, rng) + rng.normal(0, 0.35 * hair.ragged + 0.05, (GUIDES, 3))
    lengths = _lengths(anatomy, cut, hair, guides, rng)
    grown = _grown(guides, comb, lengths, 4 if cut.cropped else 11, cut.lift, cut.weight, skull)
    if rng.random() < 0.92:
        grown = _cut_short(grown, skull.before_face(grown))
    shake = (0.02 + 0.12 * hair.ragged) * min(cut.length, 0.06)
    points = _locks(roots, guides, grown, float(rng.uniform(0.2, 0.9)), shake, rng)
    if hair.curl > 0.3 and not cut.cropped:
        points = _curled(points, 0.006 * hair.curl, cut.length * float(rng.uniform(15, 45)), rng)
    return Strands(points, float(rng.uniform(0.00025, 0.0004)) * (0.8 if cut.cropped else 1.3))


def beard_strands(anatomy: Anatomy, subject: Subject, skin: SkinLook, rng: np.random.Generator) -> Strands | None:
    """A beard of the painted one's cut; None where only stubble or nothing grows."""
    if skin.beard <= 0:
        return None
    weight = anatomy.fields[:, BEARD].astype(np.float64) ** 2 * _cut(anatomy, skin.beard_kind)
    length = float(rng.uniform(0.003, 0.022)) * skin.beard
    skull = _skull(anatomy, subject)
    guides, roots = (_roots(anatomy, subject, weight, count, rng) for count in (GUIDES, 4500))
    if guides is None or roots is None:
        return None
    comb = -1.2 * skull.axes[:, 1] + 0.4 * np.sign(guides.fields[:, :1]) * skull.axes[:, 0]
    comb = comb + rng.normal(0, 0.35, (GUIDES, 3))
    grown = _grown(guides, comb, length * rng.uniform(0.7, 1.2, GUIDES), 5, float(rng.uniform(0.3, 0.9)), 0.5, None)
    points = _locks(roots, guides, grown, float(rng.uniform(0.0, 0.5)), 0.2 * length, rng)
    return Strands(_curled(points, 0.12 * length * float(rng.random() < 0.5), 2.0, rng), float(rng.uniform(2e-4, 3e-4)))


def _cut(anatomy: Anatomy, kind: int) -> Floats:
    """(V,) where a beard of a kind grows, as `shade.shade_head` paints it: full, moustache, goatee, both."""
    aside = np.abs(anatomy.fields[:, 0] - anatomy.mouth[0])
    above = anatomy.fields[:, 1] - anatomy.mouth[1]
    wide = anatomy.mouth_half_width
    if kind == 1:
        return np.asarray((aside < wide + 0.006) & (above > 0), np.float64)
    if kind == 2:
        return np.asarray((aside < 0.6 * wide + 0.006) & (above < 0), np.float64)
    if kind == 3:
        return np.asarray(aside < wide + 0.006, np.float64)
    return np.ones(len(aside))


def brow_strands(anatomy: Anatomy, subject: Subject, skin: SkinLook, rng: np.random.Generator) -> Strands | None:
    """Short hairs that lie on the skin, outwards and a little up; of some people many and thick."""
    bold = 2.0 if rng.random() < 0.35 else 1.0
    weight = anatomy.fields[:, BROWS].astype(np.float64) ** 3
    roots = _roots(anatomy, subject, weight, int(bold * (150 + 600 * skin.brow_density)), rng)
    if roots is None:
        return None
    axes = subject.rotation @ matrix_from_vector(subject.parameters.neck)
    comb = np.sign(roots.fields[:, :1]) * axes[:, 0] + float(rng.uniform(0.1, 0.6)) * axes[:, 1]
    comb = comb + rng.normal(0, 0.2, comb.shape)
    lengths = float(rng.uniform(0.004, 0.009)) * rng.uniform(0.7, 1.2, len(comb))
    return Strands(_grown(roots, comb, lengths, 4, 0.25, 0.0, None), bold**0.5 * float(rng.uniform(1.2e-4, 2.2e-4)))


def lash_strands(subject: Subject, rng: np.random.Generator) -> Strands:
    """Upper lashes in a fan from the lids' rims; sparse, for a camera sees them as a dark line."""
    found = []
    axes = subject.rotation @ matrix_from_vector(subject.parameters.neck)
    for corner in (36, 42):
        rim, middle = subject.marks[corner : corner + 4], subject.marks[corner : corner + 6].mean(axis=0)
        at = np.sort(rng.uniform(0, 3, 46))
        roots = np.stack([np.interp(at, np.arange(4), rim[:, c]) for c in range(3)], axis=1)
        fan = _unit(roots - middle) * 0.5 + axes[:, 2]
        u = np.linspace(0, 1, 4)[:, None, None]
        length = float(rng.uniform(0.004, 0.009)) * rng.uniform(0.6, 1.1, (len(at), 1))
        bow = float(rng.uniform(-0.3, 0.5)) * axes[:, 1]
        found.append(roots + length * (u * _unit(fan) + u**2 * bow))
    points = np.concatenate(found, axis=1).transpose(1, 0, 2)
    return Strands(np.ascontiguousarray(points), float(rng.uniform(1e-4, 2.2e-4)))
