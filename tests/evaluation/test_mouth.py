"""The probe that looks for teeth outside the skin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference_core.evaluation.mouth import Probe, measured, shapes
from inference_core.head import Head, load_head, pose_head


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


def test_smiling_people_keep_their_teeth_inside(head: Head) -> None:
    names = ("smile, teeth shown", "mouthSmileLeft", "grimace", "jawOpen")
    people = measured(head, 6, 1, {name: shapes(head)[name] for name in names})
    assert sum(far > 0 for one in people for far in one.values()) == 0


def test_teeth_that_are_moved_out_are_found(head: Head) -> None:
    template = head.template.copy()
    template[head.region("teeth"), 2] += 0.012
    moved, probe = replace(head, template=template), Probe.of(head)
    smile = shapes(head)["smile, teeth shown"]
    assert np.all(probe.outside(pose_head(head, smile, probe.vertices)) == 0)
    assert probe.outside(pose_head(moved, smile, probe.vertices)).max() > 0.002
