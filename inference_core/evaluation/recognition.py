"""Faces told apart by dlib's recognition network: how far two pictures are from being of one person.

Two photos of one person lie 0.32 to 0.50 apart, of strangers 0.51 to 0.93. The weights are CC0 (dlib.net/files), from
the packages dlib-bin and face_recognition_models (requirements/likeness.txt); the running product never loads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import ModelMissing
from inference_core.head.model import Floats

JITTERS = 1
"""Times a face is looked at, shifted a little where there are several."""


class Recogniser:
    """dlib's detector, five points and network.

    Raises:
        ModelMissing: where the packages are not installed.
    """

    def __init__(self) -> None:
        try:
            import dlib
        except ImportError as error:
            raise ModelMissing(
                "dlib's recognition network is not installed.", "pip install -r requirements/likeness.txt"
            ) from error
        weights = _weights()
        self._find: Any = dlib.get_frontal_face_detector()
        self._place: Any = dlib.shape_predictor(str(weights / "shape_predictor_5_face_landmarks.dat"))
        self._network: Any = dlib.face_recognition_model_v1(str(weights / "dlib_face_recognition_resnet_model_v1.dat"))

    def embedding(self, rgb: NDArray[np.uint8]) -> Floats | None:
        """(128,) of the largest face of a picture (H, W, 3); None where no face is found."""
        picture = np.ascontiguousarray(rgb)
        boxes = self._find(picture, 0) or self._find(picture, 1)  # the second finds smaller faces
        if not boxes:
            return None
        largest = max(boxes, key=lambda box: box.area())
        return np.array(self._network.compute_face_descriptor(picture, self._place(picture, largest), JITTERS))


def _weights() -> Path:
    """The folder of the weights, found without importing the package: it wants setuptools' pkg_resources."""
    from importlib.util import find_spec

    spec = find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing("dlib's weights are not installed.", "pip install -r requirements/likeness.txt")
    return Path(spec.submodule_search_locations[0]) / "models"


@dataclass(frozen=True, eq=False)
class Gallery:
    """Known people: names (K,) and their embeddings (K, 128)."""

    names: tuple[str, ...]
    table: Floats

    def rank(self, name: str, probe: Floats | None) -> tuple[int, float]:
        """How many others are nearer to `probe` than `name` is, and the distance to `name`; without a face: last."""
        if probe is None:
            return len(self.names), float("nan")
        away = np.linalg.norm(self.table - probe, axis=1)
        own = away[self.names.index(name)]
        return int((away < own).sum()), float(own)
