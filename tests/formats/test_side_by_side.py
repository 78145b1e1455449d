"""Work is done where there is no thread for it, too."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from inference_core.formats.png import quick_png
from inference_core.formats.side_by_side import side_by_side


@pytest.mark.parametrize("given", [True, False])
def test_in_order_with_threads_and_without(given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (40, 30, 3), np.uint8)
    whole = quick_png(picture)
    if not given:

        def refuse(_: ThreadPoolExecutor) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(ThreadPoolExecutor, "_adjust_thread_count", refuse)
    assert side_by_side(2, [partial(pow, 2, number) for number in range(9)]) == [2**number for number in range(9)]
    assert quick_png(picture) == whole
    with pytest.raises(ZeroDivisionError):
        side_by_side(2, [lambda: 1 // 0])


def test_a_thread_without_memory_costs_no_work() -> None:
    here = threading.get_ident()

    def wants_much() -> int:
        if threading.get_ident() != here:
            raise MemoryError
        return 1

    assert side_by_side(2, [wants_much, wants_much]) == [1, 1]
    with pytest.raises(RuntimeError, match="defect"):
        side_by_side(2, [lambda: _raise(RuntimeError("a defect"))])


def _raise(error: Exception) -> None:
    raise error
