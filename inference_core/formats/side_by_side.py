# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Pieces of work on several threads, where the system gives any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def side_by_side(threads: int, work: Sequence[Callable[[], T]]) -> list[T]:
    """What each piece gives, in order; what one raises. Each may be done twice.

    A thread wants some megabytes for its stack, and a heap of its own. Where a limit on memory leaves none, the work is
    done one after the other instead of not at all.
    """
    with ThreadPoolExecutor(threads) as pool:
        try:
            return [one.result() for one in [pool.submit(one) for one in work]]
        except (MemoryError, RuntimeError) as error:  # can't start new thread
            if not isinstance(error, MemoryError) and "thread" not in str(error):
                raise
    return [one() for one in work]
