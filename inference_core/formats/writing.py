# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` to write into, which takes its place when all is written; else `path` stays as it was.

    Raises:
        OSError: where the folder or the disk refuses.
    """
    with named_whole(path) as unfinished, unfinished.open("wb") as file:
        yield file


@contextmanager
def named_whole(path: Path) -> Iterator[Path]:
    """The same for those who open files by name: a hidden, empty file with the same ending.

    Raises:
        OSError: where the folder or the disk refuses.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        umask = os.umask(0)
        os.umask(umask)
        unfinished.chmod(0o666 & ~umask)  # mkstemp's files are for their owner alone
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_text_whole(path: Path, text: str) -> None:
    """UTF-8 with plain newlines, whole or not at all.

    Raises:
        OSError: where the folder or the disk refuses.
    """
    with written_whole(path) as file:
        file.write(text.encode())
