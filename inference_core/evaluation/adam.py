"""The fit against Adam on the same energy from the same start: Pixel3DMM's way of fitting, 200 steps of a first-order
method on gradients by automatic differentiation (torch, one thread, as the fit has one).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inference_core.evaluation.measures import compare_heads
from inference_core.evaluation.methods import Method, Seen, observation
from inference_core.evaluation.samples import Sample
from inference_core.fit import FitSettings, fit_face
from inference_core.fit.energy import ParameterLayout, State, data_terms
from inference_core.fit.model import fit_model
from inference_core.fit.prior import position_of, prior_of, with_prior, within_bounds
from inference_core.head import Camera, Head, HeadParameters, pose_head

STEPS = 200
LONG = 30  # steps of the fit after which nothing moves
SAME = 1.02  # energies within this factor are the same
MORE = (400, 800, 1600)  # steps that Adam is given until it is there
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
    least_energy: float  # what the fit reaches when it is not stopped
    steps: float  # of the fit
    same_steps: float  # of Adam until its energy is the fit's
    same_seconds: float

    @property
    def times_faster(self) -> float:
        """How many times faster the fit is."""
        return self.adam_seconds / self.newton_seconds


def adam_fit(
    head: Head, seen: Seen, parameters: HeadParameters, camera: Camera, settings: FitSettings, steps: int = STEPS
) -> tuple[State, float, float]:
    """State, its energy as the fit counts it, and the processor's seconds for the steps; preparing them is not counted.

    Kingma and Ba, ICLR 2015; bounds are kept by clipping after each step.
    """
    import torch

    from inference_core.evaluation.torch_energy import TorchEnergy

    model = fit_model(head, settings.shape_count, settings.normal_spacing)
    unknowns = ParameterLayout.of(model.patch.columns)
    prior = prior_of(model, parameters, unknowns, settings)
    watched = observation(seen, True)
    start = within_bounds(State(parameters, camera), prior, unknowns)
    energy = TorchEnergy(model, watched, start, prior, unknowns, settings)
    scale = RATE * prior.sigma
    scale[unknowns.head.count :] = PLACE_RATE
    at, rates = position_of(start, unknowns), torch.tensor(scale, dtype=torch.float32)
    # In units of each unknown's own rate, so that one learning rate serves all.
    moved = torch.zeros(unknowns.count, requires_grad=True)
    middle = torch.tensor(at, dtype=torch.float32)
    low, high = (torch.tensor((bound - at) / scale, dtype=torch.float32) for bound in (prior.lower, prior.upper))
    optimiser = torch.optim.Adam([moved], lr=1.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda number: DECAY + (1 - DECAY) * 0.5 * (1 + np.cos(np.pi * number / steps))
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        before = time.process_time()
        for _ in range(steps):
            optimiser.zero_grad()
            energy(middle + rates * moved).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                moved.clamp_(low, high)
        seconds = time.process_time() - before
    finally:
        torch.set_num_threads(threads)
    state = start.moved(moved.detach().numpy().astype(np.float64) * scale, unknowns)
    value = with_prior(data_terms(model, watched, state, unknowns, settings), state, prior, unknowns).value
    return state, value, seconds


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
        watched = observation(seen, True)
        before = time.process_time()
        fitted = fit_face(head, watched, guess.parameters, guess.camera, settings)
        seconds = time.process_time() - before
        state, energy, slow = adam_fit(head, seen, guess.parameters, guess.camera, settings, STEPS if number else 2)
        if not number:
            continue
        count, there, needed = STEPS, energy, slow
        for more in MORE:
            if there <= SAME * fitted.energy:
                break
            count = more
            _, there, needed = adam_fit(head, seen, guess.parameters, guess.camera, settings, more)
        patient = replace(settings, steps=LONG, tolerance=0.0, worth=0.0)
        least = fit_face(head, watched, guess.parameters, guess.camera, patient).energy
        distances = [
            compare_heads(head, pose_head(head, p), sample.vertices).distance["face"]
            for p in (fitted.parameters, state.parameters)
        ]
        numbers.append((fitted.energy, energy, *distances, seconds, slow, least, fitted.steps, count, needed))
    return Comparison(len(numbers), *(float(value) for value in np.mean(numbers, axis=0)))


def sentence(found: Comparison) -> str:
    """For the report."""
    fit, adam = 1000 * found.newton_seconds, 1000 * found.adam_seconds
    return (
        f"**The fit against Adam** ({STEPS} steps by automatic differentiation on the same energy, same start, "
        f"{found.faces} faces, true normals, processor time of one thread): energy {found.newton_energy:.1f} against "
        f"{found.adam_energy:.1f}, where the fit reaches {found.least_energy:.1f} when it is not stopped; CD on the "
        f"face {found.newton_distance:.3f} against {found.adam_distance:.3f} mm; {fit:.0f} ms in {found.steps:.1f} "
        f"steps against {adam:.0f} ms: {found.times_faster:.0f} times faster. Until Adam's energy "
        f"is within 2 % of the fit's or below it takes {found.same_steps:.0f} steps (of 200, 400, 800, 1600) and "
        f"{1000 * found.same_seconds:.0f} ms: at the same error the fit is "
        f"{found.same_seconds / found.newton_seconds:.0f} times faster."
    )
