"""HDR comes down to what a usual screen shows. Levels are those that BT.2408 prints for PQ and HLG."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from inference_core.clip import open_clip
from inference_core.perception.hdr import HLG, PQ, is_hdr, tone_mapped
from tests.clip.clips import write_clip


def shown(level: float, transfer: int) -> float:
    """What a grey of a share of the full signal becomes."""
    return float(tone_mapped(np.full((1, 1, 3), round(level * 65535), np.uint16), transfer).mean())


def test_levels_that_are_printed() -> None:
    for level, transfer in ((0.38, PQ), (0.38, HLG)):  # a grey card, 26 cd/m2: 12.8 % of white
        assert shown(level, transfer) == pytest.approx(100, abs=3)
    assert shown(0.58, PQ) == pytest.approx(shown(0.75, HLG), abs=1), "203 cd/m2, twice"
    assert 240 < shown(0.58, PQ) < 250
    assert shown(0.752, PQ) > 253, "1000 cd/m2"
    assert shown(0.0, PQ) == shown(0.0, HLG) == 0
    steps = [shown(level, HLG) for level in np.linspace(0, 1, 40)]
    assert all(a <= b for a, b in pairwise(steps))


def test_a_colour_keeps_its_hue_where_it_is_bright() -> None:
    skin = np.array([[[0.62, 0.55, 0.50]]])
    dim, bright = (
        tone_mapped((skin * share * 65535).astype(np.uint16), HLG)[0, 0].astype(float) for share in (0.8, 1.4)
    )
    assert dim[0] > dim[1] > dim[2] and bright[0] > bright[1] > bright[2]
    assert not is_hdr(1) and not is_hdr(2) and is_hdr(PQ) and is_hdr(HLG)


@pytest.mark.parametrize(("transfer", "code"), [(PQ, 97), (HLG, 97)])
def test_a_clip_of_ten_bits(tmp_path: Path, transfer: int, code: int) -> None:
    pictures = [np.full((96, 128, 3), code, np.uint8)] * 3
    tags = {"color_trc": transfer, "color_primaries": 9, "colorspace": 9}
    path = write_clip(tmp_path / "phone.mov", 3, "libx265", "yuv420p10le", pictures=pictures, context=tags)
    with open_clip(path) as clip:
        assert "HDR" in clip.info.notes[0]
        (first, *_) = clip.frames()
    assert first.rgb.mean() == pytest.approx(100, abs=4)
