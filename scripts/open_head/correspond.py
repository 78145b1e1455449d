"""Where MediaPipe's Face Mesh sees its 478 points on the Open Head, measured on painted photographs.

Many people are painted as the training of the normals paints them (skins, brows, light, wear) under many poses and
expressions. Face Mesh runs on the pictures, each point is carried to the nearest visible pixel's place on the surface,
and all places of one point are averaged robustly on the template. The result is a small table beside this module; the
build reads it. Run by `build_open_head.py --correspond`; needs the laboratory's packages.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from .identity import MIRROR
from .source import Flags, Floats, Ints

if TYPE_CHECKING:
    from inference_core.head import Head

TABLE = Path(__file__).with_name("mediapipe_points.csv")
POINTS = 478
IRISES = range(468, 478)
LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)  # Face Mesh's inner rims of the lips, corners left out: at rest
UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)  # they touch, so the nearest surface may be the wrong lip's
PICTURES = 900
ENLARGED = 2  # times the painter's 256 px: Face Mesh cuts its own picture of 192 px
REACH = 3.5  # px: a point farther from the allowed surface is dropped
FACING = 0.25  # cosine of the least steep view that counts
MEDIAN_STEPS = 60
LARGEST_SIGMA = 0.008  # m: points that spread more are left out


@dataclass(frozen=True)
class Canvas:
    """Which parts of the head a point may lie on: template (V,3), triangles (T,3) and flags of those (T,)."""

    template: Floats
    triangles: Ints
    skin_visible: Flags
    eyeball: Flags
    jaw_carried: Flags  # the lower lip and chin


def observe(head: Head, canvas: Canvas, count: int, seed: int) -> tuple[Floats, Floats]:
    """Places on the template (O,478,3), NaN where a point was not seen, and how squarely the surface faced the
    camera (O,478).
    """
    import cv2

    from inference_core.perception.face_mesh import FaceMesher
    from inference_core.training.extractor.anatomy import build_anatomy
    from inference_core.training.extractor.sample import draw_sample
    from inference_core.training.extractor.subject import SIZE, Sitting, draw_subject
    from inference_core.training.raster import rasterise

    sitting = Sitting(yaw=18, pitch=9, roll=5, aside=0.0, smiling=0.4, distance=(0.5, 3.0))
    anatomy, mesher = build_anatomy(head), FaceMesher()
    places, facings = [], []
    for number in range(count):
        random = np.random.default_rng((seed, number))
        subject = draw_subject(head, random, sitting)
        picture = cv2.resize(draw_sample(anatomy, random, subject).rgb, None, fx=ENLARGED, fy=ENLARGED)
        marks = mesher.points(np.asarray(picture, np.uint8))
        if marks is None:
            continue
        raster = rasterise(subject.points, head.triangles, subject.intrinsics, (SIZE, SIZE))
        shares = raster.barycentric.astype(np.float64)
        place, facing = _carry(canvas, raster.triangle, shares, subject.points, marks[:, :2] / ENLARGED)
        places.append(place)
        facings.append(facing)
    return np.array(places), np.array(facings)


def _carry(canvas: Canvas, owner: Ints, weights: Floats, points: Floats, marks: Floats) -> tuple[Floats, Floats]:
    place, facing = np.full((POINTS, 3), np.nan), np.zeros(POINTS)
    corner = points[canvas.triangles]
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    view = corner.mean(axis=1)
    cosine = -(face * view).sum(axis=1) / np.maximum(np.linalg.norm(face, axis=1) * np.linalg.norm(view, axis=1), 1e-15)
    is_iris = np.isin(np.arange(POINTS), IRISES)
    for allowed, members in ((canvas.skin_visible, ~is_iris), (canvas.eyeball, is_iris)):
        rows, columns = np.nonzero((owner >= 0) & allowed[owner])
        if not len(rows):
            continue
        wanted = np.flatnonzero(members)
        far, nearest = cKDTree(np.stack([columns + 0.5, rows + 0.5], axis=1)).query(marks[wanted])
        row, column = rows[nearest], columns[nearest]
        triangle = owner[row, column]
        at = (canvas.template[canvas.triangles[triangle]] * weights[row, column][:, :, None]).sum(axis=1)
        place[wanted] = np.where((far < REACH)[:, None], at, np.nan)
        facing[wanted] = np.where(far < REACH, cosine[triangle], 0)
    return place, facing


def geometric_median(points: Floats, weight: Floats) -> Floats:
    """Weiszfeld's iteration on (N,3)."""
    centre: Floats = np.average(points, axis=0, weights=weight)
    for _ in range(MEDIAN_STEPS):
        share = weight / np.maximum(np.linalg.norm(points - centre, axis=1), 1e-5)
        centre = (points * share[:, None]).sum(axis=0) / share.sum()
    return centre


def _medians(places: Floats, facings: Floats) -> tuple[Floats, Floats]:
    """Robust place (478,3) and spread (478,) m; NaN where a point was seen too rarely."""
    centre, spread = np.full((POINTS, 3), np.nan), np.full(POINTS, np.nan)
    for index in range(POINTS):
        good = np.isfinite(places[:, index, 0]) & (facings[:, index] > FACING)
        if good.sum() < 30:
            continue
        points = places[good, index]
        centre[index] = geometric_median(points, facings[good, index])
        spread[index] = (
            np.median(np.linalg.norm(points - centre[index], axis=1)) / 1.1774
        )  # one axis of a planar scatter
    return centre, spread


