# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole or not at all.

What is being written has a hidden name that tells whose it is. A process that was killed leaves it behind; whoever
writes there next takes it away.
"""

from __future__ import annotations

import os
import shutil
import socket
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
    prefix = f".{path.stem}.n2f-partial-"
    remove_leftovers(path.parent, prefix)
    handle, name = tempfile.mkstemp(prefix=owned(prefix), suffix=path.suffix, dir=path.parent)
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


def owned(prefix: str) -> str:
    """The prefix of what this process is writing."""
    return f"{prefix}{socket.gethostname()}-{os.getpid()}-"


def remove_leftovers(folder: Path, prefix: str) -> None:
    """Removes files and folders `owned` by processes of this machine that no longer run."""
    mine = f"{prefix}{socket.gethostname()}-"
    with os.scandir(folder) as entries:
        found = [Path(entry.path) for entry in entries if entry.name.startswith(mine)]
    for path in found:
        number = path.name.removeprefix(mine).split("-")[0]
        if not number.isdecimal() or int(number) == os.getpid() or _runs(int(number)):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    if os.name == "nt":  # os.kill would end the process there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
