"""Names of datablocks leave room for what follows them."""

from __future__ import annotations

import pytest

from n2f_blender.names import LONGEST, fitting


@pytest.mark.parametrize("name", ["a" * 90, "長" * 40, "ä" * 62, "\U0001f600" * 20, "short"])
def test_names_leave_room_for_what_follows(name: str) -> None:
    short = fitting(name)
    assert name.startswith(short)
    assert len(f"{short} Camera.001".encode()) <= LONGEST
    assert short == name or len(short.encode()) > LONGEST - 17
