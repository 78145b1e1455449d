"""A head drawn on a frame in a few milliseconds: strong lines for features, a light veil for the mesh, the gaze."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import Camera, Head, project
from inference_core.take import Take
from inference_core.track.overlay_lines import head_lines
from inference_core.track.overlay_pose import PartialPose

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Colour = tuple[int, int, int]

LEAST_SIDE = 540
"""px: smaller frames are enlarged, or lines would hide what they are about."""
LARGEST_ENLARGEMENT = 3
VEIL = 0.34
"""Opacity of the mesh; lips and lids must show through."""
FACE_FOR_THICK = 260.0
"""px of the face's width from which lines are two px wide."""
GAZE_LENGTH = 0.035
"""m."""
CLOSED = 0.10
"""Height over width of the lids' opening below which an eye shows no gaze."""
_SHIFT = 4  # bits: lines end between pixels
_COLOURS: dict[str, Colour] = {
    "jaw": (255, 214, 150),
    "nose": (255, 214, 150),
    "brows": (255, 176, 92),
    "lips": (255, 92, 124),
    "lids": (92, 240, 255),
}
_IRIS: Colour = (255, 255, 120)
_GAZE: Colour = (150, 255, 110)
_MESH: tuple[Colour, ...] = ((190, 220, 255), (196, 255, 178), (255, 196, 240), (255, 236, 160))


def enlargement(size: tuple[int, int]) -> int:
    """How many times a clip of `size` (width, height) px is enlarged for its overlay."""
    return min(LARGEST_ENLARGEMENT, max(1, math.ceil(LEAST_SIDE / max(size) - 0.2)))


def overlay_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) px of the overlay of a clip of `size`."""
    return size[0] * enlargement(size), size[1] * enlargement(size)


def canvas_for(rgb: Bytes) -> Bytes:
    """A copy of `rgb` (H, W, 3), enlarged where it is small: what heads are drawn on."""
    height, width = rgb.shape[:2]
    if enlargement((width, height)) == 1:
        return rgb.copy()
    return np.asarray(cv2.resize(rgb, overlay_size((width, height)), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def draw(rgb: Bytes, head: Head, vertices: Floats, camera: Camera, person: int = 0) -> Bytes:
    """A copy of `rgb` (H, W, 3), enlarged where it is small, with the head on it.

    `vertices` (V, 3) are posed, head space, m; `camera` is that of `rgb`.
    """
    part = _part(head)
    canvas = canvas_for(rgb)
    part.paint(canvas, vertices[part.vertices], _scaled(camera, canvas.shape[1] / rgb.shape[1]), person)
    return canvas


class Overlay:
    """Draws one person of a take. `person` chooses the mesh's colour."""

    def __init__(self, head: Head, take: Take, person: int = 0) -> None:
        self.take = take
        self._part = _part(head)
        self._pose = PartialPose(head, take.shape.astype(np.float64), self._part.vertices)
        self._person = person

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) px of what `draw` returns."""
        return overlay_size((int(self.take.image_size[0]), int(self.take.image_size[1])))

    def draw(self, rgb: Bytes, row: int) -> Bytes:
        """`rgb` (H, W, 3) with the head of a row of the take on it, in a new picture of `size`.

        `rgb` is the clip's frame, or a picture of `size` that somebody else is already drawn on.
        """
        canvas = rgb.copy() if (rgb.shape[1], rgb.shape[0]) == self.size else canvas_for(rgb)
        take = self.take
        if not take.valid[row]:
            return canvas
        camera = Camera(
            take.head_rotation[row].astype(np.float64),
            take.head_translation[row].astype(np.float64),
            take.intrinsics.astype(np.float64),
        )
        values = (take.expression, take.neck, take.jaw, take.eyes, take.eyelids)
        vertices = self._pose.pose(*(value[row].astype(np.float64) for value in values))
        self._part.paint(canvas, vertices, _scaled(camera, self.size[0] / float(take.image_size[0])), self._person)
        return canvas


def contact_sheet(
    pictures: Sequence[Bytes], labels: Sequence[str], columns: int = 6, width: int = 240, square: Floats | None = None
) -> Bytes:
    """(H, W, 3): the pictures in rows, `width` px each, with a label in the corner.

    `square` (n, 3) x, y, side px cuts a part out of each picture.
    """
    cells: list[Bytes] = []
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        if square is not None:
            picture = _cut(picture, square[number])
        height = max(1, round(picture.shape[0] * width / picture.shape[1]))
        way = cv2.INTER_AREA if picture.shape[1] > width else cv2.INTER_CUBIC
        cell = np.asarray(cv2.resize(picture, (width, height), interpolation=way), dtype=np.uint8)
        for thickness, colour in ((3, (0, 0, 0)), (1, (255, 255, 255))):
            cv2.putText(cell, label, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, thickness, cv2.LINE_AA)
        cells.append(cell)
    rows = math.ceil(len(cells) / columns)
    tall = max((cell.shape[0] for cell in cells), default=1)
    sheet = np.full((max(1, rows) * (tall + 2), columns * (width + 2), 3), 24, np.uint8)
    for number, cell in enumerate(cells):
        y, x = number // columns * (tall + 2), number % columns * (width + 2)
        sheet[y : y + cell.shape[0], x : x + width] = cell
    return sheet


def _cut(picture: Bytes, square: Floats) -> Bytes:
    side = max(2, round(float(square[2])))
    x, y = round(float(square[0]) - side / 2), round(float(square[1]) - side / 2)
    matrix = np.array([[1.0, 0.0, -x], [0.0, 1.0, -y]])
    return np.asarray(cv2.warpAffine(picture, matrix, (side, side)), dtype=np.uint8)


def _scaled(camera: Camera, scale: float) -> Camera:
    return Camera(camera.rotation, camera.translation, camera.intrinsics * scale)


class _Part:
    """What of a head is drawn, with indices into the vertices that this needs."""

    def __init__(self, head: Head) -> None:
        lines = head_lines(head)
        self.vertices = lines.vertices(head)
        place = np.full(head.vertex_count, -1, np.int64)
        place[self.vertices] = np.arange(len(self.vertices))
        self._quads = place[lines.quads]
        self._wire = place[lines.wire]
        self._wire_quads = lines.wire_quads
        self._features = lines.features
        self._rims = [(place[eye.rim], eye.lids) for eye in lines.eyes]
        self._triangles = place[head.triangles[head.mediapipe_triangles]]
        self._barycentric = head.mediapipe_barycentric

    def paint(self, canvas: Bytes, vertices: Floats, camera: Camera, person: int) -> None:
        """Draws on `canvas` (H, W, 3). `vertices`: those of `self.vertices`, head space; `camera`: the canvas's."""
        in_camera = camera.to_camera(vertices)
        if (in_camera[:, 2] <= 1e-3).any():
            return
        pixels = project(in_camera, camera.intrinsics)
        corners = pixels[self._quads]
        facing = _turned_to_us(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        shown = facing[self._wire_quads[:, 0]] | facing[self._wire_quads[:, 1]]
        width = float(np.ptp(pixels[self._quads.ravel(), 0]))
        thick = max(1.0, width / FACE_FOR_THICK)

        height, breadth = canvas.shape[:2]
        low = np.clip(np.floor(pixels.min(axis=0)).astype(int) - 4, 0, (breadth, height))
        high = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + 5, 0, (breadth, height))
        if (high <= low).any():
            return
        part = canvas[low[1] : high[1], low[0] : high[0]]
        pixels = pixels - low
        veil = part.copy()
        _lines(veil, pixels[self._wire[shown]], _MESH[person % len(_MESH)], 1)
        cv2.addWeighted(veil, VEIL, part, 1.0 - VEIL, 0.0, dst=veil)
        part[...] = veil

        places = (pixels[self._triangles] * self._barycentric[..., None]).sum(axis=1)  # affine, which is near enough
        triangle = pixels[self._triangles]
        visible = _turned_to_us(triangle[:, 1] - triangle[:, 0], triangle[:, 2] - triangle[:, 0])
        for rim, lids in self._rims:
            if visible[lids].mean() > 0.6:
                _gaze(part, in_camera[rim], pixels[rim], places[lids], camera.intrinsics, low, thick)
        for feature in self._features:
            pairs = feature.pairs[visible[feature.pairs].all(axis=1)]
            _lines(part, places[pairs], _COLOURS[feature.name], max(1, round(feature.weight * thick)))


