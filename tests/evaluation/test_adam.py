"""The energy in torch is the fit's own, and Adam goes downhill on it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("numba")

import torch

from inference_core.evaluation.adam import adam_fit
from inference_core.evaluation.methods import observation, perfect
from inference_core.evaluation.samples import open_head_samples
from inference_core.evaluation.torch_energy import TorchEnergy
from inference_core.fit import FitSettings, place_head
from inference_core.fit.energy import ParameterLayout, State, data_terms
from inference_core.fit.model import fit_model
from inference_core.fit.prior import position_of, prior_of, with_prior, within_bounds
from inference_core.head import HeadParameters, load_head

SETTINGS = FitSettings(shape_count=40, normal_spacing=0.012)


def test_the_same_energy_and_downhill() -> None:
    head = load_head()
    seen = perfect(next(iter(open_head_samples(head, 1, 5))))
    neutral = HeadParameters.neutral(head)
    camera = place_head(head, neutral, seen.points, seen.intrinsics)
    model = fit_model(head, SETTINGS.shape_count, SETTINGS.normal_spacing)
    unknowns = ParameterLayout.of(model.patch.columns)
    prior = prior_of(model, neutral, unknowns, SETTINGS)
    state = within_bounds(State(neutral, camera), prior, unknowns)
    watched = observation(seen, True)
    energy = TorchEnergy(model, watched, state, prior, unknowns, SETTINGS)
    place = torch.tensor(position_of(state, unknowns), dtype=torch.float32, requires_grad=True)
    value = energy(place)
    value.backward()  # type: ignore[no-untyped-call]
    ours = with_prior(data_terms(model, watched, state, unknowns, SETTINGS), state, prior, unknowns)
    assert float(value.detach()) == pytest.approx(ours.value, rel=1e-4)
    # Torch differentiates the picture between two pixels, the fit a slope smoothed over some.
    assert place.grad is not None
    sigma = np.where(prior.lower < prior.upper, prior.sigma, 0.0)[: unknowns.head.count]  # the neck is held
    theirs = place.grad.numpy()[: unknowns.head.count] * sigma
    mine = ours.gradient[: unknowns.head.count] * sigma
    cosine = theirs @ mine / np.linalg.norm(theirs) / np.linalg.norm(mine)
    assert cosine > 0.9
    _, after, _ = adam_fit(head, seen, neutral, camera, SETTINGS, steps=20)
    assert after < 0.8 * ours.value
