"""Turntables looked for among portraits: angles as they are named, each head against its own photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inference_core.evaluation.recognition import Gallery
from inference_core.evaluation.turntables import looked_for, signed
from inference_core.head.model import Floats


@pytest.mark.parametrize(("yaw", "expected"), [(0, 0), (45, 45), (180, 180), (181, -179), (335, -25)])
def test_angles_are_signed(yaw: int, expected: int) -> None:
    assert signed(yaw) == expected


class Grey:
    """A face is how bright its picture is; a black one shows none."""

    def embedding(self, rgb: NDArray[np.uint8]) -> Floats | None:
        return np.array([rgb.mean()]) if rgb.any() else None


def test_each_head_is_compared_with_its_own_photo(tmp_path: Path) -> None:
    gallery = Gallery(("dark", "light"), np.array([[50.0], [200.0]]))
    for name, yaw, grey in (("dark", 0, 60), ("dark", 335, 190), ("light", 45, 0), ("light", 90, 200)):
        (tmp_path / name).mkdir(exist_ok=True)
        Image.new("RGB", (40, 40), (grey,) * 3).save(tmp_path / name / f"turntable_{yaw:03d}.png")
    seen = {(one.name, one.yaw): (one.rank, one.own) for one in looked_for(tmp_path, gallery, Grey())}  # type: ignore[arg-type]
    assert seen[("dark", 0)] == (0, 10.0)
    assert seen[("dark", -25)] == (1, 140.0)
    assert seen[("light", 45)][0] == 2  # no face: last
    assert ("light", 90) not in seen
