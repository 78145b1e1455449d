"""Pass 1: faces over time. Detected once, then held by Face Mesh alone; lost and found again; people told apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from inference_core.clip import Frame
from inference_core.formats.options import FaceChoice
from inference_core.perception.face_mesh import FaceMesher
from inference_core.perception.faces import Face, FaceFinder
from inference_core.track.alone import PrimaryFace
from inference_core.track.boxes import box_of, coincide, near, overlap
from inference_core.track.cuts import CutDetector
from inference_core.track.held import FaceTrack, extent, middle
from inference_core.track.memory import State, array_from, array_state, held_from, held_state, person_from, person_state
from inference_core.track.people import SAME_PERSON, STRANGER, AppearanceGallery, Person, appearance, recognise

SEARCH_AFTER = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5)
"""s after a loss, a cut or a start at which the whole picture is searched; then every SEARCH_EVERY."""
SEARCH_EVERY = 0.5
THOROUGH_FIRST, THOROUGH_LONGEST = 1.0, 16.0
"""s without a face after which tiles and turned pictures are searched, too; doubled each time up to the longest: a
thorough search of a picture without faces takes as long as 50 frames."""
MOST_KNOWN = 200
"""People whose looks are remembered, those seen last: in hours of film there would be thousands."""
MOST_PEOPLE = 12
"""Faces held at once; in a crowd the largest."""
LOOK_EVERY, LOOK_AGAIN = 0.3, 0.1
"""s after which a held face is compared with its person; s when it looked like somebody else."""
SAME_FACE = 0.5
"""Overlap, as a share of the smaller box, from which two are about one face."""
SURELY_SWAPPED = 1.0
"""By how much other names must suit two faces better, after they met."""
COVERED = 4.0
"""s after which nobody is expected any more to come out from behind another."""
DRAWN = 3.0
"""Distance of looks that counts as much as a leap by a face's side: of two on one face, one was drawn onto it."""
UNSURE = 0.7
"""s that somebody new is compared with those who were lost a moment ago, before there is another person."""
MEETING = 0.25
"""Of a box's sides: how near to each other faces are when they meet."""


@dataclass(frozen=True, eq=False)
class Sighting:
    """A person's face in one frame. `points` (478, 2) float32 px of the frame; `confidence` 0..1."""

    person: int
    points: NDArray[np.float32]
    confidence: float


@dataclass(frozen=True, eq=False)
class Seen:
    """What one frame shows. `cut`: it begins a new scene."""

    cut: bool
    sightings: tuple[Sighting, ...]


