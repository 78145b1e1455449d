"""Frames that a numerical routine refuses: they are left out and told of, and the clip goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, TypeVar

import cv2

LOG = logging.getLogger(__name__)
T = TypeVar("T")

REFUSALS: Final = (cv2.error, ArithmeticError, ValueError, IndexError)
"""What a library or a formula raises outside its domain; numpy's LinAlgError is a ValueError. Not a full disk, not a
lack of memory, not a stop: those concern the whole job."""
MOST_IN_A_ROW: Final = 250
"""Refused frames without a single good one from which it is not the frames' fault."""


class FrameFaults:
    """Counts refusals, from any thread. A clip whose frames are all refused fails with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._good = 0
        self._bad: set[int] = set()

    def guarded(self, frame: int, work: Callable[[], T]) -> T | None:
        """What `work` returns; None where it refuses the frame."""
        try:
            result = work()
        except REFUSALS:
            with self._lock:
                if not self._good and len(self._bad) >= MOST_IN_A_ROW:
                    raise
                if not self._bad:
                    LOG.exception("frame %d is left out", frame)
                self._bad.add(frame)
            return None
        with self._lock:
            self._good += 1
        return result

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for the user, where there is something to tell."""
        if not self._bad:
            return ()
        first, count = min(self._bad), len(self._bad)
        told = f"{count} frame{'s' if count > 1 else ''} could not be worked out (the first is {first})"
        return (f"{told} and count as frames without a face.",)
