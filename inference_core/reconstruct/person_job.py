"""Many photos of one person into one folder: one take whose frames are the photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from inference_core.errors import BadInput
from inference_core.formats.options import ReconstructOptions
from inference_core.reconstruct.job import Event, FaceDone, Job, StageReached
from inference_core.reconstruct.likeness import SAME_PERSON, judge
from inference_core.reconstruct.person_files import facts_of_person, write_person
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor
from inference_core.reconstruct.together import Alone, fit_one_person


def job_for(
    images: Sequence[str],
    out: Path,
    options: ReconstructOptions,
    emit: Callable[[Event], None],
    cancelled: Callable[[], bool] = lambda: False,
) -> Job:
    """The job that does what the options say with these photos."""
    one_face = options.face != "all" and options.fit
    one_person = options.one_person != "no" and one_face and len(images) > 1
    return (PersonJob if one_person else Job)(images, out, options, emit, cancelled)


class PersonJob(Job):
    """All photos as one person, written into the output folder itself.

    A photo of somebody else fails with a sentence; where the photos only may show one person (`one_person` "agree") it
    becomes a head of its own, and where most of them differ, every one does.
    """

    def _work(self, reconstructor: Reconstructor) -> None:
        alone: dict[int, Alone] = {}
        for index in range(len(self._images)):
            with self._attempt(index):
                alone[index] = self._examined(reconstructor, index, self._checkpoint(index))
        if not alone:
            return
        indices = list(alone)
        shapes = np.array([one.fit.parameters.shape for one in alone.values()])
        verdict = judge(shapes, reconstructor.models.usual_shape)
        same = [indices[place] for place in verdict.same]
        others = {indices[place]: alike for place, alike in verdict.others}
        agree = self._options.one_person == "agree"
        if agree and 2 * len(same) <= len(indices):  # they have nothing to do with each other
            same, others = [], dict.fromkeys(indices, 0.0)
        if same:
            with self._attempt(same[0], len(same)):
                self._person(reconstructor, same, alone)
        for index, alike in others.items():
            with self._attempt(index):
                if not agree:
                    raise self._stranger(index, alike, same)
                self._by_itself(reconstructor, index, alone[index])

    def _examined(self, reconstructor: Reconstructor, index: int, stop: StageReached) -> Alone:
        photo, faces, found, timings = reconstructor.faces_of(self._images[index], self._options, stop)
        number, face = faces[0]
        shown = reconstructor.examine(
            photo, face, self._options, stop, number=number, faces_found=found, timings_ms=timings
        )
        stop("fit")
        return Alone(shown, reconstructor.fit(shown))

    def _person(self, reconstructor: Reconstructor, same: Sequence[int], alone: dict[int, Alone]) -> None:
        stop = self._checkpoint(len(self._images) - 1)
        stop("fit")
        made = fit_one_person(reconstructor, [alone[index].shown for index in same])
        others = [reconstructor.mapped(one, self._options, stop) for one in made[1:]]
        names, folder = [self._folders[index] for index in same], self._out.absolute()

        def write(first: Reconstruction) -> FaceDone:
            files = write_person(folder, reconstructor.models, [first, *others], names)
            facts = facts_of_person([first, *others], names, folder)
            return FaceDone(self._images[same[0]], first.number, folder, files, facts)

        self._dress(reconstructor, made[0], stop, write, made[1:])
        self._finished += len(same)

    def _by_itself(self, reconstructor: Reconstructor, index: int, one: Alone) -> None:
        note = f"'{self._name(index)}' shows somebody else than the other photos: it became a head of its own."
        shown = replace(one.shown, warnings=(*one.shown.warnings, note))
        folder = self._out / self._folders[index]
        self._dress(
            reconstructor,
            reconstructor.explained(shown, one.fit),
            self._checkpoint(index),
            lambda dressed: self._write(reconstructor, index, dressed, folder),
        )
        self._finished += 1

    def _stranger(self, index: int, alike: float, same: Sequence[int]) -> BadInput:
        others = f"'{self._name(same[0])}'" + (" and the others" if len(same) > 1 else "")
        return BadInput(
            f"'{self._name(index)}' shows somebody else than {others}: their likeness is {alike:.2f}, that of one "
            f"person's photos is above {SAME_PERSON}.",
            "It was left out. Reconstruct it by itself.",
        )

    def _name(self, index: int) -> str:
        return Path(self._images[index]).name