class Follower:
    """Give it every frame in order. People are numbered as they appear; those of one frame by size, 0 the largest.

    `people`: "largest" shows one person at a time, the largest face when nobody is followed, and holds those who come
    near only to keep them apart; "all" or a number shows everybody.
    """

    def __init__(self, faces: FaceFinder, people: FaceChoice = "largest") -> None:
        self._faces = faces
        self._alone = PrimaryFace() if people == "largest" else None
        self._cuts = CutDetector()
        self._people: list[Person] = []
        self._held: list[FaceTrack] = []
        self._near: set[frozenset[int]] = set()
        self._scene = 0
        self._attempts = 0
        self._search_at = -np.inf
        self._thorough_at = -np.inf
        self._thorough_wait = THOROUGH_FIRST

    def state(self) -> State:
        """Everything that is known after the last step."""
        return {
            "cuts": None if self._cuts.last is None else array_state(self._cuts.last),
            "followed": None if self._alone is None else self._alone.followed,
            "people": [person_state(person) for person in self._people if person.remembered],
            "numbers": len(self._people),
            "held": [held_state(held) for held in self._held],
            "near": sorted(sorted(pair) for pair in self._near),
            "scene": self._scene,
            "attempts": self._attempts,
            "search_at": float(self._search_at),
            "thorough_at": float(self._thorough_at),
            "thorough_wait": float(self._thorough_wait),
        }

    @classmethod
    def restored(cls, faces: FaceFinder, people: FaceChoice, state: State) -> Follower:
        """One that knows what `state` tells, and so goes on as the one it is from would have."""
        follower = cls(faces, people)
        follower._cuts.last = None if state["cuts"] is None else array_from(state["cuts"])
        if follower._alone is not None:
            follower._alone.followed = state["followed"]
        follower._people = [Person.unseen(number) for number in range(state["numbers"])]
        for person in map(person_from, state["people"]):
            follower._people[person.number] = person
        follower._held = [held_from(held, follower._mesher()) for held in state["held"]]
        follower._near = {frozenset(pair) for pair in state["near"]}
        follower._scene, follower._attempts = state["scene"], state["attempts"]
        follower._search_at, follower._thorough_at = state["search_at"], state["thorough_at"]
        follower._thorough_wait = state["thorough_wait"]
        return follower

    def step(self, frame: Frame) -> Seen:
        """What `frame` shows."""
        rgb, time = frame.rgb, frame.timestamp
        cut = self._cuts.step(rgb)
        if cut:
            self._scene += 1
            for held in list(self._held):
                self._lose(held)
            self._look_out(time)
            self._thorough_at = time
        for held in list(self._held):
            if not held.step(rgb, time, self._faces):
                self._lose(held)
                self._look_out(time)
        self._part(rgb, time)
        self._watch_looks(rgb, time)
        if time >= self._search_at and len(self._held) < MOST_PEOPLE:
            self._search(rgb, time)
        for held in self._held:
            self._people[held.person].seen(held.centre, held.side, held.velocity, held.time, self._scene)
        sure = [held for held in self._held if time >= self._people[held.person].sure_from]
        if self._alone is not None:
            for held in self._alone.strangers(self._held):
                self._lose(held)
            sure = self._alone.shown(sure, self._people, self._scene, time)
        return Seen(cut, tuple(_sighting(held) for held in sorted(sure, key=lambda held: held.person)))

    def _look_out(self, time: float) -> None:
        """Searches soon and often, because somebody was lost."""
        self._attempts, self._search_at = 0, time + SEARCH_AFTER[0]

    def _search(self, rgb: NDArray[np.uint8], time: float) -> None:
        self._attempts += 1
        waits = SEARCH_AFTER[self._attempts] if self._attempts < len(SEARCH_AFTER) else np.inf
        since = SEARCH_AFTER[self._attempts - 1] if self._attempts <= len(SEARCH_AFTER) else -np.inf
        self._search_at = time + min(waits - since, SEARCH_EVERY)
        found = list(self._newcomers(rgb))
        if not found and not self._held and time >= self._thorough_at:
            found = list(self._faces.find(rgb))
            self._thorough_at = time + self._thorough_wait
            self._thorough_wait = min(2 * self._thorough_wait, THOROUGH_LONGEST)
        if found:
            self._thorough_wait = THOROUGH_FIRST
            self._greet(rgb, time, sorted(found, key=lambda face: -face.area))

    def _newcomers(self, rgb: NDArray[np.uint8]) -> Iterator[Face]:
        """Faces in the whole picture that are not held, each once."""
        taken = [held.box for held in self._held]
        for found in sorted(self._faces.detect(rgb), key=lambda item: -item.score):
            if any(overlap(found.box, box) > SAME_FACE for box in taken):
                continue
            face = self._faces.face_at(rgb, found)
            if face is None:
                continue
            box = box_of(face.points)
            if not any(overlap(box, other) > SAME_FACE for other in taken):
                taken.append(box)
                yield face

    def _greet(self, rgb: NDArray[np.uint8], time: float, faces: list[Face]) -> None:
        """Takes hold of `faces`, largest first, as those they are."""
        held_now = {held.person for held in self._held}
        absent = [person for person in self._people if person.remembered and person.number not in held_now]
        samples = [appearance(rgb, face.points) for face in faces]
        traits = [
            (middle(face.points), extent(face.points), sample) for face, sample in zip(faces, samples, strict=True)
        ]
        names = recognise(absent, traits, time, self._scene)
        order = [
            n for n, face in enumerate(faces) if names[n] is not None or not self._half_covered(face, absent, time)
        ]
        if self._alone is not None:
            order = self._alone.worth_holding(order, faces, names, self._held)
        for n in order[: MOST_PEOPLE - len(self._held)]:
            person = names[n]
            if person is None:
                centre, side, _ = traits[n]
                person = Person.at(len(self._people), centre, side, time, self._scene)
                if self._hidden(absent, time):
                    person.sure_from = time + UNSURE
                self._people.append(person)
                self._forget(held_now)
            person.looks.add(samples[n])
            held = FaceTrack(person.number, self._mesher(), faces[n].points, faces[n].confidence, time)
            held.settle(rgb)
            self._held.append(held)

    def _forget(self, held_now: set[int]) -> None:
        """Lets go of the looks of whoever was seen longest ago, where there are more than MOST_KNOWN."""
        known = [person for person in self._people if person.looks.known and person.number not in held_now]
        if len(known) >= MOST_KNOWN:
            number = min(known, key=lambda person: person.time).number
            self._people[number] = Person.unseen(number)

    def _half_covered(self, face: Face, absent: list[Person], time: float) -> bool:
        """Whether this may be somebody who comes out from behind another: to be named when all of the face shows."""
        return bool(self._hidden(absent, time)) and any(
            near(box_of(face.points), held.box, MEETING) for held in self._held
        )

    def _hidden(self, absent: list[Person], time: float) -> list[Person]:
        """Those who were lost in this scene and may be behind somebody."""
        return [person for person in absent if person.scene == self._scene and time - person.time < COVERED]

    def _watch_looks(self, rgb: NDArray[np.uint8], time: float) -> None:
        """Learns how people look; lets go of a face that has become another's, as behind somebody who passes."""
        for held in list(self._held):
            person = self._people[held.person]
            if time < held.look_at and person.looks.known:
                continue
            sample = appearance(rgb, held.points)
            if time < person.sure_from:
                self._recognise_late(held, sample, time)
                held.look_at = time + LOOK_AGAIN
                continue
            far = person.looks.distance(sample)
            meets = any(held.person in pair for pair in self._near)
            if not person.looks.known or (far < SAME_PERSON and not meets):
                person.looks.add(sample)
            stranger = person.looks.known and far >= STRANGER
            held.look_at = time + (LOOK_AGAIN if stranger else LOOK_EVERY)
            held.strange = held.strange + 1 if stranger else 0
            if held.strange >= 2:
                self._lose(held)
                self._look_out(time)

    def _recognise_late(self, held: FaceTrack, sample: NDArray[np.float64], time: float) -> None:
        """Somebody who looked new when half of the face was covered may be one of those who were lost."""
        new = self._people[held.person]
        held_now = {other.person for other in self._held}
        earlier = self._people[: new.number]
        absent = [person for person in earlier if person.remembered and person.number not in held_now]
        (known,) = recognise(absent, [(held.centre, held.side, sample)], time, self._scene)
        if known is None:
            new.looks.add(sample)
            return
        new.looks, new.scene = AppearanceGallery(), -1
        known.looks.add(sample)
        held.person = known.number

    def _part(self, rgb: NDArray[np.uint8], time: float) -> None:
        """Two who sit on one face: one of them is lost. Two who have met and come apart: the names are compared."""
        for a, b in combinations(list(self._held), 2):
            if a not in self._held or b not in self._held:
                continue
            pair = frozenset((a.person, b.person))
            if overlap(a.box, b.box) > SAME_FACE and coincide(a.points, b.points):
                own = [
                    self._people[held.person].looks.distance(appearance(rgb, held.points)) + DRAWN * held.surprise
                    for held in (a, b)
                ]
                self._lose(b if own[0] <= own[1] else a)
                self._look_out(time)
            elif near(a.box, b.box, MEETING):
                self._near.add(pair)
            elif pair in self._near:
                self._near.discard(pair)
                self._name_again(rgb, a, b)

    def _name_again(self, rgb: NDArray[np.uint8], a: FaceTrack, b: FaceTrack) -> None:
        looks = [self._people[held.person].looks for held in (a, b)]
        samples = [appearance(rgb, held.points) for held in (a, b)]
        as_named = looks[0].distance(samples[0]) + looks[1].distance(samples[1])
        swapped = looks[0].distance(samples[1]) + looks[1].distance(samples[0])
        if swapped + SURELY_SWAPPED < as_named:
            a.person, b.person = b.person, a.person

    def _lose(self, held: FaceTrack) -> None:
        self._held.remove(held)
        if any(held.person in pair for pair in self._near):
            self._people[held.person].velocity = np.zeros(2)  # the other's, who has drawn the points away
        self._near = {pair for pair in self._near if held.person not in pair}

    def _mesher(self) -> FaceMesher:
        return FaceMesher(self._faces.networks, following=True)


def _sighting(held: FaceTrack) -> Sighting:
    return Sighting(held.person, held.points[:, :2].astype(np.float32), held.confidence)
