"""A take's curves as text: ARKit's 52 values and the head's turn, a row per frame with a face."""

from __future__ import annotations

import json

import numpy as np
from scipy.spatial.transform import Rotation

from inference_core.export.figure_of_take import quaternions
from inference_core.formats.figure import Figure, Floats, matrices_of
from inference_core.formats.glb import continuous
from inference_core.take import Take

TURN_COLUMNS = ("headYaw", "headPitch", "headRoll")
"""Degrees, R = R_y(yaw) R_x(pitch) R_z(roll) in head axes: to the subject's left, downwards, left side up."""
PLACE_COLUMNS = ("headX", "headY", "headZ")
"""Metres from where the head stood first, for a level camera that faces it: right in the picture, up, near."""
_JSON_VERSION = 1


def csv_text(figure: Figure, take: Take) -> str:
    """Comma-separated: frame, seconds, the 52 in Apple's order, the head's turn and place."""
    seconds, values, angles, places = motion(figure)
    frames = take.frame_index[take.valid]
    header = ",".join(("frame", "seconds", *figure.shape_names, *TURN_COLUMNS, *PLACE_COLUMNS))
    rows = np.column_stack([seconds, values, angles, places])
    lines = [
        f"{frame},{row[0]:.6f}," + ",".join(f"{value:.6f}" for value in row[1:])
        for frame, row in zip(frames.tolist(), rows, strict=True)
    ]
    return "\n".join([header, *lines]) + "\n"


def json_text(figure: Figure, take: Take) -> str:
    """One object: what the columns are, then an array per column."""
    seconds, values, angles, places = motion(figure)
    rows = np.column_stack([values, angles, places])
    names = (*figure.shape_names, *TURN_COLUMNS, *PLACE_COLUMNS)
    content = {
        "format": "n2f-curves",
        "version": _JSON_VERSION,
        "name": figure.name,
        "fps": take.meta.fps,
        "frame": take.frame_index[take.valid].tolist(),
        "seconds": seconds.round(6).tolist(),
        "curves": {name: rows[:, column].round(6).tolist() for column, name in enumerate(names)},
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def bvh_text(figure: Figure, take: Take, rate: float) -> str:
    """Biovision's hierarchy of the head's joints, centimetres and degrees, at an even rate.

    BVH has no times: frames between those of the take, a pause in it too, are filled by interpolation.
    """
    seconds, _, _, places = motion(figure)
    count = round(float(seconds[-1]) * rate) + 1
    wanted = np.arange(count) / rate
    turns, roots = _turns(figure, take)
    root = _interpolated(seconds, roots, wanted)
    joints = [_interpolated(seconds, turns[:, bone], wanted) for bone in range(1, len(figure.bones))]
    moved = np.stack([np.interp(wanted, seconds, places[:, axis]) for axis in range(3)], axis=1)
    rows = np.concatenate([100.0 * moved, *(_zxy(turn) for turn in (root, *joints))], axis=1)
    text = "\n".join(" ".join(f"{value:.5f}" for value in row) for row in rows)
    return f"{_hierarchy(figure)}MOTION\nFrames: {count}\nFrame Time: {1.0 / rate:.8f}\n{text}\n"


def motion(figure: Figure) -> tuple[Floats, Floats, Floats, Floats]:
    """Seconds (F,), values (F, 52), the head's yaw, pitch, roll in degrees (F, 3), its place (F, 3) m."""
    clip = figure.clip
    if clip is None:
        stance = figure.stance
        seconds, values = np.zeros(1), stance.values[None]
        turned, places = stance.place[None, :3, :3] @ matrices_of(stance.turns[None, 1]), stance.place[None, :3, 3]
    else:
        seconds, values, places = clip.seconds, clip.values, clip.places[:, :3, 3]
        turned = clip.places[:, :3, :3] @ matrices_of(clip.turns[:, 1])
    yaw = np.arctan2(turned[:, 0, 2], turned[:, 2, 2])
    pitch = np.arcsin(np.clip(-turned[:, 1, 2], -1.0, 1.0))
    roll = np.arctan2(turned[:, 1, 0], turned[:, 1, 1])
    return seconds, values, np.degrees(np.stack([yaw, pitch, roll], axis=1)), np.asarray(places)


def _turns(figure: Figure, take: Take) -> tuple[Floats, Floats]:
    """Of the bones (F, B, 4), jaw and eyes as the take has them, and of the whole figure (F, 4)."""
    rows = take.valid
    vectors = np.concatenate([take.neck[rows, None], take.jaw[rows, None], take.eyes[rows]], axis=1).astype(np.float64)
    turns = np.zeros((len(vectors), len(figure.bones), 4))
    turns[..., 0] = 1.0
    turns[:, 1:] = quaternions(vectors)
    places = figure.stance.place[None] if figure.clip is None else figure.clip.places
    return turns, _quaternion(places[:, :3, :3])


def _quaternion(matrices: Floats) -> Floats:
    return np.asarray(np.roll(Rotation.from_matrix(matrices).as_quat(), 1, axis=1))


def _interpolated(seconds: Floats, turns: Floats, wanted: Floats) -> Floats:
    """(N, 4) normalised linear: between neighbouring frames the difference to the great arc is below 0.01 degree."""
    smooth = continuous(turns)
    mixed = np.stack([np.interp(wanted, seconds, smooth[:, column]) for column in range(4)], axis=1)
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True))


def _zxy(turns: Floats) -> Floats:
    """(N, 3) degrees about Z, X, Y, as BVH multiplies them: R = R_z R_x R_y."""
    r = matrices_of(turns)
    z = np.arctan2(-r[:, 0, 1], r[:, 1, 1])
    x = np.arcsin(np.clip(r[:, 2, 1], -1.0, 1.0))
    y = np.arctan2(-r[:, 2, 0], r[:, 2, 2])
    return np.asarray(np.degrees(np.unwrap(np.stack([z, x, y], axis=1), axis=0)))


def _hierarchy(figure: Figure) -> str:
    lines = ["HIERARCHY"]

    def write(bone: int, depth: int) -> None:
        tabs = "\t" * depth
        parent = figure.parents[bone]
        place = 100.0 * (figure.joints[bone] - (figure.joints[parent] if parent >= 0 else figure.joints[bone]))
        lines.append(f"{tabs}{'ROOT' if parent < 0 else 'JOINT'} {figure.bones[bone]}")
        lines.append(f"{tabs}{{")
        lines.append(f"{tabs}\tOFFSET {place[0]:.5f} {place[1]:.5f} {place[2]:.5f}")
        channels = "6 Xposition Yposition Zposition" if parent < 0 else "3"
        lines.append(f"{tabs}\tCHANNELS {channels} Zrotation Xrotation Yrotation")
        children = [child for child, above in enumerate(figure.parents) if above == bone]
        for child in children:
            write(child, depth + 1)
        if not children:
            lines.append(f"{tabs}\tEnd Site\n{tabs}\t{{\n{tabs}\t\tOFFSET 0.0 0.0 3.0\n{tabs}\t}}")
        lines.append(f"{tabs}}}")

    write(0, 0)
    return "\n".join(lines) + "\n"
