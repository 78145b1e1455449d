"""The shipped weights on small, fixed sets: a loss of more than 5 % in CD fails.

Renders are the same for a seed, so what moves these figures is a change of the weights, the head or the fit. After a
change that is meant, run this file by itself: a failure prints the new table, which goes to LEVELS as it is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("numba")

from inference_core.evaluation.flame_open import FlameOpen
from inference_core.evaluation.methods import Method, fitted, mean_head, perfect, regressed
from inference_core.evaluation.run import Row, evaluate
from inference_core.evaluation.samples import open_head_samples
from inference_core.evaluation.scan_sets import flame_set, measure_set
from inference_core.evaluation.spoiled import spoil
from inference_core.evaluation.target import Target
from inference_core.fit import FitSettings
from inference_core.head import Head, load_head
from inference_core.n2fnet import BUNDLED_WEIGHTS, Regressor

pytestmark = pytest.mark.skipif(not BUNDLED_WEIGHTS.is_file(), reason="no weights are bundled")

COUNT, SEED = 6, 7
STRANGERS = 4
ALLOWED_LOSS = 1.05
# CD on the face, mm, scaled, as measured when it was committed: of Open Heads, and of FLAME 2023 Open's people, from
# whom nothing learns (they need the shared data). Of the form: a picture hardly shows size, and six heads say little.
LEVELS = {
    ("true", "N2FNet"): 0.855,
    ("true", "fit"): 0.326,
    ("spoiled", "N2FNet"): 0.946,
    ("spoiled", "fit"): 0.785,
    ("FLAME", "N2FNet"): 1.084,
    ("FLAME", "fit"): 0.646,
}


def _methods(head: Head) -> dict[str, Method]:
    regressor = Regressor()
    regressor.check(head)
    start = regressed(regressor)
    return {"mean head": mean_head(head), "N2FNet": start, "fit": fitted(head, start, FitSettings())}


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Row]]:
    head = load_head()
    methods = _methods(head)
    samples = list(open_head_samples(head, COUNT, SEED))
    true = evaluate(head, "true", ((sample, perfect(sample)) for sample in samples), methods)
    spoiled = evaluate(head, "spoiled", spoil(samples, SEED), methods)
    return {"true": {row.method: row for row in true}, "spoiled": {row.method: row for row in spoiled}}


def _check(measured: dict[tuple[str, str], float]) -> None:
    for (inputs, method), value in measured.items():
        print(f'    ("{inputs}", "{method}"): {value:.3f},')  # shown when it fails
    assert not {key: value for key, value in measured.items() if value > ALLOWED_LOSS * LEVELS[key]}


def test_errors_stay_where_they_were(rows: dict[str, dict[str, Row]]) -> None:
    _check({(i, m): rows[i][m].scaled_distance for i, m in LEVELS if i in rows})


def test_strangers_are_met_as_well_as_before(shared_data: Path) -> None:
    head = load_head()
    model = FlameOpen.read(shared_data / "flame2023_open_identity")
    regions = model.regions(head, model.laid(head))
    mean = Target(model.template, model.triangles, regions, model.published_points())
    pairs = flame_set(head, model, mean, STRANGERS, SEED)
    found = {row.method: row for row in measure_set(head, "FLAME", pairs, _methods(head))}
    _check({(i, m): found[m].scaled_distance for i, m in LEVELS if i == "FLAME"})
    assert found["fit"].scaled_distance < found["N2FNet"].scaled_distance < found["mean head"].scaled_distance


def test_same_seed_same_errors() -> None:
    head = load_head()

    def once() -> Row:
        methods = {"fit": fitted(head, regressed(Regressor()), FitSettings())}
        samples = open_head_samples(head, 2, SEED)
        return evaluate(head, "true", ((sample, perfect(sample)) for sample in samples), methods)[0]

    first, again = once(), once()
    # ONNX Runtime's threads may add in another order.
    assert again.distance["face"] == pytest.approx(first.distance["face"], abs=1e-4)
    assert again.normal == pytest.approx(first.normal, abs=1e-5)


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
