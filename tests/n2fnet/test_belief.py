"""What an answer is worth, measured; and what several answers say together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from inference_core.n2fnet.belief import CARD_KEY, Reliability, ShapeBelief, pooled, read_reliability


def test_what_is_known_and_what_is_not_is_told_apart() -> None:
    """Three directions: told with an error of 0.3, told twice too large, not told at all."""
    rng = np.random.default_rng(1)
    truths = rng.normal(size=(4000, 3))
    answers = np.stack([truths[:, 0] + 0.3 * rng.normal(size=4000), 2 * truths[:, 1], rng.normal(size=4000)], axis=1)
    table = Reliability.measured(answers, truths)
    # The first by linear regression: slope 1 / 1.09, width 0.3 / sqrt(1.09).
    np.testing.assert_allclose(table.slope, [1 / 1.09, 0.5, 0.0], atol=0.03)
    np.testing.assert_allclose(table.sigma, [0.3 / np.sqrt(1.09), 0.0, 1.0], atol=0.03)


def test_answers_that_say_nothing_leave_the_population() -> None:
    nothing = ShapeBelief.of_population(4)
    together = pooled([nothing, nothing], np.ones(2))
    np.testing.assert_allclose(together.mean, 0.0)
    np.testing.assert_allclose(together.sigma, 1.0)


def test_answers_add_up_and_count_by_their_worth() -> None:
    one, other = ShapeBelief(np.array([1.0]), np.array([0.6])), ShapeBelief(np.array([-1.0]), np.array([0.6]))
    assert abs(pooled([one, other], np.ones(2)).mean[0]) < 1e-12
    assert pooled([one, one], np.ones(2)).sigma[0] < 0.6
    assert pooled([one, other], np.array([1.0, 0.2])).mean[0] > 0.3
    np.testing.assert_allclose(pooled([one], np.ones(1)).mean, one.mean)


def test_the_card_holds_the_table(tmp_path: Path) -> None:
    table = Reliability(np.array([1.0, 0.5]), np.array([0.4, 1.0]))
    network = tmp_path / "n2fnet.onnx"
    assert read_reliability(network, 2) is None
    (tmp_path / "n2fnet.card.json").write_text(json.dumps({CARD_KEY: table.as_card()}))
    read = read_reliability(network, 2)
    assert read is not None and np.array_equal(read.sigma, table.sigma)
    assert read_reliability(network, 3) is None  # another head's
