# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The child process: `following` starts it as `python -I -c ... PACKAGE --into FOLDER --wheel FILE --lock FILE`.

It prints one JSON object a line: `progress` (doing, share), then `installed` or `error` (code, sentence, remedy,
details). Exit status 0 or 1. Whoever kills it kills its whole session, pip included.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import InstallError
from .maker import Order, as_line, make_core
from .places import CoreFolder, Supplies


def main() -> int:
    """0 installed, 1 an error was printed."""
    parser = argparse.ArgumentParser(description="Install the core.")
    parser.add_argument("--into", type=_absolute, required=True, help="the folder of the core")
    parser.add_argument("--wheel", type=_absolute, required=True, help="the core itself")
    parser.add_argument("--lock", type=_absolute, required=True, help="the packages it needs")
    parser.add_argument("--from", dest="source", type=_absolute, help="a folder of wheels instead of the index")
    parser.add_argument("--thorough", action="store_true", help="compare every file with its hash")
    words = parser.parse_args()
    order = Order(CoreFolder(words.into), Supplies(words.wheel, words.lock), words.source, words.thorough)

    def say(doing: str, share: float) -> None:
        print(as_line("progress", doing=doing, share=share), flush=True)

    try:
        make_core(order, say)
    except InstallError as error:
        print(
            as_line("error", code=error.code, sentence=error.sentence, remedy=error.remedy, details=error.details),
            flush=True,
        )
        return 1
    print(as_line("installed"), flush=True)
    return 0


def _absolute(text: str) -> Path:
    return Path(text).absolute()  # pip runs elsewhere


if __name__ == "__main__":
    sys.exit(main())
