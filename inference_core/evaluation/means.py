"""Heads without a photo: the mean head, and the mean of scanned people laid onto the head's own mesh."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference_core.evaluation.methods import Guess, Method, Seen
from inference_core.evaluation.registration import register
from inference_core.evaluation.target import Target
from inference_core.fit import place_head
from inference_core.head import Head, HeadParameters

PRIOR = 0.1  # of the head's own statistics: a mean may lie far from the head's


def known_head(head: Head, parameters: HeadParameters) -> Method:
    """One and the same head for everybody, placed by the landmarks."""

    def method(seen: Seen) -> Guess:
        return Guess(parameters, place_head(head, parameters, seen.points, seen.intrinsics))

    return method


def mean_of_people(head: Head, mean: Target) -> HeadParameters:
    """The mean face of another model as parameters of the head: identity alone, at rest."""
    used = np.any(list(mean.regions.values()), axis=0)
    points, weight = mean.points(head)
    laid = register(head, mean.vertices[used], mean.normals()[used], points, weight, prior=PRIOR)
    return replace(HeadParameters.neutral(head), shape=laid.parameters.shape)
