"""Whether something lies over eyes or mouth (dark glasses, a mask, a hand), by the normals network's classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.perception.doubt import Doubt
from inference_core.perception.normals import CLASSES, NormalMap

OWN: Final = tuple(CLASSES.index(name) for name in ("face", "eyes", "mouth_inside"))
"""What a face itself shows: skin with brows, lips and beard, eyes, the inside of the mouth."""
RIGHT_EYE, LEFT_EYE, MOUTH = slice(36, 42), slice(42, 48), slice(48, 60)
"""Of iBUG's 68 points."""
WIDER: Final = {"eyes": 1.5, "mouth": 1.4, "face": 0.95}
"""A place is its points' hull, so much larger: lids and lips belong to it. A face's own uncertain edge does not."""
HIDDEN: Final = 0.5
"""Share of a place from which it counts as hidden."""
PARTLY: Final = 0.3
"""The same of the whole face, of which a fringe or a beard may cover some."""


@dataclass(frozen=True)
class Hidden:
    """Shares, 0..1, of places of a face that show something else. `eyes` is that of the eye that shows more."""

    eyes: float
    mouth: float
    face: float

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """In words."""
        return tuple(self._doubts())

    def _doubts(self) -> Iterator[Doubt]:
        if self.mouth >= HIDDEN:
            yield Doubt("Something covers the mouth (a mask, a hand?); mouth and jaw are a guess.", 0.6)
        if self.eyes >= HIDDEN:
            yield Doubt("Something covers the eyes (dark glasses, hair?); lids and gaze are a guess.", 0.7)
        if self.face >= PARTLY and self.mouth < HIDDEN and self.eyes < HIDDEN:
            yield Doubt(f"{100 * self.face:.0f} % of the face are hidden; what lies there is a guess.", 0.7)


def hidden_places(normal_map: NormalMap, points: NDArray[np.float64]) -> Hidden:
    """What is hidden of a face whose 68 `points` (68, 2) lie in the crop of `normal_map`, px."""
    own = np.isin(normal_map.labels, OWN)

    def hidden(place: NDArray[np.float64], wider: float) -> float:
        middle = place.mean(axis=0)
        hull = cv2.convexHull((middle + (place - middle) * wider).astype(np.float32))
        area = (
            np.asarray(cv2.fillConvexPoly(np.zeros(own.shape, np.uint8), np.asarray(hull).astype(np.int32), (1,))) > 0
        )
        return float((~own)[area].mean()) if area.any() else 0.0

    return Hidden(
        eyes=min(hidden(points[eye], WIDER["eyes"]) for eye in (RIGHT_EYE, LEFT_EYE)),
        mouth=hidden(points[MOUTH], WIDER["mouth"]),
        face=hidden(points, WIDER["face"]),
    )
