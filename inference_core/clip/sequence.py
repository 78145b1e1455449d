"""A numbered sequence of pictures as a clip."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

from inference_core.clip.model import Clip, ClipInfo, Frame, check_range, check_size
from inference_core.errors import BadInput
from inference_core.formats.numbering import HIGH_RANGE, PHOTOS, NumberedPicture, fitting, series_of, several_places
from inference_core.perception.image import read_photo

PICTURES = frozenset(PHOTOS) - {".gif", ".ico"}
SEQUENCE_RATE = 24.0
"""Frames a second of pictures, which do not tell: cinema's rate, and the one a new Blender scene has."""


class PictureSequence(Clip):
    """Pictures in natural order. Frame 0 is the lowest number; a number that is missing leaves a gap in the indices."""

    def __init__(self, source: str, pictures: list[NumberedPicture], fps: float | None, notes: tuple[str, ...]) -> None:
        """`pictures` in order, at least one.

        Raises:
            BadInput: when the first cannot be read.
        """
        self._pictures = pictures
        self._first = pictures[0].number
        self._closed = threading.Event()
        self._late_notes: list[str] = []
        photo = read_photo(pictures[0].path)
        width, height = photo.size
        check_size(width, height, pictures[0].path.name)
        if fps is None:
            notes += (f"Pictures do not tell their rate; {SEQUENCE_RATE:.0f} frames a second were assumed.",)
        span = pictures[-1].number - self._first + 1
        if span > len(pictures):
            notes += (f"{span - len(pictures)} of {span} numbers are missing; those frames are left out.",)
        self.info = ClipInfo(source, width, height, fps or SEQUENCE_RATE, span, notes)

    @property
    def damaged_at(self) -> int | None:
        return None  # a picture that is damaged does not concern the next

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.info.notes, *self._late_notes)

    def close(self) -> None:
        self._closed.set()

    def frames(self, start: int = 0, end: int | None = None) -> Iterator[Frame]:
        check_range(start, end)
        for picture in self._pictures:
            index = picture.number - self._first
            if index < start:
                continue
            if self._closed.is_set() or (end is not None and index >= end):
                return
            try:
                photo = read_photo(picture.path)
            except BadInput as error:
                self._note(f"Frame {index} is left out. {error.sentence}")
                continue
            if photo.size != self.info.size:
                raise BadInput(
                    f"'{picture.path.name}' has {photo.size[0]} x {photo.size[1]} pixels, the pictures before it "
                    f"{self.info.width} x {self.info.height}.",
                    "Give one sequence of pictures of one size.",
                )
            yield Frame(index, index / self.info.fps, photo.rgb)

    def _note(self, sentence: str) -> None:
        if sentence not in self._late_notes:
            self._late_notes.append(sentence)


def open_pattern(source: str, fps: float | None = None) -> PictureSequence:
    """A sequence such as shots/frame_%04d.png or frame_####.png.

    Raises:
        BadInput: for a pattern with more than one place for a number, or one that no picture fits.
    """
    pattern = Path(source)
    _refuse_high_range(pattern)
    found = fitting(pattern, _listed(pattern.parent))
    if not found and several_places(pattern.name):
        raise BadInput(f"'{pattern.name}' has more than one place for a number.", "Keep one, as in frame_####.png.")
    if not found:
        raise BadInput(f"No picture fits '{source}'.", "Check the folder, the name and the number of digits.")
    return PictureSequence(source, _in_order(found), fps, ())


def open_folder(folder: Path, fps: float | None = None) -> PictureSequence:
    """The pictures in `folder`; of several series the longest.

    Raises:
        BadInput: where no picture, or none that can be read, lies there.
    """
    names = [path for path in _listed(folder) if not path.name.startswith(".")]
    pictures = [path for path in names if path.suffix.lower() in PICTURES]
    if not pictures:
        for path in names:
            _refuse_high_range(path)
        raise BadInput(
            f"The folder '{folder}' holds no pictures.", "Give a folder of PNG or JPEG pictures, or a video."
        )
    longest = max(series_of(pictures).values(), key=len, default=[])
    unnumbered = [path for path in pictures if not any(letter.isdigit() for letter in path.stem)]
    notes: tuple[str, ...] = ()
    if (len(longest) <= 1 and len(pictures) > 1) or len(longest) < len(unnumbered):  # names, not numbers
        kind = (longest[0].path if len(longest) >= len(unnumbered) else unnumbered[0]).suffix.lower()
        ranked = sorted((path.name for path in pictures if path.suffix.lower() == kind), key=_natural)
        longest = [NumberedPicture(rank, folder / name) for rank, name in enumerate(ranked)]
    if len(longest) < len(pictures):
        left = len(pictures) - len(longest)
        notes = (f"{left} other picture{'s' if left > 1 else ''} in the folder were left out.",)
    return PictureSequence(str(folder), _in_order(longest), fps, notes)


def _listed(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_file()]
    except FileNotFoundError as error:
        raise BadInput(f"The folder '{folder}' does not exist.", "Check the path.") from error
    except OSError as error:
        raise BadInput(f"The folder '{folder}' cannot be read: {error.strerror}.", "Check its permissions.") from error


def _in_order(pictures: list[NumberedPicture]) -> list[NumberedPicture]:
    """By number, each once: frame_1 and frame_001 are the same frame."""
    once = {picture.number: picture for picture in sorted(pictures, key=lambda picture: picture.path.name)}
    return [once[number] for number in sorted(once)]


def _natural(name: str) -> list[tuple[int, str]]:
    """shot2 before shot10."""
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", name)]


def _refuse_high_range(path: Path) -> None:
    if path.suffix.lower() in HIGH_RANGE:
        raise BadInput(
            f"{path.suffix[1:].upper()} pictures hold linear light and are not read here.",
            "Save the sequence as PNG or JPEG with the view transform applied.",
        )
