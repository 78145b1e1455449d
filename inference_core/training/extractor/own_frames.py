"""Frames of a user's own clip, explained by our full fit: what `adapt` learns from and what it is judged by.

The clip is cut into blocks. Every fifth is held out: a frame is hardly ever held out while its neighbour a moment later
is learned from. The person's shape comes from frames that are learned from, and is the same in all frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.clip import open_clip
from inference_core.errors import BadInput, NoFace
from inference_core.fit import Observation, fit_face, place_head
from inference_core.head import Camera, Head, HeadParameters, mediapipe_points, pose_head, with_identity
from inference_core.n2fnet import Estimate
from inference_core.perception.crop import CropFrame, cut, face_frame
from inference_core.perception.faces import Face
from inference_core.perception.landmarks import IBUG_68
from inference_core.perception.normals import NormalMap
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import observation, shows_skin
from inference_core.track.identity import MOST_FRAMES, estimate_identity

Floats = NDArray[np.float64]
BLOCKS = 20
HELD_OUT_EVERY = 5
USUAL_FOCAL = 1.2
"""Of the longer side: the product's own guess where nothing tells the focal length."""
FEWEST = 12
"""Frames with a face below which a clip says too little."""
Tell = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True)
class Place:
    """Where a chosen frame lies: its index in the clip, its block of BLOCKS, and whether it is held out."""

    index: int
    block: int
    held_out: bool


@dataclass(frozen=True, eq=False)
class SeenFrame:
    """A frame before any fit. It is the `Evidence` of `track.identity`."""

    place: Place
    rgb: NDArray[np.uint8]
    face: Face
    frame: CropFrame
    normal_map: NormalMap
    seen: Observation
    guess: Estimate | None


@dataclass(frozen=True, eq=False)
class FittedFrame:
    """A frame and the head that explains it, under the camera of its crop."""

    sight: SeenFrame
    vertices: Floats  # (V, 3) head space, m
    camera: Camera
    landmark_error: float  # over the distance between the eyes


@dataclass(frozen=True, eq=False)
class OwnFrames:
    """`learned` and `held_out` frames of one person; held-out frames come in pairs of neighbours in time."""

    head: Head  # with the person's shape baked in
    learned: tuple[FittedFrame, ...]
    held_out: tuple[FittedFrame, ...]


def places(count: int, wanted: int) -> list[Place]:
    """About `wanted` of a clip's `count` frames, ascending.

    Learned frames are spread evenly over their blocks; held-out ones are pairs of neighbours, to see flicker. Learned
    frames next to a held-out block are left out.
    """
    edges = np.linspace(0, count, BLOCKS + 1).round().astype(int)
    each = max(1, wanted // BLOCKS)
    found: list[Place] = []
    for block in range(BLOCKS):
        first, end = int(edges[block]), int(edges[block + 1])
        if end - first < 1:
            continue
        held = block % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
        if held:
            starts = np.linspace(first, max(first, end - 2), max(1, each // 2)).round().astype(int)
            chosen = np.unique(np.concatenate([starts, np.minimum(starts + 1, end - 1)]))
        else:
            near = (end - first) // 4
            low = first + near * (block % HELD_OUT_EVERY == 0 and block > 0)
            high = end - near * (block % HELD_OUT_EVERY == HELD_OUT_EVERY - 2)
            chosen = np.unique(np.linspace(low, max(low, high - 1), each).round().astype(int))
        found += [Place(int(index), block, held) for index in chosen]
    return found


def own_frames(source: str | Path, models: Models, wanted: int, tell: Tell = lambda *_: None) -> OwnFrames:
    """Read, find and fit.

    Raises:
        BadInput: for a clip that cannot be read or says too little.
        NoFace: for one without.
    """
    with open_clip(source) as clip:
        count = clip.info.frame_count or sum(1 for _ in clip.frames())
        chosen = {place.index: place for place in places(count, wanted)}
        sights: list[SeenFrame] = []
        for frame in clip.frames(0, max(chosen, default=0) + 1):
            if frame.index in chosen:
                sight = _sight(models, chosen[frame.index], frame.rgb)
                sights += [] if sight is None else [sight]
                tell("finding the face", len([p for p in chosen if p <= frame.index]), len(chosen))
    if not sights:
        raise NoFace(f"No face was found in '{Path(source).name}'.", "Give a clip in which one face is well seen.")
    learned = [sight for sight in sights if not sight.place.held_out]
    if len(learned) < FEWEST or len(sights) == len(learned):
        raise BadInput(
            f"'{Path(source).name}' shows a face in {len(learned)} usable frames only.",
            f"Give a clip with at least {5 * FEWEST} frames of one face.",
        )
    tell("estimating the person", 0, 1)
    spread = np.unique(np.linspace(0, len(learned) - 1, MOST_FRAMES).round().astype(int))
    identity = estimate_identity(models.head, [learned[i] for i in spread], free_focal=True)
    person = with_identity(models.head, identity.shape)
    fitted = list(_fits(person, identity.intrinsics, sights, tell))
    return OwnFrames(
        person,
        tuple(one for one in fitted if not one.sight.place.held_out),
        tuple(one for one in fitted if one.sight.place.held_out),
    )


def _sight(models: Models, place: Place, rgb: NDArray[np.uint8]) -> SeenFrame | None:
    faces = models.faces.find(rgb)
    if not faces:
        return None
    height, width = rgb.shape[:2]
    intrinsics = np.array([USUAL_FOCAL * max(width, height)] * 2 + [width / 2, height / 2])
    frame = face_frame(faces[0].points, intrinsics, faces[0].roll)
    found = models.normals.estimate(cut(rgb, frame), frame.intrinsics)
    found = replace(found, face_mask=found.face_mask & frame.inside((width, height)))
    if not shows_skin(found):
        return None
    seen = observation(models.head, faces[0].points, frame, found, (width, height))
    guess = None
    if models.regressor is not None:
        guess = models.regressor.estimate(found.normals, found.face_mask, frame.intrinsics)
    return SeenFrame(place, rgb, faces[0], frame, found, seen, guess)


def _fits(person: Head, intrinsics: Floats, sights: Sequence[SeenFrame], tell: Tell) -> Iterator[FittedFrame]:
    """Every frame with the person's shape and focal length, which a fit of one frame cannot know."""
    for number, sight in enumerate(sights):
        frame = CropFrame(sight.frame.square, sight.frame.size, intrinsics)
        seen = replace(sight.seen, intrinsics=frame.intrinsics)
        base = HeadParameters.neutral(person) if sight.guess is None else sight.guess.parameters
        start = replace(base, shape=np.zeros(0))
        result = fit_face(person, seen, start, place_head(person, start, seen.points, seen.intrinsics))
        vertices = pose_head(person, result.parameters)
        error = landmark_error(person, vertices, result.camera, sight)
        yield FittedFrame(replace(sight, frame=frame, seen=seen), vertices, result.camera, error)
        tell("fitting", number + 1, len(sights))


def landmark_error(head: Head, vertices: Floats, camera: Camera, sight: SeenFrame) -> float:
    """Mean distance of the inner points from Face Mesh's, over the distance between the eyes."""
    inner = np.isin(head.mediapipe_index, IBUG_68[17:])
    on_head = camera.project(mediapipe_points(head, vertices)[inner])
    away = np.linalg.norm(on_head - sight.seen.points[inner], axis=1).mean()
    return float(away / (sight.face.eye_distance * sight.frame.scale))
