"""Several photos of one person: one shape from all of them, and who of them is somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference_core.fit import FitResult, FitSettings
from inference_core.fit.joint import fit_together
from inference_core.fit.trust import STEADY
from inference_core.n2fnet.belief import ShapeBelief, pooled
from inference_core.reconstruct.pipeline import Evidence, Reconstruction, Reconstructor

Floats = NDArray[np.float64]

ROUNDS = 10
INDEPENDENT = 3.0
"""So many independent pictures any number of photos is worth: what Face Mesh and the normals get wrong about a face
they get wrong in every photo of it. The prior on the shape is made stronger by the rest."""
CLEAR = 60.0
"""px between the eyes from which a larger face tells no more: the networks see the face at about that size."""
WHOLE_MASK = 0.3
"""Share of the crop that a whole face's skin covers."""
LEAST_WORTH = 0.1


@dataclass(frozen=True, eq=False)
class Alone:
    """A photo's face by itself."""

    shown: Evidence
    fit: FitResult


def worth_of(shown: Evidence) -> float:
    """How much a photo tells of its person's shape, 0..1: by the face's size, how steady its landmarks are, how much of
    it shows its skin (turned and covered faces show less) and how much lies within the picture."""
    size = min(1.0, shown.face.eye_distance / CLEAR)
    steady = STEADY / max(STEADY, shown.face.unsteady)
    skin = min(1.0, float(shown.normal_map.face_mask.mean()) / WHOLE_MASK)
    return float(max(LEAST_WORTH, size * steady * skin * (1.0 - shown.face.outside)))


def fit_one_person(reconstructor: Reconstructor, shown: Sequence[Evidence]) -> list[Reconstruction]:
    """One shape from K faces of one person; camera, expression and pose are each photo's own."""
    head, settings = reconstructor.models.head, FitSettings()
    worth = np.array([worth_of(one) for one in shown])
    worth /= worth.max()
    belief = pooled([belief_of(one, settings) for one in shown], worth * _independent(len(shown)))
    starts = [reconstructor.start_of(one, belief.mean) for one in shown]
    result = fit_together(
        head,
        [reconstructor.doubted(one) for one in shown],
        starts,
        replace(settings, steps=ROUNDS, shape_scale=float(np.sqrt(_independent(len(shown))))),
        belief,
        lenses=[one.photo.focal.sigma for one in shown],
        worth=worth.tolist(),
    )
    return [reconstructor.explained(one, fit) for one, fit in zip(shown, result.pictures, strict=True)]


def belief_of(shown: Evidence, settings: FitSettings) -> ShapeBelief:
    """What N2FNet's answer says of the shape, measured or supposed."""
    shape = shown.guess.parameters.shape
    return shown.guess.belief or ShapeBelief(shape, np.full(len(shape), settings.shape_sigma))


def _independent(count: int) -> float:
    return min(1.0, INDEPENDENT / count)
