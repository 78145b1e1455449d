"""Real photographs through the whole chain: the head lies on the face, and what it does has the right name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference_core.formats.options import ReconstructOptions
from inference_core.perception.landmarks import points_68
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor

skimage_data = pytest.importorskip("skimage.data", reason="the astronaut's portrait comes with scikit-image")


@pytest.fixture(scope="module")
def reconstructor() -> Reconstructor:
    return Reconstructor(Models.load())


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("portrait") / "astronaut.png"
    Image.fromarray(skimage_data.astronaut()).save(path)
    return path


def reconstruct(reconstructor: Reconstructor, path: Path) -> Reconstruction:
    photo, faces, found, timings = reconstructor.faces_of(path, ReconstructOptions())
    (number, face) = faces[0]
    return reconstructor.reconstruct(
        photo, face, ReconstructOptions(), number=number, faces_found=found, timings_ms=timings
    )


def landmark_distance(made: Reconstruction) -> float:
    """Mean distance of the projected points 17..67 from Face Mesh's, over the distance between the eyes."""
    away = made.landmarks_px[17:] - points_68(made.face.points)[17:, :2]
    return float(np.linalg.norm(away, axis=1).mean() / made.face.eye_distance)


def test_the_astronaut_smiles(reconstructor: Reconstructor, astronaut: Path) -> None:
    made = reconstruct(reconstructor, astronaut)
    assert landmark_distance(made) < 0.03
    named = dict(zip(reconstructor.models.head.expression_names, made.parameters.expression, strict=True))
    assert min(named["mouthSmileLeft"], named["mouthSmileRight"]) > 0.35
    assert max(named["mouthFrownLeft"], named["mouthFrownRight"]) < 0.1
    assert made.parameters.eyelids.max() < 0.3  # her eyes are open
    assert not made.warnings


@pytest.mark.parametrize("name, smiles", [("obama.jpg", True), ("biden.jpg", False)])
def test_portraits(reconstructor: Reconstructor, shared_data: Path, name: str, smiles: bool) -> None:
    made = reconstruct(reconstructor, shared_data / "photos" / name)
    assert landmark_distance(made) < 0.03
    named = dict(zip(reconstructor.models.head.expression_names, made.parameters.expression, strict=True))
    smile = min(named["mouthSmileLeft"], named["mouthSmileRight"])
    assert smile > 0.35 if smiles else smile < 0.25
