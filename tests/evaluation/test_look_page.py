"""The page of the worst: who is not found at all comes before who is merely far."""

from __future__ import annotations

from pathlib import Path

from inference_core.evaluation.look_likeness import Seen, worst


def test_the_worst_come_first() -> None:
    portraits = [Path(f"{name}.jpg") for name in ("near", "far", "lost", "unasked")]
    own = {"near": 0.3, "far": 0.6, "lost": float("nan")}
    seen = [Seen(name, yaw, 0, away) for name, away in own.items() for yaw in (0, 45)]
    assert [path.stem for path in worst(portraits, seen)] == ["lost", "far", "near"]
    assert len(worst(portraits, seen, 1)) == 1
