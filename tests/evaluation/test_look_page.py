"""Measures of the look: the page of the worst, steps at the UV's borders, one face under several lights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inference_core.evaluation.look_lights import Lit, lines
from inference_core.evaluation.look_likeness import Seen, steps_at_seams, worst
from inference_core.head import load_head


def test_the_worst_come_first() -> None:
    portraits = [Path(f"{name}.jpg") for name in ("near", "far", "lost", "unasked")]
    own = {"near": 0.3, "far": 0.6, "lost": float("nan")}
    seen = [Seen(name, yaw, 0, away) for name, away in own.items() for yaw in (0, 45)]
    assert [path.stem for path in worst(portraits, seen)] == ["lost", "far", "near"]
    assert len(worst(portraits, seen, 1)) == 1


def test_a_step_at_the_uvs_borders_is_one_of_the_picture() -> None:
    """One colour has none; a picture that is brighter to the right has some, for borders lie on both sides."""
    head = load_head()
    even = np.full((256, 256, 3), 90, np.uint8)
    assert steps_at_seams(head, even).max() == 0.0
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], even.shape).copy()
    assert steps_at_seams(head, ramp).mean() > 5.0


def test_brightness_is_no_difference_of_skin_and_a_shadow_is() -> None:
    """Two heads of one skin: one photographed darker, then one with a shadow left on half of it."""
    rng = np.random.default_rng(4)
    true = rng.uniform(80.0, 160.0, (400, 3))
    seen, cheeks = np.ones(400, np.bool_), np.arange(400) < 100
    shadow = np.where(np.arange(400)[:, None] < 200, 1.0, 0.7)
    plain, dark, half = (
        Lit(np.zeros((4, 4, 3), np.uint8), {"photo": c, "albedo": c}, true, seen)
        for c in (true, 0.8 * true, shadow * true)
    )
    assert "0.0 apart" in lines([plain, dark], cheeks)[0]
    apart = lines([plain, half], cheeks)[1].split(" apart")[0].split()[-1]
    assert float(apart) > 10.0
