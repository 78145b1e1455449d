"""Rows of takes as parameters, for tests."""

from __future__ import annotations

import numpy as np

from inference_core.head import HeadParameters
from inference_core.take import Take


def row_of(take: Take, row: int) -> HeadParameters:
    """The parameters of one frame."""
    return HeadParameters(
        shape=take.shape.astype(np.float64),
        expression=take.expression[row].astype(np.float64),
        neck=take.neck[row].astype(np.float64),
        jaw=take.jaw[row].astype(np.float64),
        eyes=take.eyes[row].astype(np.float64),
        eyelids=take.eyelids[row].astype(np.float64),
    )
