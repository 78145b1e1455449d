"""CSV in Live Link Face's layout: what is written is read again, and what others write is read too."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from n2f_blender.errors import RecordingError
from n2f_blender.formats.arkit import COLUMN, NAMES, mirrored
from n2f_blender.motion.livelink import HEADER, Reading, Recording, read_recording, write_recording
from tests.conftest import CASES

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# The first columns of the header of a public recording of the app.
APP_HEADER = (
    "Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,TongueOut,"
    "HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
)


def recording(frames: int = 50, fps: float = 30.0, seed: int = 0, first: int = 0) -> Recording:
    numbers = np.random.default_rng(seed)
    return Recording(
        fps,
        first + np.arange(frames),
        numbers.uniform(0, 1, (frames, 52)),
        np.ones(52, dtype=np.bool_),
        numbers.normal(0, 0.3, (frames, 3)),
        numbers.normal(0, 0.2, (frames, 2, 3)),
    )


def rewritten(tmp_path: Path, change: object, source: Recording | None = None) -> Path:
    """A file as we write it, with its lines changed."""
    path = tmp_path / "take.csv"
    write_recording(path, source or recording())
    lines = path.read_text().splitlines()
    path.write_bytes(change(lines).encode())  # type: ignore[operator]
    return path


def test_the_header_is_the_apps() -> None:
    assert ",".join(HEADER) == APP_HEADER


@QUICK
@given(
    st.integers(1, 200).flatmap(lambda n: arrays(np.float64, (n, 61), elements=st.floats(0, 1))),
    st.sampled_from([24.0, 25.0, 30.0, 30000 / 1001, 50.0, 60000 / 1001, 60.0]),
    st.integers(0, 200_000),
)
def test_what_is_written_is_read_again(tmp_path: Path, numbers: np.ndarray, fps: float, first: int) -> None:
    written = Recording(
        fps,
        first + np.arange(len(numbers)),
        numbers[:, :52],
        np.ones(52, dtype=np.bool_),
        numbers[:, 52:55] - 0.5,
        numbers[:, 55:].reshape(-1, 2, 3) - 0.5,
    )
    path = tmp_path / "take.csv"
    write_recording(path, written)
    again = read_recording(path)
    assert np.array_equal(again.frames, np.arange(len(numbers)))
    if len(numbers) > 2 * fps:
        assert again.fps == round(fps), "timecodes count whole frames"
    for name in ("values", "head", "eyes"):
        assert np.abs(getattr(again, name) - getattr(written, name)).max() < 6e-11
    assert again.present.all()
    exact = read_recording(path, Reading(fps=fps))
    assert exact.fps == fps
    assert list(path.parent.iterdir()) == [path]


@QUICK
@given(st.integers(0, 2**31), st.sampled_from([",", ";", "\t"]), st.booleans(), st.booleans(), st.booleans())
def test_other_orders_columns_and_line_ends(
    tmp_path: Path, seed: int, delimiter: str, bom: bool, crlf: bool, short: bool
) -> None:
    source = recording(seed=seed)
    choice = random.Random(seed)
    order = list(range(2, 54 if short else 63))
    choice.shuffle(order)
    order = [0, *order[: choice.randint(6, len(order))]]
    assume(sum(2 <= place < 54 for place in order) >= 5)  # with fewer expressions it is no face recording

    def change(lines: list[str]) -> str:
        rows = [[line.split(",")[place] for place in order] for line in lines]
        if delimiter == ";":
            rows = [[cell.replace(".", ",") if row else cell for cell in cells] for row, cells in enumerate(rows)]
            for cells in rows[1:]:
                cells[0] = cells[0].replace(",", ".")
        text = ("\r\n" if crlf else "\n").join(delimiter.join(cells) for cells in rows) + ("\r\n\r\n" if crlf else "")
        return ("\ufeff" if bom else "") + text

    again = read_recording(rewritten(tmp_path, change, source))
    there = sorted(place - 2 for place in order if 2 <= place < 54)
    assert np.flatnonzero(again.present).tolist() == there
    assert np.abs(again.values[:, there] - source.values[:, there]).max() < 6e-11
    assert not again.values[:, ~again.present].any()
    if not short and 54 in order:
        assert np.abs(again.head[:, 0] - source.head[:, 0]).max() < 6e-11


def test_the_apps_own_timecodes(tmp_path: Path) -> None:
    """Frames are counted at 60 though rows come at 30, and drift a little against the clock; two rows were dropped."""
    frames = np.delete(np.arange(200), [50, 51, 120])

    def change(lines: list[str]) -> str:
        ticks = 19.960 + frames * 1.9997
        stamps = [f"12:24:{24 + int(tick // 60):02d}:{tick % 60:06.3f}" for tick in ticks]
        return "\n".join(
            [lines[0], *(stamp + line[line.index(",") :] for stamp, line in zip(stamps, lines[1:], strict=True))]
        )

    again = read_recording(rewritten(tmp_path, change, recording(len(frames))))
    assert again.fps == 30.0
    assert np.array_equal(again.frames, frames)


def test_past_midnight_and_drop_frame_and_fractions(tmp_path: Path) -> None:
    late = recording(100, first=24 * 3600 * 30 - 40)
    path = tmp_path / "late.csv"
    write_recording(path, late)
    assert "23:59:59:29.000" in path.read_text()
    assert np.array_equal(read_recording(path).frames, np.arange(100))

    def stamped(stamps: list[str]) -> Path:
        return rewritten(
            tmp_path,
            lambda lines: "\n".join([lines[0], *(s + line[15:] for s, line in zip(stamps, lines[1:], strict=True))]),
            recording(len(stamps)),
        )

    drop = [f"00:00:59;{f:02d}" for f in range(30)] + [f"00:01:00;{f:02d}" for f in range(2, 30)] + ["00:01:01;00"]
    again = read_recording(stamped(drop))
    assert again.fps == pytest.approx(30000 / 1001)
    assert np.array_equal(again.frames, np.arange(59))
    fractions = [f"00:00:{n / 25:06.3f}" for n in range(60)]
    again = read_recording(stamped(fractions))
    assert again.fps == 25.0
    assert np.array_equal(again.frames, np.arange(60))


def test_rows_without_a_face_and_double_timecodes(tmp_path: Path) -> None:
    source = recording(40)

    def change(lines: list[str]) -> str:
        lines[5] = lines[5].split(",")[0] + ",0"
        lines[9] = lines[8].split(",")[0] + lines[9][lines[9].index(",") :]
        return "\n".join(lines)

    again = read_recording(rewritten(tmp_path, change, source))
    assert again.frames.tolist() == [n for n in range(40) if n not in (4, 8)]
    assert np.abs(again.values[6] - source.values[8]).max() < 6e-11, "the last row of a timecode counts"


def test_mirror_and_invert(tmp_path: Path) -> None:
    source = recording()
    path = tmp_path / "take.csv"
    write_recording(path, source)
    other = read_recording(path, Reading(mirror=True, invert=(False, True, False)))
    for name in ("eyeBlinkLeft", "jawRight", "mouthClose"):
        assert np.allclose(other.values[:, COLUMN[name]], source.values[:, COLUMN[mirrored(name)]], atol=1e-9)
    assert np.allclose(other.head, source.head * [-1, -1, -1], atol=1e-9)
    assert np.allclose(other.eyes[:, 0], source.eyes[:, 1] * [-1, 1, -1], atol=1e-9)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda _lines: "", "empty"),
        (lambda _lines: "a,b,c\n1,2,3\n", "no face recording"),
        (lambda lines: lines[0] + "\n", "no row"),
        (lambda lines: "\n".join([*lines[:3], lines[3][:90], *lines[4:]]), "Line 4 .* columns instead of 63"),
        (lambda lines: "\n".join([*lines[:6], lines[6].replace(",61,", ",61,x", 1), *lines[7:]]), "Line 7 .*'x0"),
        (lambda lines: "\n".join([*lines[:6], lines[6][:-12] + "nan", *lines[7:]]), "Line 7 .*'.*nan'"),
        (lambda lines: "\n".join([*lines[:2], "noon" + lines[2][15:], *lines[3:]]), "Line 3 .* timecode 'noon'"),
        (lambda lines: "\n".join([lines[0], *reversed(lines[1:])]), "Line 3 .* earlier"),
    ],
)
def test_a_malformed_file_is_one_sentence_with_its_line(tmp_path: Path, change: object, says: str) -> None:
    with pytest.raises(RecordingError, match=says) as caught:
        read_recording(rewritten(tmp_path, change))
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


def test_no_file_no_text_no_numbers(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recording(tmp_path / "nothing.csv")
    (tmp_path / "picture.csv").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(RecordingError, match="not a text file"):
        read_recording(tmp_path / "picture.csv")
    bad = recording(3)
    with pytest.raises(RecordingError, match="no numbers"):
        write_recording(tmp_path / "bad.csv", replace(bad, head=bad.head * np.nan))
    assert list(tmp_path.iterdir()) == [tmp_path / "picture.csv"]
    assert len(NAMES) == 52


def stamped(tmp_path: Path, rows: int, fps: float, digits: int = 3) -> Path:
    """HH:MM:SS.mmm, as trackers write that do not count frames."""

    def change(lines: list[str]) -> str:
        times = [round(row / fps, digits) for row in range(rows)]
        stamps = [f"00:{int(time // 60):02d}:{time % 60:0{digits + 3}.{digits}f}" for time in times]
        return "\n".join(
            [lines[0], *(f"{stamp},{line.split(',', 1)[1]}" for stamp, line in zip(stamps, lines[1:], strict=True))]
        )

    return rewritten(tmp_path, change, recording(rows))


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0, 30000 / 1001, 50.0, 60.0, 90.0, 120.0])
def test_whole_milliseconds_lose_no_row_and_no_rate(tmp_path: Path, fps: float) -> None:
    again = read_recording(stamped(tmp_path, 900, fps))
    assert again.fps == pytest.approx(fps, rel=1e-6)
    assert np.array_equal(again.frames, np.arange(900))


def test_the_cases_of_milliseconds() -> None:
    if not CASES.exists():
        pytest.skip("needs ../shared/cases")
    for rate in (30, 60):
        again = read_recording(CASES / "09_csv_milliseconds" / f"ms{rate}.csv")
        assert (again.fps, len(again.frames)) == (rate, 600)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("first", ["", "sep=,\n", '"sep=,"\n'])
def test_what_spreadsheets_make_of_it(tmp_path: Path, encoding: str, first: str) -> None:
    path = rewritten(tmp_path, "\n".join)
    path.write_bytes((first + path.read_text()).encode(encoding))
    assert len(read_recording(path).frames) == 50


@pytest.mark.parametrize("cut", [40, 400, 690])
def test_a_recording_that_stopped_in_its_last_row_loses_that_row_alone(tmp_path: Path, cut: int) -> None:
    path = rewritten(tmp_path, "\n".join)
    path.write_text(path.read_text()[:-cut])
    assert len(read_recording(path).frames) == 49


def test_a_short_row_in_the_middle_is_told(tmp_path: Path) -> None:
    path = rewritten(tmp_path, lambda lines: "\n".join([*lines[:9], lines[9][:40], *lines[10:]]))
    with pytest.raises(RecordingError, match="Line 10"):
        read_recording(path)


@pytest.mark.parametrize(("column", "unit"), [("Timestamp", 1.0), ("time", 1000.0)])
def test_times_as_plain_numbers(tmp_path: Path, column: str, unit: float) -> None:
    def change(lines: list[str]) -> str:
        header = lines[0].replace("Timecode", column)
        return "\n".join(
            [header, *(f"{row / 50 * unit},{line.split(',', 1)[1]}" for row, line in enumerate(lines[1:]))]
        )

    again = read_recording(rewritten(tmp_path, change))
    assert (again.fps, len(again.frames)) == (50.0, 50)
