"""Named vertex regions and polygon materials, from texture masks, topology and what can be seen from outside."""

from __future__ import annotations

import numpy as np

from .cut import IRIS_DEGREES, PUPIL_DEGREES, Cut
from .render import HEAD_TO_CAMERA, raster, turn
from .source import Flags, Floats, Ints, Source

MATERIALS = ("skin", "lips", "eyes", "teeth", "mouth", "tongue")
VIEWS = [(yaw, pitch) for pitch in (-60.0, -30.0, 0.0, 30.0) for yaw in range(-180, 180, 20)]
VIEW_SIZE = 640


def vertex_mask(source: Source, cut: Cut, name: str) -> Floats:
    """Largest value of a texture mask over the corners at each vertex, (V,)."""
    values = source.mask(name)
    result = np.zeros(cut.count)
    for corner in range(4):
        vertex, coordinate = cut.quads[:, corner], cut.uv_quads[:, corner]
        good = vertex >= 0
        base = cut.base_uv[coordinate[good]]
        inside = base >= 0
        np.maximum.at(result, vertex[good][inside], values[base[inside]])
    return np.asarray(np.maximum(result, result[cut.mirror]))


def seen_vertices(template: Floats, triangles: Ints) -> Flags:
    """(V,) whether a vertex is a corner of a triangle that is seen from anywhere outside, the neutral mouth being
    closed.
    """
    seen = np.zeros(len(template), bool)
    centre = 0.5 * (template.min(axis=0) + template.max(axis=0))
    focal = VIEW_SIZE * 1.0 / 0.36
    for yaw, pitch in VIEWS:
        points = (template - centre) @ (HEAD_TO_CAMERA @ turn(yaw, pitch)).T + np.array([0.0, 0.0, 1.0])
        middle = VIEW_SIZE / 2
        owner, _, _ = raster(points, triangles, (focal, focal, middle, middle), (VIEW_SIZE, VIEW_SIZE))
        corner = points[triangles]
        face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        front = (face * corner.mean(axis=1)).sum(axis=1) < 0
        count = np.bincount(owner[owner >= 0], minlength=len(triangles))
        seen[triangles[(count >= 2) & front]] = True
    return seen


def region_masks(
    source: Source, cut: Cut, template: Floats, brows: Floats, eye_centres: Floats, socket: Flags, nose_base: float
) -> dict[str, Flags]:
    """All regions of the head file. brows (N,3): points along both brows; socket: inner side of the lids."""
    triangles = cut.triangles()
    skin = cut.parts["skin"]
    seen = seen_vertices(template, triangles)
    inner_mouth = skin & (vertex_mask(source, cut, "inside-mouth") > 0.5)
    lips = (vertex_mask(source, cut, "lips") > 0.5) & skin & ~inner_mouth
    lids = (vertex_mask(source, cut, "eyelids") > 0.3) & skin & ~socket
    ears = (vertex_mask(source, cut, "ears") > 0.5) & skin
    hidden = skin & (~seen | inner_mouth | socket)
    x, y, _ = template.T
    # The texture mask runs up to the crown; the hairline stands a third of the face above the brows, lower at the
    # sides.
    brow_height = float(brows[:, 1].mean())
    hairline = 2.0 * brow_height - nose_base - 0.25 * np.abs(x)
    face = skin & (vertex_mask(source, cut, "face") > 0.5) & ~ears & ~hidden & (y < hairline)
    near_eye = np.minimum(*(np.hypot((x - c[0]) / 0.026, (y - c[1] - 0.004) / 0.021) for c in eye_centres)) < 1
    eye_line = float(eye_centres[:, 1].mean())
    half_width = 0.010 + 0.011 * np.clip((eye_line - y) / (eye_line - nose_base), 0, 1)
    nose = face & (np.abs(x) < half_width) & (y < eye_line + 0.004) & (y > nose_base - 0.002)
    mouth_line = float(y[lips].mean())
    mouth = face & (np.hypot(x / 0.036, (y - mouth_line) / 0.019) < 1) & ~nose
    brow = face & (np.linalg.norm(template[:, None] - brows[None], axis=2).min(axis=1) < 0.005)
    neck = skin & (template[:, 1] < _jaw_height(template, face)) & ~face & ~ears & ~hidden
    degrees = np.concatenate([np.full(len(cut.kept), 999.0), cut.sphere_degrees, cut.sphere_degrees])
    return {
        "face": face,
        "eyes": face & near_eye,
        "nose": nose,
        "mouth": mouth,
        "ears": ears & ~hidden,
        "skin": skin,
        "scalp": skin & ~face & ~ears & ~neck & ~hidden,
        "neck": neck,
        "brows": brow,
        "lips": lips,
        "eyelids": lids,
        "inner_mouth": inner_mouth,
        "teeth": cut.parts["upper_teeth"] | cut.parts["lower_teeth"],
        "tongue": cut.parts["tongue"],
        "left_eyeball": cut.parts["left_eyeball"],
        "right_eyeball": cut.parts["right_eyeball"],
        "iris": (degrees <= IRIS_DEGREES + 0.1) & (degrees >= PUPIL_DEGREES - 0.1),
        "pupil": degrees <= PUPIL_DEGREES + 0.1,
        "hidden": hidden,
    }


def _jaw_height(template: Floats, face: Flags) -> Floats:
    """(V,) height of the border between neck and head behind the face: from the jaw's angle up to the skull's base."""
    chin = template[face][:, 1].min()
    back = chin + 0.055
    front_z, back_z = 0.03, -0.10
    return np.asarray(chin + (back - chin) * np.clip((front_z - template[:, 2]) / (front_z - back_z), 0, 1))


def polygon_materials(cut: Cut, regions: dict[str, Flags]) -> Ints:
    """(Q,) index into MATERIALS: a polygon takes a region's material when all its corners are in it."""
    corners = np.where(cut.quads >= 0, cut.quads, cut.quads[:, :1])
    material = np.zeros(len(cut.quads), np.int32)
    groups = (
        ("lips", regions["lips"]),
        ("mouth", regions["inner_mouth"]),
        ("eyes", regions["left_eyeball"] | regions["right_eyeball"]),
        ("teeth", regions["teeth"]),
        ("tongue", regions["tongue"]),
    )
    for name, members in groups:
        material[members[corners].all(axis=1)] = MATERIALS.index(name)
    return material
