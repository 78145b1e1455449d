"""A photo and the head in it -> the detail that its mesh lacks: joins the room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from inference_core.detail.evidence import Evidence, evidence_of, head_normals
from inference_core.detail.form import LONGEST, form_slopes
from inference_core.detail.ground import Ground, ground_of
from inference_core.detail.heights import heights_of
from inference_core.detail.lines import BRIGHTNESS, blurred, line_heights, lines_of
from inference_core.detail.moving import Shown, told_apart
from inference_core.detail.regions import REGIONS, amounts_of
from inference_core.errors import BadInput
from inference_core.head import Head
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.look.atlas import atlas_of
from inference_core.look.sampling import sample
from inference_core.look.study import Sitter
from inference_core.perception.crop import CropFrame
from inference_core.perception.normals import OCCLUDER, NormalEstimator, NormalMap

SIZE = 1024
"""px a side of the maps: 0.4 mm of skin a texel."""
OUTSIDE = 4.0
"""How stiffly heights are held at 0 where there is no skin: more than any slope there could lift."""
UNSEEN = 0.01
"""How far the slope 0 is believed where nothing is seen: relief runs out smoothly."""
CLEAR = {"lips": 5.0, "brows": 2.5, "hidden": 4.0, "inner_mouth": 5.0}
"""mm about these regions where brightness is paint or hair, not relief."""
FORMED = {"lips": 4.0, "inner_mouth": 4.0, "hidden": 3.0}
"""The same for form: the mesh's rims there never lie on the photo's to a millimetre."""
DARK, DARK_REACH, DARK_MARGIN = 0.22, (1.8, 9.0), 2.0
"""Logarithm of brightness by which a place of so many mm is darker than one of so many: hair, no line; mm about it."""
GLASSES = 7.0
"""mm about what covers the face: rims, their shadows, and what glass makes of the lines behind it."""
COVERED = 0.3
"""Probability of the normals network's occluder from which something covers a place."""
WORN = 0.02
"""Share of the eyes' surroundings that is covered where glasses are worn: thin rims are not seen all along."""
ASKANCE = 0.7
"""Weight of a place below which it is seen too much askance for lines, which the picture there stretches."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Detail over the mesh in the head's UV, S x S, row 0 is v = 1."""

    heights: Float32s  # (S, S) mm along the mesh's normal
    slopes: Float32s  # (S, S, 2) mm a mm, to the picture's right and up: what the normal map shows


@dataclass(frozen=True, eq=False)
class Relief:
    """What is there in every expression, or in the photo's; and what each region's wrinkles add at 1."""

    static: Layer
    moving: Layer | None  # None: not asked for, or the head has no expressions by which to tell
    confidence: Float32s  # (S, S) 0..1: how far it was seen, here or on the other side
    seen: float  # share of the face's texels that the first photo showed
    mirrored: float  # share that the other side lent


@dataclass(frozen=True, eq=False)
class Subject:
    """One photo's face, explained: what detail needs of a reconstruction."""

    sitter: Sitter
    frame: CropFrame
    normals: NormalMap  # of the crop
    expression: Floats  # (E,)


@dataclass(frozen=True, eq=False)
class Seen:
    """One photo's relief, (H, W) mm each, and how far it was seen, 0..1."""

    ground: Ground
    form: Float32s
    lines: Float32s
    shown: Float32s  # where form was seen
    asked: Float32s  # where lines were looked for


def relief_of(
    head: Head, subjects: Sequence[Subject], normals: NormalEstimator, *, moving: bool = False, size: int = SIZE
) -> Relief:
    """What photos of one person show beyond the mesh. Photos that hold no skin to speak of take no part.

    Static detail is the first photo's; what moves is told apart by all of them.

    Raises:
        BadInput: none holds skin.
    """
    found = list(_seen(head, subjects if moving else subjects[:1], normals, size))
    first = found[0][1]
    ground = first.ground
    moves = moving and any(name in head.expression_names for region in REGIONS for name in region.expressions)
    if not moves:
        return _completed(ground, first.form + first.lines, None, first.shown)
    photos = [Shown(one.lines, one.asked, amounts_of(head, subject.expression)) for subject, one in found]
    parts = told_apart(ground, photos)
    weight = np.sum([one.shown for _, one in found], axis=0)
    form = np.sum([one.form * one.shown for _, one in found], axis=0) / np.maximum(weight, 1e-3)
    shown = np.max([one.shown for _, one in found], axis=0)
    return _completed(ground, form + parts.static, parts.moving, shown)


def _seen(
    head: Head, subjects: Sequence[Subject], normals: NormalEstimator, size: int
) -> Iterator[tuple[Subject, Seen]]:
    """Of the photos that hold skin.

    Raises:
        BadInput: none does.
    """
    failure: BadInput | None = None
    some = False
    for subject in subjects:
        try:
            ground = ground_of(atlas_of(head, size), subject.sitter.vertices)
            evidence = evidence_of(ground, subject.sitter, normals)
        except BadInput as error:
            failure = failure or error
            continue
        lines, asked = lines_alone(evidence, subject)
        some = True
        inside = ground.inside.astype(np.float32)
        yield subject, Seen(ground, form_heights(evidence, subject) * inside, lines * inside, evidence.shown, asked)
    if failure is not None and not some:
        raise failure


