"""What a batch is about: photos or clips out of names, folders, patterns and lists."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from inference_core.errors import BadInput
from inference_core.formats.numbering import PHOTOS, VIDEOS

LIST: Final = "@"
"""Before the name of a text file: a line an input, or JSON: a list of names."""


def expanded(words: Sequence[str], *, clips: bool) -> tuple[list[str], list[str]]:
    """The inputs that words name, in their order, each once; and the files of folders that are left out.

    A folder gives the photos in it, or the videos; `*`, `?` and `**` are patterns where no file has that very name;
    @FILE is a list of such words, relative to where it lies.

    Raises:
        BadInput: for a list that cannot be read, and a pattern or a folder that gives nothing.
    """
    found: dict[str, None] = {}
    left: list[str] = []
    for word in words:
        for name in _expanded(word, PHOTOS if not clips else VIDEOS, left):
            found.setdefault(name)
    return list(found), left


def _expanded(word: str, endings: Sequence[str], left: list[str]) -> Iterator[str]:
    path = Path(word)
    if word.startswith(LIST) and not path.exists():
        for line in _listed(Path(word[len(LIST) :])):
            yield from _expanded(line, endings, left)
    elif path.is_dir():
        files = [item for item in sorted(path.iterdir()) if item.is_file() and not item.name.startswith(".")]
        known = [item for item in files if item.suffix.lower() in endings]
        left += [str(item) for item in files if item not in known]
        if not known:
            raise BadInput(f"The folder '{word}' holds nothing for this.", "Name another one, or the files.")
        yield from map(str, known)
    elif not path.exists() and glob.has_magic(word):
        matches = [name for name in sorted(glob.glob(word, recursive=True)) if Path(name).is_file()]  # noqa: PTH207
        if not matches:
            raise BadInput(f"No file is called as '{word}' says.", "Look at the pattern and its folder.")
        yield from matches
    else:
        yield word


def _listed(path: Path) -> list[str]:
    """The words of a list; relative ones belong to its folder."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        words = json.loads(text) if text.lstrip().startswith("[") else text.splitlines()
        if not all(isinstance(word, str) for word in words):
            raise ValueError("it holds other things than names")
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(
            f"The list '{path}' cannot be read: {error}.", "Write a file's name a line, in UTF-8."
        ) from error
    named = [word.strip() for word in words if word.strip() and not word.lstrip().startswith("#")]
    return [word if Path(word).is_absolute() else str(path.parent / word) for word in named]
