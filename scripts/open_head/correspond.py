"""Where MediaPipe's Face Mesh sees its 478 points on the Open Head, measured on renders.

Many painted identities are rendered from many views, Face Mesh runs on the pictures, each point is carried to the
nearest
visible pixel's place on the surface, and all places of one point are averaged robustly on the template. The result
is a small
table beside this module; the build reads it. Run by `build_open_head.py --correspond`; needs the package mediapipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from .identity import MIRROR
from .render import AMBIENT, HEAD_TO_CAMERA, LIGHTS, normals, raster, turn
from .source import Flags, Floats, Ints

TABLE = Path(__file__).with_name("mediapipe_points.csv")
POINTS = 478
IRISES = range(468, 478)
LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)  # Face Mesh's inner rims of the lips, corners left out: at rest
UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)  # they touch, so the nearest surface may be the wrong lip's
IDENTITIES = 110
VIEWS = 3
SIZE = 512
EXTENT = 0.34  # m across the picture
DISTANCE = 1.1
REACH = 7.0  # px: a point farther from the allowed surface is dropped
FACING = 0.25  # cosine of the least steep view that counts
MEDIAN_STEPS = 60
LARGEST_SIGMA = 0.008  # m: points that spread more are left out


@dataclass(frozen=True)
class Canvas:
    """What the renders need to know of the head: topology, parts and the template for painting."""

    template: Floats
    triangles: Ints
    skin_visible: Flags  # (T,) triangles of visible skin
    eyeball: Flags  # (T,)
    jaw_carried: Flags  # (T,) triangles of the lower lip and chin
    lips: Floats  # (V,) 0..1
    scalp: Floats
    dark: Floats  # nostrils, mouth bag
    teeth: Flags  # (V,)
    brows: Floats  # (N,3) dense points along the brows on the template
    lashes: Floats  # (N,3) dense points along the upper lids' margin
    eye_centres: Floats
    iris_cosine: float
    pupil_cosine: float


def _paint(canvas: Canvas, random: np.random.Generator, triangle: Ints, share: Floats, forward: Floats) -> Floats:
    """Colours (P,3) BGR of covered pixels; share (P,3) barycentric, forward (P,) cosine of eyeball pixels to the
    gaze or -2.
    """
    corners = canvas.triangles[triangle]

    def at(values: Floats) -> Floats:
        return np.asarray((values[corners] * share).sum(axis=1)[:, None])

    tone = random.uniform(0.35, 1.0)
    skin = np.array([0.52, 0.64, 0.86]) * tone + np.array([0.10, 0.12, 0.10]) * (1 - tone) + random.normal(0, 0.02, 3)
    lip = skin * np.array([0.78, 0.66, 0.92])
    hair = np.array([0.08, 0.10, 0.13]) * random.uniform(0.6, 2.5)
    colour = skin + (lip - skin) * np.clip(at(canvas.lips) * 1.4 - 0.2, 0, 1)
    if random.random() < 0.6:
        colour = colour + (hair - colour) * np.clip(at(canvas.scalp) * 3 - 1.5, 0, 1)
    colour = colour * (1 - 0.75 * np.clip(at(canvas.dark), 0, 1))
    place = (canvas.template[corners] * share[:, :, None]).sum(axis=1)
    skin_pixels = canvas.skin_visible[triangle]
    brow_distance = cKDTree(canvas.brows).query(place, distance_upper_bound=0.02)[0]
    lash_distance = cKDTree(canvas.lashes).query(place, distance_upper_bound=0.02)[0]
    brow = np.clip((0.0042 - brow_distance) / 0.0020, 0, 1) * random.uniform(0.5, 0.9)
    lash = np.clip((0.0010 - lash_distance) / 0.0006, 0, 1) * random.uniform(0.3, 0.8)
    cover = np.where(skin_pixels, np.maximum(brow, lash), 0)[:, None]
    colour = colour + (hair - colour) * cover
    teeth = canvas.teeth[corners[:, 0]]
    colour[teeth] = (0.80, 0.86, 0.88)
    ball = canvas.eyeball[triangle]
    iris = np.array([0.35, 0.3, 0.25]) * random.uniform(0.4, 1.4) + random.uniform(0, 0.15, 3)
    colour[ball] = (0.86, 0.88, 0.90)
    colour[ball & (forward > canvas.iris_cosine)] = iris
    colour[ball & (forward > canvas.pupil_cosine)] = 0.03
    return np.asarray(colour)


def render(
    canvas: Canvas, vertices: Floats, rotation: Floats, random: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], Ints, Floats, Floats]:
    """Picture (H,W,3) RGB uint8, triangle (H,W), barycentric (H,W,3), points in the camera frame (V,3)."""
    centre = 0.5 * (canvas.template.min(axis=0) + canvas.template.max(axis=0))
    points = (vertices - centre) @ (HEAD_TO_CAMERA @ rotation).T + np.array([0.0, 0.0, DISTANCE])
    focal, middle = SIZE * DISTANCE / EXTENT, SIZE / 2
    owner, weights, _ = raster(points, canvas.triangles, (focal, focal, middle, middle), (SIZE, SIZE))
    seen = owner >= 0
    triangle, share = owner[seen], weights[seen].astype(np.float64)
    normal = (normals(points, canvas.triangles)[canvas.triangles[triangle]] * share[:, :, None]).sum(axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    local = (canvas.template[canvas.triangles[triangle]] * share[:, :, None]).sum(axis=1)
    forward = np.full(len(triangle), -2.0)
    for eye in canvas.eye_centres:
        offset = local - eye
        length = np.linalg.norm(offset, axis=1)
        forward = np.where(length < 0.02, np.maximum(forward, offset[:, 2] / np.maximum(length, 1e-9)), forward)
    light = np.full(len(triangle), AMBIENT + random.uniform(0, 0.25))
    for strength, direction in LIGHTS:
        towards = np.array(direction) + random.normal(0, 0.35, 3)
        light += strength * np.maximum(normal @ (towards / np.linalg.norm(towards)), 0)
    image = np.full((SIZE, SIZE, 3), 1.0) * random.uniform(0.1, 0.9, 3)
    image[seen] = _paint(canvas, random, triangle, share, forward) * light[:, None]
    noisy = np.clip(image, 0, 1) ** (1 / 1.4) * 255 + random.normal(0, 2, image.shape)
    rgb = np.ascontiguousarray(np.clip(noisy, 0, 255).astype(np.uint8)[:, :, ::-1])
    return rgb, owner, weights.astype(np.float64), points


def observe(canvas: Canvas, heads: list[Floats], seed: int) -> tuple[Floats, Floats]:
    """Places on the template (O,478,3), NaN where a point was not seen, and how squarely the surface faced the
    camera (O,478).
    """
    import mediapipe

    random = np.random.default_rng(seed)
    detector = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True, max_num_faces=1)
    places, facings = [], []
    for vertices in heads:
        for _ in range(VIEWS):
            rotation = turn(float(random.uniform(-42, 42)), float(random.uniform(-15, 15)))
            rgb, owner, weights, points = render(canvas, vertices, rotation, random)
            found = detector.process(rgb)
            if not found.multi_face_landmarks:
                continue
            marks = np.array([[m.x * SIZE, m.y * SIZE] for m in found.multi_face_landmarks[0].landmark])
            place, facing = _carry(canvas, owner, weights, points, marks)
            places.append(place)
            facings.append(facing)
    detector.close()
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
