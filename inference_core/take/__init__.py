"""The take: what the core hands to Blender."""

from inference_core.take.landmarks import with_landmarks
from inference_core.take.smoothing import Smoothing, smooth_take
from inference_core.take.take import Photos, Take, TakeMeta, load_take, save_take

__all__ = ["Photos", "Smoothing", "Take", "TakeMeta", "load_take", "save_take", "smooth_take", "with_landmarks"]
