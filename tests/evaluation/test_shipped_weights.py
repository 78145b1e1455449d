"""The shipped weights on a small, fixed set of unseen renders: a loss of more than 5 % in CD fails.

Renders are the same for a seed, so what moves these figures is a change of the weights, the head or the fit.
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
# CD on the face as measured when it was committed.
MEASURED_MM = {
    ("true", "N2FNet"): 0.911,
    ("spoiled", "N2FNet"): 0.986,
    ("true", "fit"): 0.547,
    ("spoiled", "fit"): 0.798,
}
ALLOWED_LOSS = 1.05


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Row]]:
    head = load_head()
    regressor = Regressor()
    regressor.check(head)
    start = regressed(regressor)
    methods = {
        "mean head": mean_head(head),
        "N2FNet": start,
        "fit": fitted(head, start, FitSettings()),
    }
    samples = list(open_head_samples(head, COUNT, SEED))
    true = evaluate(head, "true", ((sample, perfect(sample)) for sample in samples), methods)
    spoiled = evaluate(head, "spoiled", spoil(samples, SEED), methods)
    return {"true": {row.method: row for row in true}, "spoiled": {row.method: row for row in spoiled}}


def test_errors_stay_where_they_were(rows: dict[str, dict[str, Row]]) -> None:
    lost = {
        (inputs, method): round(rows[inputs][method].distance["face"], 3)
        for (inputs, method), before in MEASURED_MM.items()
        if rows[inputs][method].distance["face"] > ALLOWED_LOSS * before
    }
    print({key: round(rows[key[0]][key[1]].distance["face"], 3) for key in MEASURED_MM})  # shown when it fails
    assert not lost


def test_same_seed_same_errors(rows: dict[str, dict[str, Row]]) -> None:
    head = load_head()
    methods = {"fit": fitted(head, regressed(Regressor()), FitSettings())}
    samples = open_head_samples(head, COUNT, SEED)
    again = evaluate(head, "true", ((sample, perfect(sample)) for sample in samples), methods)[0]
    # ONNX Runtime's threads may add in another order.
    assert again.distance["face"] == pytest.approx(rows["true"]["fit"].distance["face"], abs=1e-4)
    assert again.normal == pytest.approx(rows["true"]["fit"].normal, abs=1e-5)


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
