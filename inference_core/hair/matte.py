"""Where a photo shows hair: what of the person is neither skin nor clothes, at the photo's own edges.

Two networks see several squares of the photo: `person.onnx` tells the person from what is behind, sharply;
`normals.onnx` tells skin from hair, but takes bright hair for an occluder and dark clothes for hair. Colours decide
between them: each kind's are learned from where the networks agree, and the decision is laid onto the photo's edges by
a guided filter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from inference_core.head.model import Float32s, Floats, Mask
from inference_core.perception.crop import CropFrame, cut, face_frame
from inference_core.perception.faces import Face
from inference_core.perception.image import Photo
from inference_core.perception.normals import CLASSES, OCCLUDER, NormalEstimator
from inference_core.perception.person import PersonFinder

SIZE = 512
SQUARES = ((2.6, 0.08), (2.2, 0.03), (1.85, 0.10), (1.85, 0.0))
"""Margin of each square, and how far it is shifted towards the crown, of its side. The first holds long and high hair;
in the others the classes are surer. Where several see a place they all have a say, the later the more."""
SAY = (0.25, 0.7, 1.0, 1.0)
PEOPLE = 2
"""In the first so many of them the person is looked for."""
SEAM = 0.06
"""Of a square's side: how wide two squares' answers fade into each other."""
EDGE_RADIUS, EDGE_TRUST = 0.012, 1e-4
"""Of the guided filter: radius over the side, variance of 0..1 colour."""
SURE = 0.75
KINDS = 5
"""Colours that make up each of hair, skin, clothes and background."""
FEWEST = 60
"""px of the coarse picture from which a colour can be learned."""
COARSE = 256
COLOUR_SAYS = 0.35
"""What the colour's likelihood is worth against the networks' answers."""
FLOOR = 0.03
"""No network is surer than this."""
SPECK = 0.03
"""Of the largest piece's area."""
WIDE = 0.2
"""Of the way from mouth to chin: how wide hair that goes on below is there at least, both sides together."""
MOUTH, CHIN = (13, 14), 152
"""Face Mesh's points between the lips, and at the chin."""
HAIR, BACKGROUND = CLASSES.index("hair"), CLASSES.index("background")
SKIN = tuple(CLASSES.index(name) for name in ("face", "skin_other", "eyes", "mouth_inside"))


@dataclass(frozen=True, eq=False)
class Matte:
    """A square of the photo, `frame`, at SIZE px. Shares are 0..1."""

    frame: CropFrame
    rgb: NDArray[np.uint8]  # (SIZE, SIZE, 3)
    hair: Float32s  # (SIZE, SIZE)
    skin: Float32s
    cover: Float32s  # hats, hands, glasses
    known: Mask  # (SIZE, SIZE): the photo, not what lies beyond it

    @property
    def mask(self) -> Mask:
        """(SIZE, SIZE): more hair than anything else."""
        return np.asarray(self.hair > 0.5)


def matte_of(photo: Photo, face: Face, intrinsics: Floats, normals: NormalEstimator, people: PersonFinder) -> Matte:
    """Runs `normals` once a square. `intrinsics` (4,) fx fy cx cy px: those of the fitted camera."""
    frames = [_frame(face, intrinsics, margin, raised) for margin, raised in SQUARES]
    whole = frames[0]
    pictures = [cut(photo.rgb, frame) for frame in frames]
    planes = _fused([_classes(rgb, frame, normals) for rgb, frame in zip(pictures, frames, strict=True)], frames, SAY)
    seen = [people.share(rgb)[None] for rgb in pictures[:PEOPLE]]
    person = _fused(seen, frames[:PEOPLE], (1.0,) * PEOPLE)[0]
    known = whole.inside(photo.size)
    mouth, chin = (
        float(whole.to_crop(face.points[[*rows], :2].astype(np.float64))[:, 1].mean()) for rows in (MOUTH, (CHIN,))
    )
    kinds = _by_colour(pictures[0], _believed(planes, person, mouth, chin), known)
    guide = pictures[0].astype(np.float32) / np.float32(255.0)
    hair, skin = (np.clip(_guided(guide, plane), 0, 1) for plane in kinds[:2])
    hair = not_the_suit(of_the_head(np.where(known, hair, 0).astype(np.float32), mouth), mouth, chin)
    cover = np.asarray(planes[OCCLUDER] * person * (1 - hair))
    return Matte(whole, pictures[0], hair, skin.astype(np.float32), cover, known)


