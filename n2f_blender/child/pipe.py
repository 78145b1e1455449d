# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipes to a child process that never block and need no thread, on POSIX and on Windows."""

from __future__ import annotations

import os
import sys

_CHUNK = 65536

if sys.platform == "win32":
    import ctypes
    import msvcrt
    from ctypes import wintypes

    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _PIPE_NOWAIT = wintypes.DWORD(0x00000001)

    def _bytes_waiting(descriptor: int) -> int | None:
        """How much can be read without waiting; None when the other end is closed."""
        waiting = wintypes.DWORD()
        handle = wintypes.HANDLE(msvcrt.get_osfhandle(descriptor))
        if not _kernel32.PeekNamedPipe(handle, None, 0, None, ctypes.byref(waiting), None):
            return None
        return int(waiting.value)

    def read_available(descriptor: int) -> tuple[bytes, bool]:
        """Everything that can be read without waiting, and whether the other end is closed."""
        parts: list[bytes] = []
        while waiting := _bytes_waiting(descriptor):
            parts.append(os.read(descriptor, min(waiting, _CHUNK)))
        return b"".join(parts), waiting is None

    def make_writable_without_waiting(descriptor: int) -> None:
        """Later writes take what fits into the pipe and return."""
        handle = wintypes.HANDLE(msvcrt.get_osfhandle(descriptor))
        _kernel32.SetNamedPipeHandleState(handle, ctypes.byref(_PIPE_NOWAIT), None, None)

    def write_available(descriptor: int, data: bytes) -> int:
        """Write what fits without waiting; the number of bytes written.

        Raises:
            OSError: when the reader is gone.
        """
        # A pipe in PIPE_NOWAIT mode takes a message as a whole or not at all: keep the pieces small.
        return os.write(descriptor, data[:512])

    def make_readable_without_waiting(descriptor: int) -> None:
        """Nothing to do: PeekNamedPipe tells how much may be read."""

else:

    def make_readable_without_waiting(descriptor: int) -> None:
        """Later reads return at once."""
        os.set_blocking(descriptor, False)

    def make_writable_without_waiting(descriptor: int) -> None:
        """Later writes take what fits into the pipe and return."""
        os.set_blocking(descriptor, False)

    def read_available(descriptor: int) -> tuple[bytes, bool]:
        """Everything that can be read without waiting, and whether the other end is closed."""
        parts: list[bytes] = []
        while True:
            try:
                part = os.read(descriptor, _CHUNK)
            except BlockingIOError:
                return b"".join(parts), False
            if not part:
                return b"".join(parts), True
            parts.append(part)

    def write_available(descriptor: int, data: bytes) -> int:
        """Write what fits without waiting; the number of bytes written.

        Raises:
            OSError: when the reader is gone.
        """
        try:
            return os.write(descriptor, data)
        except BlockingIOError:
            return 0
