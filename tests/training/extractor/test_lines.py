"""Liner and folds darken the skin where they belong, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from inference_core.head import HeadParameters, project
from inference_core.training.extractor.anatomy import Anatomy
from inference_core.training.extractor.lines import draw_folds, draw_liner
from inference_core.training.extractor.subject import SIZE, Subject, place
from inference_core.training.raster import rasterise

EYES, BELOW = slice(36, 48), slice(31, 68)


@pytest.mark.parametrize(("draw", "marks"), [(draw_liner, EYES), (draw_folds, BELOW)])
def test_lines_darken_the_skin_near_their_landmarks(anatomy: Anatomy, draw: Callable[..., None], marks: slice) -> None:
    subject: Subject = place(anatomy.head, HeadParameters.neutral(anatomy.head), np.random.default_rng(4))
    depth = rasterise(subject.points, anatomy.triangles, subject.intrinsics, (SIZE, SIZE)).depth
    before = np.full((SIZE, SIZE, 3), 0.5, np.float32)
    for seed in range(4):
        picture = before.copy()
        draw(subject, depth, picture, np.random.default_rng(seed))
        changed = (picture < before - 0.01).any(axis=2)
        assert (picture <= before + 1e-6).all() and changed.sum() > 20
        assert np.isfinite(depth[changed]).all()
        near = project(subject.marks[marks], subject.intrinsics)
        low, high = near.min(axis=0), near.max(axis=0)
        slack = 0.35 * (high - low).max()
        rows, columns = np.nonzero(changed)
        assert (columns > low[0] - slack).all() and (columns < high[0] + slack).all()
        assert (rows > low[1] - slack).all() and (rows < high[1] + slack).all()
