"""A take on its head as a figure: identity baked, ARKit's 52 shapes, bones, the frames with a face as a clip."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference_core.formats.arkit import APPLE_NAMES, TURNS
from inference_core.formats.cards.worn import groomed, worn_by
from inference_core.formats.figure import Alpha, Clip, Figure, Floats, Stance, Surface, at_rest
from inference_core.formats.npz import FAULTS
from inference_core.formats.projection import carried_over, full_turn, hung, nearest_values, turned_products
from inference_core.formats.strands import Strands
from inference_core.head import Head
from inference_core.head.rotations import matrix_from_vector
from inference_core.take import Take

SIDES = ("Left", "Right")
BONES = ("root", "neck", "jaw", "eye_L", "eye_R")
_PARENTS = (-1, 0, 1, 1, 1)
_COLOURS = {
    "skin": (0.60, 0.355, 0.26), "lips": (0.47, 0.185, 0.155), "eyes": (0.83, 0.80, 0.77),
    "teeth": (0.78, 0.72, 0.60), "mouth": (0.27, 0.065, 0.06), "tongue": (0.42, 0.12, 0.115),
}  # fmt: skip
_FACING = np.diag([1.0, -1.0, -1.0])  # OpenCV's camera axes are half a turn about X away from the head's


def figure_of(take: Take, head: Head, name: str, take_path: Path | None = None) -> Figure:
    """The head stands at the origin and turns as it did before the camera. `take_path`: where its look lies."""
    rest = head.template + head.shape_dirs[..., : len(take.shape)].astype(np.float64) @ take.shape.astype(np.float64)
    joints = head.joint_regressor.astype(np.float64) @ rest
    shapes = arkit_shapes(head, rest)
    rows = np.flatnonzero(take.valid)
    values = arkit_values(take, head, rest, joints, shapes)
    turns = np.zeros((len(rows), len(BONES), 4))
    turns[..., 0] = 1.0
    turns[:, 1] = quaternions(take.neck[rows].astype(np.float64))
    seconds = take.timestamp[rows] - take.timestamp[rows[0]] if len(rows) else np.zeros(0)
    clip = Clip(name, seconds, values, turns, places(take, rows)) if len(rows) > 1 else None
    picture, painted = _picture(take, take_path)
    names = head.material_names
    return Figure(
        name=name,
        vertices=rest,
        polygons=head.quads,
        uv=np.where(head.uv_quads[..., None] >= 0, head.uv[head.uv_quads], 0.0).astype(np.float32),
        material=head.material,
        materials=tuple(Surface(item, _COLOURS.get(item, _COLOURS["skin"]), 0.5, painted) for item in names),
        shape_names=APPLE_NAMES,
        shapes=shapes,
        bones=BONES,
        parents=_PARENTS,
        joints=joints,
        weights=head.skin_weights,
        stance=at_rest(len(APPLE_NAMES), len(BONES)) if clip is not None or not len(rows) else
        Stance(values[0], turns[0], np.eye(4)),
        picture=picture,
        clip=clip,
    )  # fmt: skip


def with_hair(figure: Figure, strands: Strands | None, alpha: Alpha = Alpha.MASK) -> Figure:
    """The figure with its hair as cards."""
    return figure if strands is None else replace(figure, worn=(worn_by(figure, groomed(strands), alpha=alpha),))


def arkit_shapes(head: Head, rest: Floats) -> NDArray[np.float32]:
    """(52, V, 3) in Apple's order; 0 where the head has none. rest (V, 3): the person's face, m.

    What closes or leaves an open mouth fits jawOpen at 1.
    """
    shapes = np.zeros((len(APPLE_NAMES), head.vertex_count, 3), np.float32)
    jaw = full_turn("jawOpen")
    with_jaw = {name for name, other in head.combinations.names if other == "jawOpen"}
    whole = head.whole_expression_dirs
    found = {
        name: hung(whole[..., column], head.skin_weights[:, 2], jaw) if name in with_jaw else whole[..., column]
        for column, name in enumerate(head.expression_names)
    }
    if head.arkit_dirs is not None:
        found |= {name: head.arkit_dirs[..., column] for column, name in enumerate(head.arkit_names)}
    found |= {f"eyeBlink{side}": head.eyelid_dirs[..., column] for column, side in enumerate(SIDES)}
    for row, name in enumerate(APPLE_NAMES):
        if name in found:
            shapes[row] = found[name]
    moved = rest - head.template
    return carried_over(shapes, APPLE_NAMES, head.skin_weights, moved, head.joint_regressor.astype(np.float64) @ moved)


def arkit_values(take: Take, head: Head, rest: Floats, joints: Floats, shapes: NDArray[np.float32]) -> Floats:
    """(R, 52) in 0..1 of the rows with a face: expressions and lids as they are, joints and modes by what they show."""
    rows = np.flatnonzero(take.valid)
    values = np.zeros((len(rows), len(APPLE_NAMES)))
    modes = [column for column, name in enumerate(take.meta.expression_names) if name not in APPLE_NAMES]
    for column, name in enumerate(take.meta.expression_names):
        if name in APPLE_NAMES:
            values[:, APPLE_NAMES.index(name)] = take.expression[rows, column]
    for column, side in enumerate(SIDES):
        values[:, APPLE_NAMES.index(f"eyeBlink{side}")] = take.eyelids[rows, column]
    vectors = np.concatenate([take.neck[rows, None], take.jaw[rows, None], take.eyes[rows]], axis=1)
    turned = matrix_from_vector(vectors.astype(np.float64))
    bent = (turned - np.eye(3)).reshape(len(rows), 36)
    motion = np.concatenate([take.expression[rows], take.eyelids[rows], bent], axis=1)
    met = head.combinations.values(motion)
    for pair, (name, _) in enumerate(head.combinations.names):
        if name in take.meta.expression_names:  # what its partner lets be seen is what there is of it
            values[:, APPLE_NAMES.index(name)] = met[:, pair]
    columns = [column for column, name in enumerate(APPLE_NAMES) if shapes[column].any() and (modes or name in TURNS)]
    chosen = shapes[columns].astype(np.float64)
    correctives = head.pose_dirs.astype(np.float64).reshape(head.vertex_count, 3, 4, 9)
    wanted = np.zeros((len(rows), len(columns)))
    for bone in (2, 3, 4):
        moves = rest, head.skin_weights[:, bone], joints[bone], correctives[:, :, bone - 1]
        wanted += turned_products(chosen, *moves, turned[:, bone - 1])
    flat = chosen.reshape(len(columns), -1)
    if modes:
        told = head.expression_dirs[..., modes].reshape(flat.shape[1], -1).astype(np.float64)
        wanted += take.expression[rows][:, modes].astype(np.float64) @ (flat @ told).T
    values[:, columns] += nearest_values(flat, wanted)
    return np.asarray(np.clip(values, 0.0, 1.0))


def places(take: Take, rows: NDArray[np.intp]) -> Floats:
    """(R, 4, 4): the head in the axes of a level camera, moved so that its first place is the origin; m."""
    turned = _FACING @ matrix_from_vector(take.head_rotation[rows].astype(np.float64))
    moved = take.head_translation[rows].astype(np.float64) @ _FACING
    matrices = np.tile(np.eye(4), (len(rows), 1, 1))
    matrices[:, :3, :3] = turned
    matrices[:, :3, 3] = moved - moved[:1]
    return matrices


def quaternions(vectors: Floats) -> Floats:
    """Rotation vectors (..., 3) rad -> unit quaternions (..., 4) w x y z."""
    half = 0.5 * np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.concatenate([np.cos(half), 0.5 * vectors * np.sinc(half / np.pi)], axis=-1)


def _picture(take: Take, take_path: Path | None) -> tuple[bytes | None, bool]:
    """The look's colour picture as JPEG, where there is one."""
    if take_path is None or not take.meta.look:
        return None, False
    try:
        look = json.loads((take_path.parent / Path(take.meta.look).name).read_text(encoding="utf-8"))
        # Beside the take: a look names no other place.
        return jpeg(take_path.parent / Path(str(look["texture"])).name), True
    except (*FAULTS, Image.DecompressionBombError):
        return None, False


def jpeg(path: Path, most_px: int = 2048) -> bytes:
    """A picture as JPEG, its longer side `most_px` at most.

    Raises:
        OSError: for what is no picture, or a damaged one.
        ValueError: for one that Pillow cannot bring into RGB.
    """
    with Image.open(path) as image:
        image.thumbnail((most_px, most_px))
        file = io.BytesIO()
        image.convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()
