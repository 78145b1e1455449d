# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CSV in the layout of the app Live Link Face, out and in. No bpy.

    Timecode,BlendShapeCount,EyeBlinkLeft,...,TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,...,RightEyeRoll
    12:24:24:19.960,61,0.0179804321,...

52 values in 0..1, then nine angles in radians. The app's format is not documented by its maker; what is written here
follows public recordings of the app: the order of the columns (JawRight before JawLeft), 10 decimals, frames of the
timecode counted at 60 a second though rows come at 30. In those recordings an eye's yaw and pitch are radians, pitch
positive downwards, and an eyeLook value of 1 stands for about 0.61 rad sideways and down and 0.45 rad up. Their eyeLook
columns lie on the other side than their eye angles: gaze is therefore read from the eyeLook columns, and from the
angles only how far a full look goes. The recordings leave the head's angles at 0, so their signs are not proved: they
are written as the eyes' are (yaw positive to the subject's left, pitch positive downwards, roll positive when the
subject's left side rises), and can be inverted when reading.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import RecordingError
from ..files import timecode
from ..files.timecode import Floats
from ..formats.arkit import COLUMN, NAMES, mirrored, spelled
from ..formats.writing import write_text_whole

ANGLES = (
    "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch",
    "RightEyeRoll",
)  # fmt: skip
HEADER = ("Timecode", "BlendShapeCount", *(name[0].upper() + name[1:] for name in NAMES), *ANGLES)
COUNT = len(NAMES) + len(ANGLES)  # 61
_DELIMITERS = ",;\t"
_TOLD = re.compile(r"sep=(.?)", re.IGNORECASE)  # a first line for spreadsheets
_STAMPS = ("timecode", "timestamp", "time")
_ROW = "%s,%d," + ",".join(["%.10f"] * COUNT)
_RATE_WITHOUT_TIMECODE = 60.0  # the app's
_FEWEST_NAMES = 5  # a table with fewer of the 52 is something else


@dataclass(frozen=True, eq=False)
class Recording:
    """N rows. Values 0..1, angles yaw, pitch, roll in rad (see face_motion for their signs)."""

    fps: float
    frames: NDArray[np.int64]  # (N,) increasing; a number that is missing was dropped
    values: Floats  # (N, 52) by NAMES, 0 where absent
    present: NDArray[np.bool_]  # (52,)
    head: Floats  # (N, 3)
    eyes: Floats  # (N, 2, 3) left, right


@dataclass(frozen=True)
class Reading:
    """How a file is read. `fps`: the rows' rate instead of the timecodes', None: as the timecodes say."""

    fps: float | None = None
    mirror: bool = False  # left and right change places
    invert: tuple[bool, bool, bool] = (False, False, False)  # head's yaw, pitch, roll


def write_recording(path: Path, recording: Recording) -> None:
    """Write the file, whole or not at all.

    Raises:
        OSError: where it cannot be written.
        RecordingError: for values that are no numbers.
    """
    numbers = np.concatenate(
        [recording.values, recording.head, recording.eyes.reshape(len(recording.frames), 6)], axis=1
    )
    if not np.isfinite(numbers).all():
        raise RecordingError("The performance holds values that are no numbers.", "Track the clip again.")
    lines = [",".join(HEADER)]
    stamps = (timecode.written(frame, recording.fps) for frame in recording.frames.tolist())
    lines += [_ROW % (stamp, COUNT, *row) for stamp, row in zip(stamps, numbers.tolist(), strict=True)]
    write_text_whole(path, "\n".join(lines) + "\n")


def read_recording(path: Path, reading: Reading = Reading()) -> Recording:
    """Read a file of the app or one like it.

    Columns may come in any order and under any spelling that `arkit.spelled` knows, and may be missing; rows that hold
    no values (the app lost the face) are left out, of rows with one timecode the last counts.

    Raises:
        RecordingError: with the line that is wrong.
    """
    try:
        text = _decoded(path.read_bytes())
    except OSError as error:
        raise RecordingError(f"{path.name} cannot be read: {error.strerror}.", "Choose another file.") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path.name} is not a text file.", "Choose a CSV file of Live Link Face.") from error
    return _from_text(text, path.name, reading)


