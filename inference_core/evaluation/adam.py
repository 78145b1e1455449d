"""The fit against Adam on the same energy from the same start: Pixel3DMM's way of fitting, 200 steps of a first-order
method.

Both use the product's own energy and its closed-form gradient. An Adam step needs no Hessian; the time that the code
spends on forming it anyway is measured and taken off Adam's time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference_core.evaluation.measures import compare_heads
from inference_core.evaluation.methods import Method, Seen, observation
from inference_core.evaluation.samples import Sample
from inference_core.fit import FitSettings, fit_face
from inference_core.fit.energy import State, Unknowns, data_terms
from inference_core.fit.model import fit_model
from inference_core.fit.prior import position_of, prior_of, with_prior, within_bounds
from inference_core.head import Camera, Head, HeadParameters, pose_head

STEPS = 200
RATE = 0.02  # in prior standard deviations
PLACE_RATE = 0.001  # rad and m, for pose and focal length
DECAY = 0.1  # the rate's share that is left at the end, by a cosine


@dataclass(frozen=True)
class Comparison:
    """Means over the faces: energies, CD on the face in mm, seconds."""

    faces: int
    newton_energy: float
    adam_energy: float
    newton_distance: float
    adam_distance: float
    newton_seconds: float
    adam_seconds: float
    hessian_seconds: float  # of Adam's time, already taken off

    @property
    def times_faster(self) -> float:
        """How many times faster the fit is."""
        return self.adam_seconds / self.newton_seconds


def adam_fit(
    head: Head, seen: Seen, parameters: HeadParameters, camera: Camera, settings: FitSettings, steps: int = STEPS
) -> tuple[State, float, float]:
    """State, energy, and the seconds spent on the Hessian that Adam does not need.

    Kingma and Ba, ICLR 2015; bounds are kept by clipping after each step.
    """
    model = fit_model(head, settings.shape_count, settings.normal_spacing)
    unknowns = Unknowns.of(model.patch.columns)
    prior = prior_of(model, parameters, unknowns, settings)
    watched = observation(seen, True)
    state = within_bounds(State(parameters, camera), prior, unknowns)
    scale = RATE * prior.sigma
    scale[unknowns.head.count :] = PLACE_RATE
    first, second = np.zeros(unknowns.count), np.zeros(unknowns.count)
    for number in range(1, steps + 1):
        at = with_prior(data_terms(model, watched, state, unknowns, settings), state, prior, unknowns)
        gradient = at.gradient * scale  # in the units that the step is taken in
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        unbiased = first / (1 - 0.9**number)
        root = np.sqrt(second / (1 - 0.999**number)) + 1e-12
        share = DECAY + (1 - DECAY) * 0.5 * (1 + np.cos(np.pi * number / steps))
        position = position_of(state, unknowns)
        step = np.clip(position - share * scale * unbiased / root, prior.lower, prior.upper) - position
        state = state.moved(step, unknowns)
    value = with_prior(data_terms(model, watched, state, unknowns, settings), state, prior, unknowns).value
    return state, value, steps * _hessian_seconds(model.sample_in_patch.size, len(watched.points), unknowns.count)


def _hessian_seconds(normals: int, points: int, count: int) -> float:
    """What J'J costs once: the same products on arrays of the same size, median of five."""
    arrays = [np.ones((3 * normals, count), np.float32), np.ones((2 * points, count), np.float32)]
    taken = []
    for _ in range(5):
        before = time.perf_counter()
        for rows in arrays:
            rows.T @ rows
        taken.append(time.perf_counter() - before)
    return float(np.median(taken))


def compare_with_adam(
    head: Head,
    start: Method,
    pairs: Sequence[tuple[Sample, Seen]],
    settings: FitSettings = FitSettings(),  # noqa: B008
) -> Comparison:
    """Both on every face, from the same start. The first face is done twice: it pays for what is made once."""
    numbers = []
    for number, (sample, seen) in enumerate([pairs[0], *pairs]):
        guess = start(seen)
        before = time.perf_counter()
        fitted = fit_face(head, observation(seen, True), guess.parameters, guess.camera, settings)
        middle = time.perf_counter()
        state, energy, hessian = adam_fit(head, seen, guess.parameters, guess.camera, settings, STEPS if number else 2)
        after = time.perf_counter()
        if not number:
            continue
        distances = [
            compare_heads(head, pose_head(head, p), sample.vertices).distance["face"]
            for p in (fitted.parameters, state.parameters)
        ]
        numbers.append((fitted.energy, energy, *distances, middle - before, after - middle - hessian, hessian))
    return Comparison(len(numbers), *(float(value) for value in np.mean(numbers, axis=0)))


def sentence(found: Comparison) -> str:
    """For the report."""
    return (
        f"**The fit against Adam** ({STEPS} steps on the same energy, same start, {found.faces} faces, the same "
        f"closed-form gradient): energy {found.newton_energy:.2f} against {found.adam_energy:.2f}, CD "
        f"{found.newton_distance:.3f} against {found.adam_distance:.3f} mm, {1000 * found.newton_seconds:.0f} against "
        f"{1000 * found.adam_seconds:.0f} ms: {found.times_faster:.0f} times faster. Adam's time is without the "
        f"{1000 * found.hessian_seconds:.0f} ms of second derivatives that it does not need."
    )
