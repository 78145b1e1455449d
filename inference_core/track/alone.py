"""Whom one sees who follows one person alone; others are held only while they are near, to keep the faces apart."""

from __future__ import annotations

from collections.abc import Sequence

from inference_core.perception.faces import Face
from inference_core.track.boxes import box_of, near
from inference_core.track.held import FaceTrack
from inference_core.track.people import Person

PATIENCE = 2.0
"""s that the one who is followed may be out of sight before somebody else takes the place."""
COMPANY = 1.0
"""Of a box's sides: how near others must come to be held, too. Face Mesh slides from one face onto another that passes
before it; held, both stay."""


class PrimaryFace:
    """Remembers who is followed: the largest face where nobody is."""

    def __init__(self) -> None:
        self.followed: int | None = None
        """The person's number. All that is remembered."""

    def shown(self, held: Sequence[FaceTrack], people: Sequence[Person], scene: int, time: float) -> list[FaceTrack]:
        """The one of `held` who is followed; nobody, while that one may come out from behind another."""
        found = self._among(held)
        if found is None and held and not self._awaited(people, scene, time):
            found = max(held, key=lambda face: face.side)
            self.followed = found.person
        return [] if found is None else [found]

    def strangers(self, held: Sequence[FaceTrack]) -> list[FaceTrack]:
        """Those who are not, or no longer, near the one who is followed."""
        followed = self._among(held)
        if followed is None:
            return []
        return [face for face in held if not near(face.box, followed.box, COMPANY)]

    def worth_holding(
        self, order: list[int], faces: Sequence[Face], names: Sequence[Person | None], held: Sequence[FaceTrack]
    ) -> list[int]:
        """Which of the places `order` in `faces`, found beside those held: company, else whom to follow."""
        followed = self._among(held)
        if followed is not None:
            return [place for place in order if near(box_of(faces[place].points), followed.box, COMPANY)]
        known = [place for place in order if (who := names[place]) is not None and who.number == self.followed]
        return known[:1] or order[:1]

    def _among(self, held: Sequence[FaceTrack]) -> FaceTrack | None:
        return next((face for face in held if face.person == self.followed), None)

    def _awaited(self, people: Sequence[Person], scene: int, time: float) -> bool:
        if self.followed is None:
            return False
        person = people[self.followed]
        return person.scene == scene and time - person.time < PATIENCE
