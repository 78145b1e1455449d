"""The take: what the core hands to Blender."""

from inference_core.formats.smoothing import Smoothing, smooth_take
from inference_core.formats.take import TakeMeta, save_take
from inference_core.take.landmarks import with_landmarks
from inference_core.take.take import Photos, Take, load_take

__all__ = ["Photos", "Smoothing", "Take", "TakeMeta", "load_take", "save_take", "smooth_take", "with_landmarks"]
