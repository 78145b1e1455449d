"""Items through stages that overlap: one thread or more a stage, short queues between them, results in order.

The work of a stage (decoding, a network, OpenCV, numpy) runs outside Python's lock, so threads share the cores. A queue
that is full makes the stage before it wait: whatever the length of a clip, only a handful of its frames is in memory.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")

DEPTH = 3
"""Items that wait between two stages: enough to even out slow and quick frames."""
ATTENTION_SECONDS = 0.1
"""How long the consumer waits before it looks whether somebody wants the work to stop."""


@dataclass(frozen=True)
class Stage:
    """One step for every item. With one `thread` items come strictly one after another, so `work` may keep a state."""

    name: str
    work: Callable[[Any], Any]
    threads: int = 1


@dataclass
class StageTime:
    """What a stage has cost so far. `cpu` is that of its own threads; a library's own threads are not in it."""

    items: int = 0
    wall: float = 0.0  # s
    cpu: float = 0.0  # s

    def report(self) -> dict[str, float]:
        """Milliseconds an item."""
        each = 1e3 / max(1, self.items)
        return {"wall_ms": round(self.wall * each, 2), "cpu_ms": round(self.cpu * each, 2)}


class Stream(Generic[T]):
    """Iterate over it for the last stage's results. Use it in a `with`: leaving it ends all threads.

    An exception in the source or in a stage is raised in the consumer, after the results before it. `attend` is called
    in the consumer's thread at least every 0.1 s and between results, and may raise to stop the work.
    """

    def __init__(
        self,
        source: Iterable[Any],
        stages: Sequence[Stage],
        *,
        source_name: str = "source",
        depth: int = DEPTH,
        attend: Callable[[], None] = lambda: None,
    ) -> None:
        self.times = {name: StageTime() for name in (source_name, *(stage.name for stage in stages))}
        self._attend = attend
        self._lock = threading.Lock()
        self._links = [_Link(depth) for _ in range(len(stages) + 1)]
        self._threads = [threading.Thread(target=self._read, args=(source, source_name), name=source_name)]
        for stage, before, after in zip(stages, self._links, self._links[1:], strict=False):
            turn = threading.Lock()
            for number in range(stage.threads):
                arguments = (stage, turn, before, after)
                self._threads.append(
                    threading.Thread(target=self._serve, args=arguments, name=f"{stage.name}-{number}")
                )
        for thread in self._threads:
            # A stage that hangs in native code must not keep a process alive that wants to end.
            thread.daemon = True

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for link in self._links:
            link.close()
        for thread in self._threads:
            thread.join()

    def __iter__(self) -> Iterator[T]:
        last = self._links[-1]
        while True:
            self._attend()
            slot = last.get(self._attend)
            if slot is None:
                return
            yield slot.value(self._attend)

    def _read(self, source: Iterable[Any], name: str) -> None:
        iterator = iter(source)
        try:
            while True:
                slot = _Slot()
                slot.fill(lambda: self._timed(name, lambda: next(iterator)))
                if isinstance(slot.error, StopIteration) or not self._links[0].put(slot) or slot.error is not None:
                    return
        finally:
            self._links[0].finish()
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    def _serve(self, stage: Stage, turn: threading.Lock, before: _Link, after: _Link) -> None:
        while True:
            # Whoever takes an item reserves the place of its result at once: that is what keeps results in order.
            with turn:
                given = before.get()
                result = _Slot()
                if given is None or not after.put(result):
                    after.finish()
                    return
            result.fill(lambda given=given: self._worked(stage, given.value()))  # type: ignore[misc]

    def _worked(self, stage: Stage, item: Any) -> Any:
        return self._timed(stage.name, lambda: stage.work(item))

    def _timed(self, name: str, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.thread_time()
        result = work()
        with self._lock:
            total = self.times[name]
            total.items += 1
            total.wall += time.perf_counter() - wall
            total.cpu += time.thread_time() - cpu
        return result


class _Slot:
    """The place of one result: reserved in order, filled when it is ready."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._value: Any = None
        self._filled = threading.Event()

    def fill(self, work: Callable[[], Any]) -> None:
        try:
            self._value = work()
        except Exception as error:
            self.error = error
        self._filled.set()

    def value(self, attend: Callable[[], None] | None = None) -> Any:
        """Waits for it. Raises what the work raised."""
        while not self._filled.wait(None if attend is None else ATTENTION_SECONDS):
            if attend is not None:
                attend()
        if self.error is not None:
            raise self.error
        return self._value


class _Link:
    """A short queue of slots between two stages. `finish`: no more will come. `close`: nobody wants any more."""

    def __init__(self, depth: int) -> None:
        self._slots: deque[_Slot] = deque()
        self._depth = depth
        self._changed = threading.Condition()
        self._finished = self._closed = False

    def put(self, slot: _Slot) -> bool:
        """False when the link is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._slots) < self._depth)
            if not self._closed:
                self._slots.append(slot)
                self._changed.notify_all()
            return not self._closed

    def get(self, attend: Callable[[], None] | None = None) -> _Slot | None:
        """None at the end, or when the link is closed."""
        with self._changed:
            while not self._changed.wait_for(
                lambda: self._closed or self._finished or bool(self._slots),
                None if attend is None else ATTENTION_SECONDS,
            ):
                if attend is not None:
                    attend()
            if self._closed or not self._slots:
                return None
            slot = self._slots.popleft()
            self._changed.notify_all()
            return slot

    def finish(self) -> None:
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._slots.clear()
            self._changed.notify_all()
