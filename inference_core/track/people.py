"""Who is who: what a face looks like, and which face of now is which person of before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from inference_core.perception.landmarks import eye_centres, roll_radians
from inference_core.perception.sampling import Square, sample_square

Floats = NDArray[np.float64]

SIDE = 64
CELLS = 4
COVER = 4.0
"""Side of what is looked at over the distance between eyes and mouth: the face with some hair."""
NOTHING_NEW = 2.0
"""Distance of looks below which a sample adds nothing to those that are there."""
MOST_SAMPLES = 8
SAME_PERSON = 4.6
"""Distance of looks up to which a face is somebody's. Measured on six people: within a clip at most 3.9 from one second
to the next, between people at least 5.2, mostly 6 to 7.5."""
STRANGER = 5.4
"""Distance from which a face that is followed has become somebody else's, if it is found twice. Between the two limits
nothing is learnt: one face before another looks like both."""
RECENT, GOES_ON = 2.0, 0.5
"""s that a lost face is expected near where it was; s that it is expected to go on moving."""
_MOUTH = (61, 291)
_NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def upright_square(points: Floats) -> Square:
    """The face in `points` (478, 2 or 3) px, held by eyes and mouth: a jaw that drops does not move it."""
    eyes = eye_centres(points).mean(axis=0)
    mouth = points[list(_MOUTH), :2].mean(axis=0)
    between_eyes = float(np.linalg.norm(np.diff(eye_centres(points), axis=0)))
    distance = max(float(np.linalg.norm(mouth - eyes)), between_eyes / 2.0, 1.0)
    return Square((eyes + mouth) / 2.0, COVER * distance, roll_radians(points))


def appearance(rgb: NDArray[np.uint8], points: Floats) -> Floats:
    """(D,) what the face at `points` (478, 2 or 3) px of `rgb` looks like, for `AppearanceGallery`.

    Local binary patterns (Ahonen, Hadid, Pietikainen, "Face description with local binary patterns", 2006) in a grid of
    cells, and the colours of the cells relative to the face's brightness.
    """
    patch = sample_square(rgb, upright_square(points), SIDE, "mirror")
    lab: Floats = np.asarray(cv2.cvtColor(patch, cv2.COLOR_RGB2LAB), dtype=np.float64)
    layout: Floats = np.array(cv2.resize(lab, (CELLS * 2, CELLS * 2), interpolation=cv2.INTER_AREA), dtype=np.float64)
    layout[..., 0] = (layout[..., 0] - layout[..., 0].mean()) * 0.5
    layout[..., 1:] -= 128.0
    grey = cv2.GaussianBlur(lab[..., 0], (5, 5), 1.2)
    inner = grey[1:-1, 1:-1]
    codes = np.zeros(inner.shape, np.int64)
    for bit, (dy, dx) in enumerate(_NEIGHBOURS):
        codes |= (grey[1 + dy : SIDE - 1 + dy, 1 + dx : SIDE - 1 + dx] >= inner).astype(np.int64) << bit
    words = _UNIFORM[codes]
    cell = np.arange(SIDE - 2) * CELLS // (SIDE - 2)
    place = (cell[:, None] * CELLS + cell[None, :]) * _WORDS + words
    patterns = np.bincount(place.ravel(), minlength=CELLS * CELLS * _WORDS).astype(np.float64)
    patterns = np.sqrt(patterns / inner.size)  # Hellinger's distance between histograms is Euclid's between roots
    return np.concatenate([layout.ravel() / 60.0, patterns * 6.0])


def _uniform_words() -> tuple[NDArray[np.int64], int]:
    """Code -> word: one for each pattern with at most two changes around the ring, one for all others."""
    codes = np.arange(256)
    bits = codes[:, None] >> np.arange(8) & 1
    uniform = np.abs(np.diff(bits, axis=1, append=bits[:, :1])).sum(axis=1) <= 2
    return np.where(uniform, np.cumsum(uniform) - 1, uniform.sum()), int(uniform.sum()) + 1


_UNIFORM, _WORDS = _uniform_words()


class AppearanceGallery:
    """What one person has looked like: a few samples as different as they come."""

    def __init__(self, samples: Sequence[Floats] = ()) -> None:
        self._samples: list[Floats] = list(samples)

    @property
    def samples(self) -> tuple[Floats, ...]:
        """What is remembered, oldest first."""
        return tuple(self._samples)

    @property
    def known(self) -> bool:
        """Whether there is anything to compare with."""
        return bool(self._samples)

    def add(self, sample: Floats) -> None:
        """Remembers `sample` unless it looks as before; the oldest but the first makes room."""
        if self._samples and self.distance(sample) < NOTHING_NEW:
            return
        self._samples.append(sample)
        if len(self._samples) > MOST_SAMPLES:
            del self._samples[1]

    def distance(self, sample: Floats) -> float:
        """Of `sample` from the most alike one; infinite where nothing is known."""
        return min((float(np.linalg.norm(sample - own)) for own in self._samples), default=np.inf)


@dataclass
class Person:
    """Somebody who was seen: looks, and where the face was last. px, s."""

    number: int
    looks: AppearanceGallery
    centre: Floats  # (2,)
    side: float
    velocity: Floats  # (2,) px/s
    time: float
    scene: int
    sure_from: float = -np.inf  # s: until then this may still turn out to be somebody who was seen before

    @classmethod
    def at(cls, number: int, centre: Floats, side: float, time: float, scene: int) -> Person:
        """Somebody new, of whose looks nothing is known."""
        return cls(number, AppearanceGallery(), centre, side, np.zeros(2), time, scene)

    @classmethod
    def unseen(cls, number: int) -> Person:
        """A number that is taken, by somebody who is not remembered."""
        return cls.at(number, np.zeros(2), 1.0, -np.inf, -1)

    @property
    def remembered(self) -> bool:
        """Whether anything is known: looks, or where the face was."""
        return self.looks.known or self.time > -np.inf

    def seen(self, centre: Floats, side: float, velocity: Floats, time: float, scene: int) -> None:
        """The face is there now."""
        self.centre, self.side, self.velocity, self.time, self.scene = centre, side, velocity, time, scene

    def expected(self, time: float) -> Floats:
        """(2,) where the face would be now: it goes on for a moment, then stays."""
        drift = self.velocity * min(max(time - self.time, 0.0), GOES_ON)
        return self.centre + np.clip(drift, -1.5 * self.side, 1.5 * self.side)


def recognise(
    people: list[Person], faces: list[tuple[Floats, float, Floats]], time: float, scene: int
) -> list[Person | None]:
    """For each face - centre (2,) px, side px, appearance - the person it is, None for somebody new.

    Looks decide. Somebody lost a moment ago in the same scene is taken more easily where the face would be now, and
    less easily elsewhere.
    """
    if not people or not faces:
        return [None] * len(faces)
    cost = np.full((len(faces), len(people)), 1e3)
    for column, person in enumerate(people):
        recent = person.scene == scene and time - person.time < RECENT
        for row, (centre, side, sample) in enumerate(faces):
            far = float(np.linalg.norm(centre - person.expected(time))) / max(side, person.side)
            larger = abs(np.log(side / person.side))
            if person.looks.known:
                cost[row, column] = person.looks.distance(sample)
                if recent:
                    cost[row, column] += np.clip(far + larger, 0.0, 2.0) - 1.0
            elif recent and far + larger < 1.0:  # a resumed job knows only where people were
                cost[row, column] = far + larger
    rows, columns = linear_sum_assignment(cost)
    found: list[Person | None] = [None] * len(faces)
    for row, column in zip(rows, columns, strict=True):
        if cost[row, column] < SAME_PERSON:
            found[row] = people[column]
    return found