def _turned_to_us(u: Floats, v: Floats) -> NDArray[np.bool_]:
    """Whether corners that run counter-clockwise outside do so in the picture, whose y axis points down."""
    return np.asarray(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0] < 0)


def _lines(picture: Bytes, ends: Floats, colour: Colour, thickness: int) -> None:
    """Segments (K, 2, 2) px."""
    if len(ends):
        # cv2 counts from pixel centres.
        fixed = np.round((ends - 0.5) * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(picture, list(fixed), False, colour, thickness, cv2.LINE_AA, _SHIFT)


def _gaze(
    picture: Bytes,
    rim: Floats,
    rim_pixels: Floats,
    lids: Floats,
    intrinsics: Floats,
    low: NDArray[np.int_],
    thick: float,
) -> None:
    """The iris as far as the lids leave it free, and where it looks. `rim` (N, 3) camera space, m; the rest px."""
    breadth, height = np.ptp(lids, axis=0)
    if height < CLOSED * breadth:
        return
    corner = np.clip(np.floor(lids.min(axis=0)).astype(int) - 2, 0, None)
    end = np.ceil(lids.max(axis=0)).astype(int) + 3
    window = picture[corner[1] : end[1], corner[0] : end[0]]
    if window.size == 0:
        return
    opening = np.zeros(window.shape[:2], np.uint8)
    fixed = np.round((lids - corner - 0.5) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(opening, [fixed], (255,), cv2.LINE_AA, _SHIFT)
    circle = window.copy()
    fixed = np.round((rim_pixels - corner - 0.5) * (1 << _SHIFT)).astype(np.int32)
    cv2.polylines(circle, [fixed], True, _IRIS, max(1, round(thick)), cv2.LINE_AA, _SHIFT)
    cv2.copyTo(circle, (opening > 127).astype(np.uint8), window)

    middle = rim.mean(axis=0)
    quarter = len(rim) // 4
    outwards = np.cross(rim[0] - middle, rim[quarter] - middle)
    outwards /= max(float(np.linalg.norm(outwards)), 1e-9)
    if outwards[2] > 0:  # the camera looks along +Z, a visible eye against it
        outwards = -outwards
    ray = project(np.stack([middle, middle + GAZE_LENGTH * outwards]), intrinsics) - low
    _lines(picture, ray[None], _GAZE, max(1, round(1.3 * thick)))


@lru_cache(maxsize=4)
def _part(head: Head) -> _Part:
    return _Part(head)
