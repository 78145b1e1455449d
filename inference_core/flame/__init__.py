"""FLAME: the user's own file, read safely and converted once to a head file."""

from inference_core.flame.convert import convert_flame, recognise
from inference_core.flame.releases import FlameFacts

__all__ = ["FlameFacts", "convert_flame", "recognise"]
