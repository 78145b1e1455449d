"""The take: what the core hands to Blender."""

from inference_core.take.take import Take, TakeMeta, load_take, save_take

__all__ = ["Take", "TakeMeta", "load_take", "save_take"]