def _frame(face: Face, intrinsics: Floats, margin: float, raised: float) -> CropFrame:
    frame = face_frame(face.points, intrinsics, face.roll, SIZE, margin)
    centre = frame.square.centre - raised * frame.square.side * frame.square.axes[:, 1]
    return replace(frame, square=replace(frame.square, centre=centre))


def _classes(rgb: NDArray[np.uint8], frame: CropFrame, normals: NormalEstimator) -> Float32s:
    """(K, SIZE, SIZE) probabilities."""
    seen = normals.estimate(rgb, frame.intrinsics)
    large = [cv2.resize(plane, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR) for plane in seen.classes]
    return np.asarray(large, dtype=np.float32)


def _fused(answers: list[Float32s], frames: list[CropFrame], say: tuple[float, ...]) -> Float32s:
    """(K, SIZE, SIZE) in the first frame: the mean of the squares' answers (K, SIZE, SIZE), each where it sees."""
    whole = frames[0]
    total, weight = answers[0] * np.float32(say[0]), np.full((SIZE, SIZE), say[0], np.float32)
    for planes, frame, worth in zip(answers[1:], frames[1:], say[1:], strict=True):
        place = _place(whole, frame)
        border = np.minimum(place, SIZE - place).min(axis=-1)
        share = np.asarray(worth * np.clip(border / (SEAM * SIZE), 0, 1), dtype=np.float32)
        x, y = np.moveaxis(place.astype(np.float32) - np.float32(0.5), -1, 0)
        laid = np.asarray(
            [cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for plane in planes]
        )
        total, weight = total + share * laid, weight + share
    return np.asarray(total / weight, dtype=np.float32)


def _place(whole: CropFrame, part: CropFrame) -> Floats:
    """(SIZE, SIZE, 2): where the whole square's pixels lie in a part's square, px."""
    row, column = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64) + 0.5
    return part.to_crop(whole.to_photo(np.stack([column, row], axis=-1)))


def _believed(planes: Float32s, person: Float32s, mouth: float, chin: float) -> Float32s:
    """(4, SIZE, SIZE), sum 1: hair, skin, clothes and background as the networks have them.

    Above the mouth a person is hair or skin: what the classes call an occluder or background there is mostly hair.
    Below the chin it is clothes, unless it is hair by its colour.
    """
    row = np.arange(SIZE)[:, None] + 0.5
    low, deep = (
        np.clip((row - start) / max(chin - mouth, 1.0) / far, 0, 1).astype(np.float32)
        for start, far in ((mouth, 1.0), (chin, 2.0))
    )
    worn = 0.7 * low + 0.2 * deep
    skin = np.asarray(sum(planes[index] for index in SKIN), dtype=np.float32)
    other = planes[OCCLUDER] + planes[BACKGROUND]
    hair = planes[HAIR] * (1 - 0.15 * low) + other * (1 - worn)
    clothes = 0.15 * low * planes[HAIR] + worn * other
    kinds = np.stack([hair * person, skin * person, clothes * person, 1 - person])
    kinds = np.maximum(kinds, FLOOR * np.stack([person, person, person * low + 1e-6, np.ones_like(person)]))
    return np.asarray(kinds / kinds.sum(axis=0), dtype=np.float32)