def _decoded(data: bytes) -> str:
    """UTF-8, or UTF-16 as Excel's "Unicode text" has it, with a mark at its beginning or told by its zeros."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    if b"\0" in data[:200]:
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
    return data.decode("utf-8-sig")


@dataclass(frozen=True)
class _Layout:
    """Where things stand in a row."""

    delimiter: str
    width: int
    stamp: int | None
    count: int | None
    values: dict[int, int]  # place in the row -> column in NAMES
    angles: dict[int, int]  # place in the row -> column in ANGLES


def _from_text(text: str, name: str, reading: Reading) -> Recording:
    lines = text.splitlines()
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is not None and (told := _TOLD.fullmatch(lines[first].strip().strip('"'))):  # for Excel's eyes
        layout = _layout(lines[first + 1] if first + 1 < len(lines) else "", name, told[1] or "\t")
        first += 1
    elif first is not None:
        layout = _layout(lines[first], name)
    else:
        raise RecordingError(f"{name} is empty.", "Choose a CSV file of Live Link Face.")
    whole = text.endswith(("\n", "\r"))
    end = max(number for number, line in enumerate(lines, start=1) if line.strip())
    places = [*layout.values, *layout.angles]
    cells: list[list[str]] = []
    stamps: list[str] = []
    numbers: list[int] = []  # of the lines
    for number, row in enumerate(csv.reader(io.StringIO("\n".join(lines[first + 1 :])), delimiter=layout.delimiter)):
        line = first + 2 + number
        if not any(cell.strip() for cell in row) or _is_lost(row, layout):
            continue
        if line == end and cells and not whole and _is_cut(row, layout):
            continue  # the recording stopped in the middle of its last row
        if len(row) < layout.width:
            raise _wrong(name, line, f"has {len(row)} columns instead of {layout.width}")
        cells.append([row[place] for place in places])
        stamps.append(row[layout.stamp] if layout.stamp is not None else "")
        numbers.append(line)
    if not cells:
        raise RecordingError(f"{name} has no row with a face.", "Choose another recording.")
    table = _numbers(cells, numbers, layout, name)
    values, angles = np.zeros((len(table), len(NAMES))), np.zeros((len(table), len(ANGLES)))
    values[:, list(layout.values.values())] = table[:, : len(layout.values)]
    angles[:, list(layout.angles.values())] = table[:, len(layout.values) :]
    present = np.zeros(len(NAMES), dtype=np.bool_)
    present[list(layout.values.values())] = True

    times = _times(stamps, numbers, name) if layout.stamp is not None else None
    fps = reading.fps or (timecode.rate_of(times) if times is not None else _RATE_WITHOUT_TIMECODE)
    frames = np.arange(len(table)) if times is None or reading.fps else np.round(times * fps).astype(np.int64)
    last = np.append(frames[1:] != frames[:-1], True)
    recording = Recording(
        fps, frames[last], values[last], present, angles[last, :3], angles[last, 3:].reshape(-1, 2, 3)
    )
    return _turned(recording, reading)


def _layout(header: str, name: str, delimiter: str | None = None) -> _Layout:
    """Find the columns. A delimiter, where the file does not tell it, is what cuts the header into most pieces."""
    delimiter = delimiter or max(_DELIMITERS, key=header.count)
    titles = [title.strip() for title in next(csv.reader([header], delimiter=delimiter))]
    plain = [title.lower().replace("_", "").replace(" ", "") for title in titles]
    values: dict[int, int] = {}
    angles = {
        place: list(map(str.lower, ANGLES)).index(title)
        for place, title in enumerate(plain)
        if title in map(str.lower, ANGLES)
    }
    for place, title in enumerate(titles):
        guess = None if place in angles else spelled(title)
        if guess is not None and COLUMN[guess[0]] not in values.values():
            values[place] = COLUMN[guess[0]]
    if len(values) < _FEWEST_NAMES:
        raise RecordingError(
            f"The first line of {name} names {len(values)} of ARKit's 52 expressions: it is no face recording.",
            "Choose a CSV file in Live Link Face's layout.",
        )
    return _Layout(
        delimiter,
        len(titles),
        next((plain.index(title) for title in _STAMPS if title in plain), None),
        plain.index("blendshapecount") if "blendshapecount" in plain else None,
        values,
        angles,
    )


def _is_lost(row: list[str], layout: _Layout) -> bool:
    """The app writes a count of 0, and often nothing after it, while it sees no face."""
    return layout.count is not None and len(row) > layout.count and row[layout.count].strip() in ("0", "0.0")


def _is_cut(row: list[str], layout: _Layout) -> bool:
    """Whether a row without a line's end lacks columns, or ends in what is no number."""
    if len(row) < layout.width:
        return True
    try:
        float((row[max([*layout.values, *layout.angles])]).replace(",", "."))
    except ValueError:
        return True
    return False


