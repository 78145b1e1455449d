"""Why something is no clip: one sentence, and what to do about it."""

from __future__ import annotations

import errno
from pathlib import Path

from av.error import EOFError as EndOfFile
from PIL import Image, UnidentifiedImageError

from inference_core.errors import BadInput

_GIVE_A_VIDEO = "Give a video file such as MP4, MOV, MKV, WebM or AVI, or a folder of pictures."


def check_file(path: Path) -> None:
    """Refuse what cannot be a clip before a decoder sees it.

    Raises:
        BadInput: unless `path` is a file that can be read and is not empty.
    """
    try:
        if path.exists() and not path.is_file():
            raise BadInput(f"'{path}' is a device or a pipe, not a file.", "Give a file.")
        with path.open("rb") as stream:
            if not stream.read(1):
                raise BadInput(f"'{path.name}' is an empty file.", "Copy the clip again.")
    except FileNotFoundError as error:
        raise BadInput(f"'{path}' does not exist.", "Check the path.") from error
    except PermissionError as error:
        raise BadInput(f"'{path}' may not be read.", "Allow reading it (its permissions forbid it).") from error
    except OSError as error:
        reason = "its name is too long" if error.errno == errno.ENAMETOOLONG else str(error.strerror or error)
        raise BadInput(f"'{path}' cannot be opened: {reason}.", "Check the path.") from error
    except ValueError as error:  # a NUL in the path
        raise BadInput("The path holds a character that no file name has.", "Check the path.") from error


def explain_unreadable(path: Path, error: Exception) -> BadInput:
    """What FFmpeg's refusal of a file that exists means."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError as broken:
        return BadInput(f"'{path}' cannot be read: {broken.strerror}.", "Check the disk and the permissions.")
    if _is_picture(path):
        return BadInput(
            f"'{path.name}' is a picture, not a video.",
            "Give a video, or for a sequence of pictures their folder or a pattern such as frame_####.png.",
        )
    if head[4:8] == b"ftyp" or (head[4:8] in (b"mdat", b"wide", b"free", b"moov") and path.suffix.lower() != ".txt"):
        return BadInput(
            f"'{path.name}' was cut short: the table of its frames, which often stands at the end, is missing.",
            "Copy it again from where it was recorded, or let the camera finish the file.",
        )
    if head[:4] in (b"\x1a\x45\xdf\xa3", b"RIFF"):
        if isinstance(error, EndOfFile):
            return BadInput(
                f"'{path.name}' ends behind its header: it holds not a single frame.",
                "Copy it again from where it was recorded, or record it again.",
            )
        return BadInput(f"'{path.name}' is damaged at its beginning.", "Copy it again from where it was recorded.")
    if isinstance(error, OSError) and error.errno in (errno.EIO, errno.EACCES, errno.EPERM):
        return BadInput(f"'{path}' cannot be read: {error.strerror}.", "Check the disk and the permissions.")
    return BadInput(f"'{path.name}' is not a video that can be read.", _GIVE_A_VIDEO)


def no_video(path: Path) -> BadInput:
    """A file with sound or subtitles alone."""
    return BadInput(f"'{path.name}' holds no moving picture, only sound or text.", _GIVE_A_VIDEO)


def no_streams(path: Path) -> BadInput:
    """A file of the right form with nothing in it."""
    return BadInput(f"'{path.name}' is a video without a single frame.", "Record or export the clip again.")


def no_decoder(path: Path, codec: str) -> BadInput:
    """A codec that this FFmpeg does not have."""
    named = "" if codec == "unknown" else f" ({codec})"
    return BadInput(f"'{path.name}' is coded in a way that is not known here{named}.", "Convert it to H.264 in MP4.")


def no_frames(path: Path, *, damaged: bool) -> BadInput:
    """A video without a frame that can be decoded."""
    if damaged:
        return BadInput(
            f"'{path.name}' is damaged: not one of its frames can be decoded.",
            "Copy it again from where it was recorded.",
        )
    return no_streams(path)


def _is_picture(path: Path) -> bool:
    try:
        with Image.open(path):
            return True
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
