"""Interlaced frames become whole ones: as many as before, in the same order."""

from __future__ import annotations

from av.error import BlockingIOError as NothingYet
from av.error import EOFError as NothingMore
from av.filter import Graph
from av.video.frame import VideoFrame


class Deinterlacer:
    """FFmpeg's bwdif, from the first interlaced frame on; before that frames pass untouched and at no cost.

    It looks at the neighbours of a frame, so it answers one frame late.
    """

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._kind: tuple[int, int, str] | None = None

    def push(self, frame: VideoFrame | None) -> list[VideoFrame]:
        """Frames that are ready after `frame`; None: the rest of them."""
        if frame is None:
            return [] if self._graph is None else self._drained()
        kind = (frame.width, frame.height, frame.format.name)
        ready: list[VideoFrame] = []
        if self._graph is not None and kind != self._kind:  # the stream changed: finish the old part first
            ready, self._graph = self._drained(), None
        if self._graph is None:
            if not frame.interlaced_frame:
                return [*ready, frame]
            self._graph, self._kind = _graph(frame), kind
        self._graph.vpush(frame)
        return ready + self._pulled()

    def _drained(self) -> list[VideoFrame]:
        assert self._graph is not None
        self._graph.vpush(None)
        rest = self._pulled()
        self._graph = None
        return rest

    def _pulled(self) -> list[VideoFrame]:
        assert self._graph is not None
        frames: list[VideoFrame] = []
        while True:
            try:
                frames.append(self._graph.vpull())
            except (NothingYet, NothingMore):
                return frames


def _graph(frame: VideoFrame) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    graph.link_nodes(source, graph.add("bwdif", mode="send_frame", deint="interlaced"), graph.add("buffersink"))
    graph.configure()
    return graph
