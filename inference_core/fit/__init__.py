"""The fit: Gauss-Newton on dense landmarks, normals and prior."""

from inference_core.fit.fit import FitResult, fit_face, warm_up
from inference_core.fit.observation import Observation
from inference_core.fit.placement import place_head
from inference_core.fit.settings import EXACT_NORMALS, FitSettings

__all__ = ["EXACT_NORMALS", "FitResult", "FitSettings", "Observation", "fit_face", "place_head", "warm_up"]