def mirror_table(centre: Floats) -> Ints:
    """(478,) the point on the other side: nearest to the mirror image, mutually; -1 where there is none."""
    known = np.isfinite(centre[:, 0])
    safe = np.where(known[:, None], centre, 1e3)
    table = np.full(POINTS, -1, np.int32)
    for group in (np.arange(468), np.arange(468, POINTS)):
        distance = np.linalg.norm(safe[group][:, None] * MIRROR - safe[group][None], axis=2)
        best = distance.argmin(axis=1)
        mutual = best[best] == np.arange(len(group))
        table[group] = np.where(mutual & known[group], group[best], -1)
    return table


def closest_on_surface(points: Floats, template: Floats, triangles: Ints, allowed: Flags) -> tuple[Ints, Floats]:
    """Nearest place on the allowed triangles: triangle (N,), barycentric (N,3). Dense sampling, then exact
    projection.
    """
    index = np.flatnonzero(allowed)
    corner = template[triangles[index]]
    result_t, result_b = [], []
    tree = cKDTree(corner.mean(axis=1))
    for point in points:
        near = tree.query(point, k=40)[1]
        a, b, c = corner[near, 0], corner[near, 1], corner[near, 2]
        bary = _project(point, a, b, c)
        at = bary[:, :1] * a + bary[:, 1:2] * b + bary[:, 2:] * c
        best = int(np.linalg.norm(at - point, axis=1).argmin())
        result_t.append(index[near[best]])
        result_b.append(bary[best])
    return np.array(result_t, np.int32), np.array(result_b)


def _project(point: Floats, a: Floats, b: Floats, c: Floats) -> Floats:
    """Barycentric coordinates (N,3) of the closest point of each triangle: inside, or on the best of the three
    edges.
    """
    ab, ac, ap = b - a, c - a, point - a
    d00, d01, d11 = (ab * ab).sum(1), (ab * ac).sum(1), (ac * ac).sum(1)
    d20, d21 = (ap * ab).sum(1), (ap * ac).sum(1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-20)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    inside = np.stack([1 - v - w, v, w], axis=1)
    options = [inside]
    for p, q, slots in ((a, b, (0, 1)), (b, c, (1, 2)), (c, a, (2, 0))):
        edge = q - p
        t = np.clip(((point - p) * edge).sum(1) / np.maximum((edge * edge).sum(1), 1e-20), 0, 1)
        bary = np.zeros((len(a), 3))
        bary[:, slots[0]], bary[:, slots[1]] = 1 - t, t
        options.append(bary)
    stack = np.stack(options)
    at = np.einsum("onk,nkc->onc", stack, np.stack([a, b, c], axis=1))
    distance = np.linalg.norm(at - point, axis=2)
    distance[0, (inside < 0).any(axis=1)] = np.inf
    chosen: Floats = stack[distance.argmin(axis=0), np.arange(len(a))]
    return chosen


def symmetric_places(places: Floats, facings: Floats) -> tuple[Floats, Floats]:
    """As _medians, with every observation used on both sides."""
    first, _ = _medians(places, facings)
    table = mirror_table(first)
    both_places, both_facings = places.copy(), facings.copy()
    twin = np.where(table >= 0, table, np.arange(POINTS))
    flipped = places[:, twin] * MIRROR
    flipped[:, table < 0] = np.nan
    both_places = np.concatenate([places, flipped])
    both_facings = np.concatenate([facings, facings[:, twin]])
    centre, spread = _medians(both_places, both_facings)
    centre[table == np.arange(POINTS), 0] = 0.0
    return centre, spread


def write_table(centre: Floats, spread: Floats, canvas: Canvas, path: Path = TABLE) -> None:
    """Rows: index, triangle, three barycentric coordinates, spread in m."""
    known = np.flatnonzero(np.isfinite(centre[:, 0]) & (spread < LARGEST_SIGMA))
    is_iris, lower, upper = known >= 468, np.isin(known, LOWER_LIP), np.isin(known, UPPER_LIP)
    triangle, bary = np.zeros(len(known), np.int32), np.zeros((len(known), 3))
    for allowed, members in (
        (canvas.eyeball, is_iris),
        (canvas.skin_visible & canvas.jaw_carried, lower),
        (canvas.skin_visible & ~canvas.jaw_carried, upper),
        (canvas.skin_visible, ~(is_iris | lower | upper)),
    ):
        triangle[members], bary[members] = closest_on_surface(
            centre[known[members]], canvas.template, canvas.triangles, allowed
        )
    lines = ["index,triangle,a,b,c,sigma_m"]
    for row, index in enumerate(known):
        a, b, c = bary[row]
        lines.append(f"{index},{triangle[row]},{a:.6f},{b:.6f},{c:.6f},{spread[index]:.6f}")
    path.write_text("\n".join(lines) + "\n")


def read_table(path: Path = TABLE) -> tuple[Ints, Ints, Floats, Floats]:
    """index (M,), triangle (M,), barycentric (M,3), sigma (M,) m; empty when the table does not exist yet."""
    if not path.exists():
        empty = np.zeros(0, np.int32)
        return empty, empty, np.zeros((0, 3)), np.zeros(0)
    rows = np.loadtxt(path, delimiter=",", skiprows=1)
    bary = rows[:, 2:5] / rows[:, 2:5].sum(axis=1, keepdims=True)
    return rows[:, 0].astype(np.int32), rows[:, 1].astype(np.int32), bary, rows[:, 5]
