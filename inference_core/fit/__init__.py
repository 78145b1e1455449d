"""The fit: Gauss-Newton on dense landmarks, normals and prior."""

from inference_core.fit.fit import FitResult, fit_face, warm_up
from inference_core.fit.observation import Observation
from inference_core.fit.placement import place_head, place_points, posed_points
from inference_core.fit.settings import FitSettings
from inference_core.fit.trust import doubted, seen_aside, turned_away

__all__ = [
    "FitResult",
    "FitSettings",
    "Observation",
    "doubted",
    "fit_face",
    "place_head",
    "place_points",
    "posed_points",
    "seen_aside",
    "turned_away",
    "warm_up",
]
