"""Vertices to a picture in UV and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.head import Head, HeadParameters, load_head, pose_head
from inference_core.maps.sheet import RIM, Sheet, sheet_of

SIZE = 512


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def sheet(head: Head) -> Sheet:
    return sheet_of(head, SIZE)


def random_head(head: Head, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    random, still = np.random.default_rng(seed), HeadParameters.neutral(head)
    expression = random.uniform(0, 0.3, head.expression_count)
    return pose_head(head, HeadParameters(random.standard_normal(head.shape_count), expression, still.jaw, still.neck,
                                          still.eyes, still.eyelids))  # fmt: skip


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_mesh_comes_back_from_its_map(head: Head, sheet: Sheet, seed: int) -> None:
    """Where a texel says where a vertex is to a thousandth of a millimetre; elsewhere to a texel."""
    vertices = random_head(head, seed)
    back = sheet.read(sheet.spread(vertices))
    away = np.linalg.norm(back - vertices, axis=1)[sheet.shown]
    assert np.isfinite(away).all()
    assert np.median(away) < 1e-6
    assert np.percentile(away, 95) < 1e-3  # a texel is 2.8 mm of the face


def test_what_is_hidden_under_other_skin_is_not_made_up(head: Head, sheet: Sheet) -> None:
    """The middle of the back of each eyeball lies under its pupil."""
    back = sheet.read(sheet.spread(head.template.astype(np.float64)))
    hidden = ~sheet.shown
    assert 0 < hidden.sum() < 10
    assert head.region("left_eyeball")[hidden].any()
    assert np.isnan(back[hidden]).all()


def test_an_edited_map_moves_the_mesh(head: Head, sheet: Sheet) -> None:
    picture = sheet.spread(head.template.astype(np.float64))
    moved = sheet.read(picture + np.float32(0.01)) - sheet.read(picture)
    np.testing.assert_allclose(moved[sheet.shown], 0.01, atol=1e-5)


def test_values_run_on_in_a_line_beyond_the_islands(head: Head, sheet: Sheet) -> None:
    """A texel beyond the border continues the triangle beside it: the UV itself stays the UV there."""
    corner = np.zeros((head.vertex_count, 2))
    corner[head.quads[head.quads >= 0]] = head.uv[head.uv_quads[head.quads >= 0]]
    alone = np.bincount(np.unique(np.stack([head.quads, head.uv_quads], axis=-1)[head.quads >= 0], axis=0)[:, 0])
    picture = sheet.spread(np.column_stack([corner, alone > 1]))
    row, column = np.nonzero(np.isfinite(picture[..., 0]) & (picture[..., 2] == 0))  # away from seams
    here = np.stack([(column + 0.5) / SIZE, 1 - (row + 0.5) / SIZE], axis=1)
    np.testing.assert_allclose(picture[row, column, :2], here, atol=1e-4)
    assert (~sheet.surface[row, column]).any(), f"{RIM} px beyond"