def lines_alone(evidence: Evidence, subject: Subject) -> tuple[Float32s, Float32s]:
    """(H, W) mm that brightness says, and how far it was asked there (H, W), 0..1."""
    askance = np.clip((evidence.shown - ASKANCE) / (1.0 - ASKANCE), 0.0, 1.0)
    weight = np.asarray(askance * _clear(evidence, subject), np.float32)
    return line_heights(evidence, lines_of(evidence, weight)), weight


def form_heights(evidence: Evidence, subject: Subject) -> Float32s:
    """(H, W) mm: what the normals network sees beyond the mesh."""
    ground, found = evidence.ground, subject.normals
    target, sigma = head_normals(evidence, found, subject.frame, subject.sitter.camera)
    resolution = evidence.finest / subject.frame.scale * subject.frame.size / found.classes.shape[-1]
    slope, trust = form_slopes(ground, target, sigma, resolution)
    return relief_from(ground, slope, trust * evidence.shown * _apart(ground, FORMED))


def relief_from(ground: Ground, slope: Float32s, trust: Float32s) -> Float32s:
    """(H, W) mm from slopes (H, W, 2), mm a texel, that are believed by `trust` (H, W), 0..1; flat elsewhere."""
    hold = np.where(ground.inside, (2 * np.pi * ground.spacing / LONGEST) ** 2, OUTSIDE).astype(np.float32)
    known = ((trust + UNSEEN) * ground.inside).astype(np.float32)
    share = trust / np.maximum(known, np.float32(1e-6)) * ground.inside
    return heights_of(slope[..., 0] * share, slope[..., 1] * share, known, hold)


def _clear(evidence: Evidence, subject: Subject) -> Float32s:
    """(H, W) 0..1: 0 on what is painted, hairy or covered, and 1 from some distance on."""
    ground, head = evidence.ground, evidence.ground.part.atlas.head
    clear = _apart(ground, CLEAR)
    level = evidence.bright @ BRIGHTNESS
    near, around = (blurred(level, evidence.shown, reach / ground.typical) for reach in DARK_REACH)
    dark = (near - around < -DARK) & (evidence.shown > 0.5)
    clear *= np.clip(_away(dark) * (ground.typical / DARK_MARGIN), 0.0, 1.0)
    covers = subject.normals.classes[OCCLUDER]
    at = subject.frame.to_crop(evidence.place.astype(np.float64)) * (len(covers) / subject.frame.size)
    covered = ground.laid(sample(covers, at.astype(np.float32))) > COVERED
    eyes = ground.over(head.region("eyes")) > 0.5
    if covered[eyes].mean() > WORN:
        covered |= eyes
    return np.asarray(clear * np.clip(_away(covered) * (ground.typical / GLASSES) - 0.5, 0.0, 0.5) * 2.0, np.float32)


def _apart(ground: Ground, regions: Mapping[str, float]) -> Float32s:
    """(H, W) 0..1: 0 on the regions and as far about them as half of their distance, mm, 1 from all of it on."""
    head = ground.part.atlas.head
    clear = ground.inside.astype(np.float32)
    for name, distance in regions.items():
        if name in head.region_names:
            away = _away(ground.over(head.region(name)) > 0.5) * ground.typical
            clear *= np.clip(2.0 * away / distance - 1.0, 0.0, 1.0)
    return np.asarray(clear, np.float32)


def _away(where: Mask) -> Float32s:
    """(H, W) texels: how far each is from a mask."""
    return np.asarray(cv2.distanceTransform((~where).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _completed(ground: Ground, own: Float32s, moving: Float32s | None, shown: Float32s) -> Relief:
    """With the other side's detail where this one is not seen."""
    face = ground.over(ground.part.atlas.head.region("face")) > 0.5
    lent = _other_side(ground, shown)
    confidence = shown + (1.0 - shown) * lent

    def filled(heights: Float32s) -> Float32s:
        return heights * shown + (1.0 - shown) * _other_side(ground, heights * shown)

    # What moves was told by the basis where nothing is seen, so nothing of it has to be lent.
    return Relief(
        static=_layer(ground, filled(own)),
        moving=None if moving is None else _layer(ground, moving),
        confidence=ground.whole(confidence),
        seen=float(shown[face].mean()),
        mirrored=float((confidence - shown)[face].mean()),
    )


def _other_side(ground: Ground, values: Float32s) -> Float32s:
    """(H, W) at the mirrored place of every cell; 0 where there is none."""
    places = ground.part.mirrored
    found = sample(ground.whole(values), np.nan_to_num(places, nan=-1.0))
    found[np.isnan(places[:, 0])] = 0.0
    return ground.laid(found)


def _layer(ground: Ground, heights: Float32s) -> Layer:
    ways = ((1, ground.along_x), (0, ground.along_y))
    across, down = (
        np.gradient(heights, axis=axis) / np.maximum(np.linalg.norm(way, axis=2), 1e-3) for axis, way in ways
    )
    inner = cv2.erode(ground.inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    slopes = np.stack([across, -down], axis=2) * inner[..., None]
    return Layer(ground.whole(heights), ground.whole(slopes.astype(np.float32)))
