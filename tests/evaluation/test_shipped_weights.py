"""The shipped weights on a small, fixed set of unseen renders: a loss of more than 5 % in CD fails.

The bounds are what was measured when the weights were committed (see n2fnet.card.json), plus 5 %.
"""

from __future__ import annotations

import pytest

pytest.importorskip("numba")

from inference_core.evaluation.methods import fitted, mean_head, perfect, regressed
from inference_core.evaluation.run import Row, evaluate
from inference_core.evaluation.samples import open_head_samples
from inference_core.evaluation.spoiled import spoil
from inference_core.fit import FitSettings
from inference_core.head import load_head
from inference_core.n2fnet import BUNDLED_WEIGHTS, Regressor

pytestmark = pytest.mark.skipif(not BUNDLED_WEIGHTS.is_file(), reason="no weights are bundled")

COUNT, SEED = 12, 7
BOUNDS_MM = {"true": 0.957, "spoiled": 1.035, "fit": 0.933}


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Row]]:
    head = load_head()
    regressor = Regressor()
    regressor.check(head)
    start = regressed(regressor)
    methods = {"mean head": mean_head(head), "N2FNet": start, "fit": fitted(head, start, FitSettings())}
    samples = list(open_head_samples(head, COUNT, SEED))
    true = evaluate(head, "true", ((sample, perfect(sample)) for sample in samples), methods)
    spoiled = evaluate(head, "spoiled", spoil(samples, SEED), methods)
    return {"true": {row.method: row for row in true}, "spoiled": {row.method: row for row in spoiled}}


def test_errors_stay_where_they_were(rows: dict[str, dict[str, Row]]) -> None:
    measured = {
        "true": rows["true"]["N2FNet"].distance["face"],
        "spoiled": rows["spoiled"]["N2FNet"].distance["face"],
        "fit": rows["true"]["fit"].distance["face"],
    }
    assert all(measured[name] <= bound for name, bound in BOUNDS_MM.items()), measured


def test_n2fnet_knows_more_than_the_mean_head_and_the_fit_more_than_n2fnet(rows: dict[str, dict[str, Row]]) -> None:
    for by_method in rows.values():
        # Of the form, not of the size: that hardly shows in a picture, and the fit has no better way to know it.
        mean, ours, fit = (by_method[name].scaled_distance for name in ("mean head", "N2FNet", "fit"))
        assert fit < ours < 0.85 * mean


def test_same_seed_same_samples() -> None:
    head = load_head()
    first, again = (next(iter(open_head_samples(head, 1, 3))) for _ in range(2))
    assert (first.normals == again.normals).all()
    assert (first.vertices == again.vertices).all()
