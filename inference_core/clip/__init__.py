"""Clips: a video file or a sequence of pictures as upright RGB frames, and videos written."""

from inference_core.clip.model import Clip, ClipInfo, Frame
from inference_core.clip.opening import open_clip
from inference_core.clip.writer import VideoWriter

__all__ = ["Clip", "ClipInfo", "Frame", "VideoWriter", "open_clip"]
