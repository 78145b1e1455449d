"""`python -I -m inference_core.server`: serves until stdin closes."""

from __future__ import annotations

import argparse
import faulthandler
import io
import logging
import os
import sys

from inference_core.server.channel import Channel
from inference_core.server.server import IDLE_SECONDS, Server
from inference_core.threads import limit_library_threads


def main(idle_seconds: float = IDLE_SECONDS) -> int:
    """Exit status: 0, or 130 when interrupted at the keyboard."""
    limit_library_threads()
    channel = Channel.over_stdout()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    faulthandler.enable(sys.stderr)  # a crash in native code leaves its stack in the log
    # The client writes UTF-8 whatever this machine's locale says; a broken byte must not end the channel.
    requests = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    try:
        Server(channel, requests, idle_seconds).run()
    except KeyboardInterrupt:
        return 130
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="inference_core.server", description=__doc__)
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS, help="unload the models after this long")
    return parser.parse_args()


if __name__ == "__main__":
    status = main(_arguments().idle_seconds)
    sys.stderr.flush()
    # Without waiting for the reading thread, which may sit in a read that never returns, or for native threads.
    os._exit(status)
