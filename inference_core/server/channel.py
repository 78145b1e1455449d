"""The process's stdin and stdout as a message channel that nothing else can write to."""

from __future__ import annotations

import os
import sys
import threading
from typing import TextIO

from inference_core.formats.replies import Reply, encode_reply


class Channel:
    """Writes whole lines, from any thread. A client that has gone is not an error: `closed` becomes true."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self.closed = False

    @classmethod
    def over_stdout(cls) -> Channel:
        """Takes descriptor 1 for the protocol and points stdout at stderr: a stray print cannot break a line."""
        protocol = os.dup(1)
        os.set_inheritable(protocol, False)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        return cls(os.fdopen(protocol, "w", encoding="ascii", newline="\n"))

    def send(self, message: Reply) -> None:
        """One line, flushed."""
        with self._lock:
            if self.closed:
                return
            try:
                self._stream.write(encode_reply(message) + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # the pipe's other end is gone
                self.closed = True
