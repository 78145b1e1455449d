"""What the painter must know about a head: smooth fields over its vertices, from its regions and landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from inference_core.head import Head, landmarks_68, vertex_normals
from inference_core.training.raster import rasterise

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]
Indices = NDArray[np.int32]

# Columns of `Anatomy.fields`. Template coordinates first: noise is read there, so that it sticks to the skin.
X, Y, Z = 0, 1, 2
LIPS, BROWS, BEARD, OCCLUSION, FACE, INSIDE, TEETH, TONGUE, EYE_LEFT, EYE_RIGHT, SCALP, CROWN, FLUSH, LIDS = range(
    3, 17
)
FIELD_COUNT = 17


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A head and its fields. V vertices; lengths in m, head space, measured on the template."""

    head: Head
    triangles: Indices  # (T, 3)
    fields: Float32s  # (V, FIELD_COUNT), 0..1 but for the coordinates
    shell: Indices  # (K, 3) triangles that hair and hats are grown from: skin that neither moves nor folds
    eye_centres: Floats  # (2, 3) left, right
    eye_axes: Floats  # (2, 3) unit, through the pupil
    ear_height: float  # y of the ears' middle
    ear_depth: float  # z of the ears' middle
    ear_width: float  # |x| of the ears' outermost point
    brow_height: float  # y
    mouth: Floats  # (3,) middle of the mouth
    mouth_half_width: float
    chin_height: float
    nose_base: Floats  # (3,)
    bridge: Floats  # (3,) between the eyes, on the skin
    neck_centre: Floats  # (3,) middle of the lowest ring
    neck_radius: float
    uv_triangles: Indices  # (T, 3) corners in `head.uv`


def build_anatomy(head: Head) -> Anatomy:
    """Derive the fields; about a second."""
    template = head.template.astype(np.float64)
    triangles = head.triangles
    smooth = _smoother(head.vertex_count, triangles)
    marks = landmarks_68(head, template, 0.0)

    def soft(name: str, rounds: int) -> Floats:
        field = head.region(name).astype(np.float64)
        for _ in range(rounds):
            field = smooth @ field
        return field

    lips, brows = soft("lips", 1), soft("brows", 2)
    inside = head.region("inner_mouth") | head.region("teeth") | head.region("tongue")
    eyes = head.region("left_eyeball") | head.region("right_eyeball")
    ears = template[head.region("ears")]
    nose_base, mouth = marks[33], (marks[48] + marks[54]) / 2
    half_width = abs(marks[54, 0] - marks[48, 0]) / 2
    chin = float(marks[8, 1])
    ear_height, ear_depth = float(ears[:, 1].mean()), float(ears[:, 2].mean())

    face = head.region("face") | head.region("brows") | head.region("lips") | head.region("eyelids")
    skin = ~(inside | eyes)
    x, y, z = template.T
    # A beard lives below a line from the wing of the nose to the ear and fades on the neck.
    along = np.clip((np.abs(x) - half_width) / max(float(np.abs(ears[:, 0]).mean()) - half_width, 1e-3), 0, 1)
    line = nose_base[1] + along**1.5 * (ear_height - nose_base[1]) - 0.012 * np.sin(np.pi * along)
    beard = _step((line - y) / 0.006) * _step((y - chin + 0.035) / 0.012) * (1 - np.clip(lips * 1.5, 0, 1))
    beard = beard * _step((z - ear_depth - 0.005) / 0.006) * ~(inside | eyes)

    cheeks = sum(
        np.exp(-(((template - place) / 0.022) ** 2).sum(1))
        for place in ((marks[31] + marks[0] + marks[48]) / 3, (marks[35] + marks[16] + marks[54]) / 3, marks[30])
    )
    normals = vertex_normals(template, triangles)
    neck = template[head.region("neck")]
    lowest = template[y < y.min() + 0.012]
    fields = np.zeros((head.vertex_count, FIELD_COUNT), np.float32)
    fields[:, :3] = template
    for column, values in (
        (LIPS, lips),
        (BROWS, brows),
        (BEARD, beard),
        (OCCLUSION, _openness(template, normals, triangles)),
        (FACE, smooth @ _filled(face, skin, triangles)),
        (INSIDE, inside),
        (TEETH, head.region("teeth")),
        (TONGUE, head.region("tongue")),
        (EYE_LEFT, head.region("left_eyeball")),
        (EYE_RIGHT, head.region("right_eyeball")),
        (SCALP, soft("scalp", 3)),
        (CROWN, soft("scalp", 40)),
        (FLUSH, np.clip(cheeks, 0, 1)),
        (LIDS, soft("eyelids", 1)),
    ):
        fields[:, column] = values

    grown = ~(inside | eyes | head.region("hidden") | head.region("lips") | head.region("eyelids"))
    shell = triangles[grown[triangles].all(axis=1)]
    centres, axes = [], []
    for side in ("left", "right"):
        ball = head.region(f"{side}_eyeball")
        centre = (template[ball].min(0) + template[ball].max(0)) / 2
        pupil = template[ball & head.region("iris")]
        axis = pupil.mean(0) - centre if len(pupil) else np.array([0.0, 0.0, 1.0])
        centres.append(centre)
        axes.append(axis / np.linalg.norm(axis))
    return Anatomy(
        head=head,
        triangles=triangles,
        fields=fields,
        shell=np.ascontiguousarray(shell),
        eye_centres=np.asarray(centres),
        eye_axes=np.asarray(axes),
        ear_height=ear_height,
        ear_depth=ear_depth,
        ear_width=float(np.abs(ears[:, 0]).max()),
        brow_height=float(marks[17:27, 1].mean()),
        mouth=mouth,
        mouth_half_width=float(half_width),
        chin_height=chin,
        nose_base=nose_base,
        bridge=marks[27],
        neck_centre=lowest.mean(0),
        neck_radius=float(np.abs(neck[:, 0]).max()),
        uv_triangles=_uv_triangles(head),
    )


