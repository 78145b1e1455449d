"""Which pixels show a person, hair and clothes included: MediaPipe's Selfie Segmentation as person.onnx."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.errors import ModelMissing
from inference_core.perception.session import REINSTALL, Network

BUNDLED_PERSON: Final = Path(__file__).parents[1] / "assets" / "person.onnx"


class PersonFinder:
    """Loads the network once.

    Raises:
        ModelMissing: where it is absent, damaged or not this interface.
    """

    def __init__(self, path: Path = BUNDLED_PERSON) -> None:
        self._network = Network(path)
        if self._network.inputs != ("rgb",) or self._network.outputs != ("person",):
            raise ModelMissing(f"The network {path.name} is not one for people.", REINSTALL)

    def share(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, H) 0..1 of a square picture (H, H, 3); the picture and its mirror image have the same answer."""
        small = np.asarray(cv2.resize(rgb, (256, 256), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        both = np.stack([small, small[:, ::-1]])
        seen = self._network.run({"rgb": np.ascontiguousarray(both)})["person"]
        mean = 0.5 * (seen[0] + seen[1][:, ::-1])
        return np.asarray(cv2.resize(mean, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR), dtype=np.float32)


@cache
def bundled_finder() -> PersonFinder:
    """The one that comes with the package, loaded when somebody asks for it first."""
    return PersonFinder()