def _by_colour(rgb: NDArray[np.uint8], kinds: Float32s, known: Mask) -> Float32s:
    """(4, SIZE, SIZE): the networks' belief times how usual each pixel's colour is for a kind, twice learned anew."""
    small = cv2.resize(rgb, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / np.float32(255.0), cv2.COLOR_RGB2LAB), np.float32)
    prior = np.stack([cv2.resize(plane, (COARSE, COARSE), interpolation=cv2.INTER_AREA) for plane in kinds])
    inside = cv2.resize(known.astype(np.uint8), (COARSE, COARSE), interpolation=cv2.INTER_NEAREST) > 0
    now = prior
    for _ in range(2):
        likely = np.zeros_like(prior)
        for index, plane in enumerate(now):
            sure = (plane > SURE) & inside
            likely[index] = _log_likelihood(lab, np.asarray(lab[sure], np.float32)) if sure.sum() >= FEWEST else -14.0
        score = np.log(np.maximum(prior, 1e-6)) + COLOUR_SAYS * np.maximum(likely, likely.max(axis=0) - 12.0)
        now = np.exp(score - logsumexp(score, axis=0))
    large = [cv2.resize(plane.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR) for plane in now]
    return np.asarray(large, dtype=np.float32)


def _log_likelihood(lab: Float32s, learned: Float32s) -> Float32s:
    """(H, W) of colours (H, W, 3) in a mixture of Gaussians about `learned` (N, 3), one a k-means cluster."""
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 12, 0.0)
    cv2.setRNGSeed(0)
    count = min(KINDS, len(learned) // 12)
    start = np.zeros((len(learned), 1), np.int32)
    _, labels, _ = cv2.kmeans(np.ascontiguousarray(learned), count, start, criteria, 1, cv2.KMEANS_PP_CENTERS)
    labels = np.asarray(labels).ravel()
    flat = lab.reshape(-1, 3).astype(np.float64)
    parts = []
    for index in range(count):
        mine = learned[labels == index].astype(np.float64)
        if len(mine) < 4:
            continue
        spread = np.cov(mine.T) + 9.0 * np.eye(3)
        away = flat - mine.mean(axis=0)
        distance = np.einsum("ni,ij,nj->n", away, np.linalg.inv(spread), away)
        parts.append(np.log(len(mine) / len(learned)) - 0.5 * (distance + np.linalg.slogdet(spread)[1]))
    return np.asarray(logsumexp(parts, axis=0).reshape(lab.shape[:2]), dtype=np.float32)


def of_the_head(hair: Float32s, mouth: float) -> Float32s:
    """Without pieces that lie wholly below the `mouth` (row, px), or are specks: collars, suits, other people."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((hair > 0.4).astype(np.uint8), connectivity=4)
    top, area = np.asarray(stats)[:, cv2.CC_STAT_TOP], np.asarray(stats)[:, cv2.CC_STAT_AREA]
    kept = (top < mouth) & (area > SPECK * area[1:].max(initial=1))
    kept[0] = True  # what is no hair
    return np.where(kept[np.asarray(labels)], hair, 0).astype(np.float32)


def not_the_suit(hair: Float32s, mouth: float, chin: float) -> Float32s:
    """Hair below the chin (rows, px) comes down beside nose and mouth; else what is dark there are clothes."""
    first, last = (int(np.clip(row, 0, len(hair))) for row in (2 * mouth - chin, chin))
    if last <= first:
        return hair
    wide = (hair[first:last] > 0.5).sum(axis=1)
    narrowest = int(wide.argmin())
    if wide[narrowest] >= WIDE * (last - first):
        return hair
    kept = hair.copy()
    kept[first + narrowest :] = 0
    return kept


def _guided(guide: Float32s, values: Float32s) -> Float32s:
    """He, Sun and Tang, Guided Image Filtering (ECCV 2010): `values` (S, S) with the edges of `guide` (S, S, 3)."""
    side = 2 * round(EDGE_RADIUS * len(guide)) + 1

    def mean(plane: Float32s) -> Float32s:
        return np.asarray(cv2.blur(plane, (side, side)), dtype=np.float32)

    middle, average = mean(guide), mean(values)
    across = mean(guide * values[..., None]) - middle * average[..., None]
    products = mean((guide[..., :, None] * guide[..., None, :]).reshape(*values.shape, 9)).reshape(*values.shape, 3, 3)
    spread = (
        products - middle[..., :, None] * middle[..., None, :] + np.float32(EDGE_TRUST) * np.eye(3, dtype=np.float32)
    )
    slope = np.linalg.solve(spread, across[..., None])[..., 0]
    rest = average - (slope * middle).sum(axis=-1)
    return np.asarray((mean(slope) * guide).sum(axis=-1) + mean(rest), dtype=np.float32)