def _uv_triangles(head: Head) -> Indices:
    """(T, 3) texture corners of `head.triangles`: each polygon's, split along the diagonal 0-2."""
    both = np.stack([head.uv_quads[:, [0, 1, 2]], head.uv_quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    whole = np.stack([np.ones(len(head.quads), bool), head.quads[:, 3] >= 0], axis=1).ravel()
    return np.ascontiguousarray(both[whole], np.int32)


def _step(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(4 * x, -30, 30))))


def _smoother(count: int, triangles: Indices) -> csr_array:
    """Each vertex becomes the mean of itself and its neighbours."""
    rows = np.concatenate([triangles[:, i] for i in (0, 1, 2, 0, 1, 2)] + [np.arange(count)])
    columns = np.concatenate([triangles[:, i] for i in (1, 2, 0, 2, 0, 1)] + [np.arange(count)])
    matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    matrix.data[:] = 1.0
    return csr_array(matrix.multiply(1 / matrix.sum(axis=1)[:, None]))


def _filled(mask: NDArray[np.bool_], within: NDArray[np.bool_], triangles: Indices) -> Floats:
    """(V,) the mask with its holes closed: whatever `within` is cut off from the largest rest by the mask."""
    rest = within & ~mask
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    edges = edges[rest[edges].all(axis=1)]
    graph = csr_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(mask), len(mask)))
    part = connected_components(graph, directed=False)[1]
    largest = np.bincount(part[rest], minlength=1).argmax()
    return np.asarray(mask | (rest & (part != largest)), np.float64)


def _openness(points: Floats, normals: Floats, triangles: Indices) -> Floats:
    """(V,) share of the sky that a vertex of the neutral head sees, cosine weighted, by shadow maps from all around."""
    seen, weight = np.zeros(len(points)), np.full(len(points), 1e-6)
    centre, size, distance = points.mean(0), 128, 5.0
    for i in range(96):
        height = 1 - 2 * (i + 0.5) / 96  # a Fibonacci sphere
        angle = i * np.pi * (3 - np.sqrt(5))
        ring = np.sqrt(1 - height * height)
        towards = np.array([ring * np.cos(angle), height, ring * np.sin(angle)])
        right = np.cross(towards, [0.3, 0.9, 0.2])
        right /= np.linalg.norm(right)
        turn = np.stack([right, np.cross(-towards, right), -towards])
        local = (points - centre) @ turn.T + [0, 0, distance]
        focal = size * distance / 0.5
        intrinsics = np.array([focal, focal, size / 2, size / 2])
        raster = rasterise(local, triangles, intrinsics, (size, size))
        u = np.clip((focal * local[:, 0] / local[:, 2] + size / 2).astype(int), 0, size - 1)
        v = np.clip((focal * local[:, 1] / local[:, 2] + size / 2).astype(int), 0, size - 1)
        cosine = np.clip(normals @ towards, 0, None)
        seen += cosine * (local[:, 2] < raster.depth[v, u] + 0.006)
        weight += cosine
    return np.asarray(seen / weight)