def _numbers(cells: list[list[str]], lines: list[int], layout: _Layout, name: str) -> Floats:
    """The cells as numbers (N, columns); comma decimals where the semicolon cuts."""
    if layout.delimiter == ";":
        cells = [[cell.replace(",", ".") for cell in row] for row in cells]
    try:
        table = np.array(cells, dtype=np.float64)
    except ValueError:
        table = None
    if table is not None and np.isfinite(table).all():
        return table
    for line, row in zip(lines, cells, strict=True):
        for cell in row:
            try:
                fine = bool(np.isfinite(float(cell)))
            except ValueError:
                fine = False
            if not fine:
                raise _wrong(name, line, f"holds '{cell.strip()[:20]}' where a number should be")
    raise RecordingError(f"{name} cannot be read.", "Choose another file.")


def _times(stamps: list[str], lines: list[int], name: str) -> Floats:
    """Seconds since the first row."""
    counted = _seconds(stamps)
    if counted is not None:
        return counted
    parts = [timecode.parsed(stamp) for stamp in stamps]
    for part, stamp, line in zip(parts, stamps, lines, strict=True):
        if part is None:
            raise _wrong(name, line, f"has the timecode '{stamp.strip()[:24]}' instead of HH:MM:SS:FF")
    good = [part for part in parts if part is not None]
    signs = {sign for _, _, sign in good if sign}
    if len(signs) > 1:
        raise RecordingError(f"{name} mixes several kinds of timecodes.", "Import it by rows, with a frame rate.")
    times = timecode.seconds_of(
        np.array([whole for whole, _, _ in good], dtype=np.int64),
        np.array([frames for _, frames, _ in good]),
        signs.pop() if signs else ":",
    )
    back = np.flatnonzero(np.diff(times) < 0)
    if len(back):
        raise _wrong(name, lines[int(back[0]) + 1], "has an earlier timecode than the line before")
    return times


def _seconds(stamps: list[str]) -> Floats | None:
    """Times of trackers that write seconds, or milliseconds, as plain numbers; None where they are no numbers."""
    try:
        times = np.array([float(stamp.replace(",", ".")) for stamp in stamps])
    except ValueError:
        return None
    steps = np.diff(times)
    if not np.isfinite(times).all() or len(steps) == 0 or (steps < 0).any():
        return None
    usual = float(np.median(steps))
    if usual == 1.0:  # numbers of frames
        return np.asarray((times - times[0]) / _RATE_WITHOUT_TIMECODE)
    return np.asarray((times - times[0]) * (0.001 if usual > 1.0 else 1.0))


def _wrong(name: str, line: int, what: str) -> RecordingError:
    return RecordingError(f"Line {line} of {name} {what}.", "Mend the line, or record again.")


def _turned(recording: Recording, reading: Reading) -> Recording:
    """Mirrored and inverted as asked for."""
    values, present, head, eyes = recording.values, recording.present, recording.head, recording.eyes
    head = head * np.where(reading.invert, -1.0, 1.0)
    if reading.mirror:
        order = [COLUMN[mirrored(name)] for name in NAMES]
        flip = np.array([-1.0, 1.0, -1.0])  # a mirror keeps pitch and turns yaw and roll about
        values, present, head, eyes = values[:, order], present[order], head * flip, eyes[:, ::-1] * flip
    return Recording(recording.fps, recording.frames, values, present, head, eyes)
