"""A photo and the head in it -> the detail that its mesh lacks: joins the room."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from inference_core.detail.evidence import Evidence, evidence_of, head_normals
from inference_core.detail.form import LONGEST, form_slopes
from inference_core.detail.ground import Ground, ground_of
from inference_core.detail.heights import heights_of
from inference_core.detail.lines import line_heights, lines_of
from inference_core.head import Head
from inference_core.head.model import Float32s, Mask
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
CLEAR = {"lips": 3.0, "brows": 2.5, "hidden": 3.0, "inner_mouth": 3.0}
"""mm about these regions where brightness is paint or hair, not relief."""
GLASSES = 7.0
"""mm about what covers the face: rims, their shadows, and what glass makes of the lines behind it."""
COVERED = 0.3
"""Probability of the normals network's occluder from which something covers a place."""
WORN = 0.02
"""Share of the eyes' surroundings that is covered where glasses are worn: thin rims are not seen all along."""
ASKANCE = 0.45
"""Weight of a place below which it is seen too much askance for lines, which the picture there stretches."""


@dataclass(frozen=True, eq=False)
class Relief:
    """Detail over the mesh in the head's UV, S x S, row 0 is v = 1."""

    heights: Float32s  # (S, S) mm along the mesh's normal
    slopes: Float32s  # (S, S, 2) mm a mm, to the picture's right and up: what the normal map shows
    confidence: Float32s  # (S, S) 0..1: how far that was seen, here or on the other side
    seen: float  # share of the face's texels that the photo showed
    mirrored: float  # share that the other side lent


@dataclass(frozen=True, eq=False)
class Subject:
    """One photo's face, explained: what detail needs of a reconstruction."""

    sitter: Sitter
    frame: CropFrame
    normals: NormalMap  # of the crop


def relief_of(head: Head, subject: Subject, normals: NormalEstimator, size: int = SIZE) -> Relief:
    """What one photo shows beyond the mesh.

    Raises:
        BadInput: it holds no skin to speak of.
    """
    ground = ground_of(atlas_of(head, size), subject.sitter.vertices)
    evidence = evidence_of(ground, subject.sitter, normals)
    own = seen_heights(evidence, subject)
    return _completed(ground, own, evidence.shown)


def seen_heights(evidence: Evidence, subject: Subject) -> Float32s:
    """(H, W) mm: form and lines, where the photo shows skin; 0 elsewhere."""
    ground = evidence.ground
    weight = np.clip((evidence.shown - ASKANCE) / (1.0 - ASKANCE), 0.0, 1.0) * _clear(evidence, subject)
    lines = line_heights(evidence, lines_of(evidence, weight))
    return (form_heights(evidence, subject) + lines) * ground.inside


def form_heights(evidence: Evidence, subject: Subject) -> Float32s:
    """(H, W) mm: what the normals network sees beyond the mesh."""
    ground, found = evidence.ground, subject.normals
    target, sigma = head_normals(evidence, found, subject.frame, subject.sitter.camera)
    resolution = evidence.finest / subject.frame.scale * subject.frame.size / found.classes.shape[-1]
    slope, trust = form_slopes(ground, target, sigma, resolution)
    trust = trust * evidence.shown * ground.inside
    hold = np.where(ground.inside, (2 * np.pi * ground.spacing / LONGEST) ** 2, OUTSIDE).astype(np.float32)
    known = (trust + UNSEEN) * ground.inside
    share = trust / np.maximum(known, 1e-6)
    return heights_of(slope[..., 0] * share, slope[..., 1] * share, known.astype(np.float32), hold)


def _clear(evidence: Evidence, subject: Subject) -> Float32s:
    """(H, W) 0..1: 0 on what is painted, hairy or covered, and 1 from some distance on."""
    ground, head = evidence.ground, evidence.ground.part.atlas.head
    clear = ground.inside.astype(np.float32)
    for name, distance in CLEAR.items():
        if name in head.region_names:
            clear *= np.clip(_away(ground.over(head.region(name)) > 0.5) * (ground.typical / distance), 0.0, 1.0)
    covers = subject.normals.classes[OCCLUDER]
    at = subject.frame.to_crop(evidence.place.astype(np.float64)) * (len(covers) / subject.frame.size)
    covered = ground.laid(sample(covers, at.astype(np.float32))) > COVERED
    eyes = ground.over(head.region("eyes")) > 0.5
    if covered[eyes].mean() > WORN:
        covered |= eyes
    return np.asarray(clear * np.clip(_away(covered) * (ground.typical / GLASSES) - 0.5, 0.0, 0.5) * 2.0, np.float32)


def _away(where: Mask) -> Float32s:
    """(H, W) texels: how far each is from a mask."""
    return np.asarray(cv2.distanceTransform((~where).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _completed(ground: Ground, own: Float32s, shown: Float32s) -> Relief:
    """With the other side's detail where this one is not seen."""
    part = ground.part
    there = np.nan_to_num(part.mirrored, nan=-1.0)
    lent = ground.laid(sample(ground.whole(np.stack([own * shown, shown], axis=2)), there))
    lent *= ground.laid((~np.isnan(part.mirrored[:, 0])).astype(np.float32))[..., None]
    heights = own * shown + (1.0 - shown) * lent[..., 0]
    confidence = shown + (1.0 - shown) * lent[..., 1]
    face = ground.over(part.atlas.head.region("face")) > 0.5
    across, down = (np.gradient(heights, axis=axis) / np.maximum(np.linalg.norm(way, axis=2), 1e-3)
                    for axis, way in ((1, ground.along_x), (0, ground.along_y)))  # fmt: skip
    inner = cv2.erode(ground.inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    slopes = np.stack([across, -down], axis=2) * inner[..., None]
    return Relief(
        heights=ground.whole(heights),
        slopes=ground.whole(slopes.astype(np.float32)),
        confidence=ground.whole(confidence),
        seen=float(shown[face].mean()),
        mirrored=float((confidence - shown)[face].mean()),
    )
