"""Carries values from some vertices of the head to all of them, bending as little as possible."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array
from scipy.sparse.linalg import splu

from .cut import Cut
from .skinning import neighbour_average
from .source import Floats, Ints

FAINT = 1e-7  # weight of what nothing holds, so that the system can be solved


class Spreading:
    """Least squares on (L x)^2 + w (x - value)^2, L being the umbrella operator of the quad mesh.

    Teeth, tongue and eyeballs float free of the skin; each of their vertices is tied to the nearest of the skin's.
    """

    def __init__(self, cut: Cut, template: Floats) -> None:
        loose = ~cut.parts["skin"]
        skin, inside = np.flatnonzero(~loose), np.flatnonzero(loose)
        away = np.linalg.norm(template[inside][:, None] - template[skin][None], axis=2)
        ties = np.stack([inside, skin[away.argmin(axis=1)]], axis=1)
        average = _with_ties(neighbour_average(cut.quads, cut.count), ties)
        umbrella = csr_array(eye_array(cut.count) - average)
        self._bend = csr_array(umbrella.T @ umbrella)

    def __call__(self, weight: Floats, values: Floats) -> Floats:
        """values (V, ...) where weight (V,) is above zero -> (V, ...) everywhere."""
        held = np.where(weight > 0, weight, 0.0)
        matrix = (self._bend + diags_array(np.maximum(held, FAINT))).tocsc()
        flat = values.reshape(len(values), -1) * held[:, None]
        return np.asarray(splu(matrix).solve(flat).reshape(values.shape))


def _with_ties(average: csr_array, ties: Ints) -> csr_array:
    """The neighbours' average with further links, rows summing to 1 again."""
    links = csr_array((np.ones(len(ties)), (ties[:, 0], ties[:, 1])), shape=average.shape)
    degree = 1 / np.maximum(average.max(axis=1).toarray().ravel(), 1e-12)
    counted = diags_array(degree) @ average + links + links.T
    return csr_array(diags_array(1 / np.asarray(counted.sum(axis=1)).ravel()) @ counted)
