"""What kind of clip a source is."""

from __future__ import annotations

from pathlib import Path

from inference_core.clip.diagnosis import check_file
from inference_core.clip.model import Clip
from inference_core.clip.sequence import open_folder, open_pattern
from inference_core.clip.video import VideoClip
from inference_core.errors import BadInput
from inference_core.formats.numbering import is_pattern


def open_clip(source: str | Path, fps: float | None = None) -> Clip:
    """A video file, a folder of pictures, or a pattern of picture names (frame_%04d.png, frame_####.png).

    `fps` is the rate of pictures, which do not tell; videos know their own.

    Raises:
        BadInput: for a rate that is none, and with what is wrong with the clip.
    """
    if fps is not None and not 0 < fps <= 1000:
        raise BadInput(f"{fps} is not a frame rate.", "Give frames a second, for example 24.")
    path = Path(source)
    try:
        if path.is_dir():
            return open_folder(path, fps)
        if is_pattern(path):
            return open_pattern(str(source), fps)
    except (OSError, ValueError):  # a name that is too long, a NUL in it: check_file explains them
        pass
    check_file(path)
    return VideoClip(path)
