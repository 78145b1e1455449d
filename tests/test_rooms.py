"""Imports go one way: from the rooms above to those below, as docs/architecture.md draws it."""

from __future__ import annotations

import pytest

from scripts.draw_rooms import BEGIN, CORE, DOCUMENT, END, PARTS, Part, arrows, drawing, upwards


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.package)
def test_no_arrow_goes_upwards(part: Part) -> None:
    assert len(arrows(part)) > 40
    assert upwards(part) == {}


def test_an_arrow_upwards_is_seen() -> None:
    turned = Part(CORE.package, tuple(reversed(CORE.layers)))
    assert ("reconstruct", "head") in upwards(turned)


def test_the_document_shows_what_the_sources_say() -> None:
    shown = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    assert shown == f"\n{drawing()}\n", "run: python3 scripts/draw_rooms.py --write"
