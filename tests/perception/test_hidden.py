"""A mask, dark glasses and a profile are noticed, said, and lower the confidence; a plain portrait is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.evaluation import hard_faces
from inference_core.evaluation.hard_faces import Answer, Hard, answered, profiles, reconstructed, table
from inference_core.perception.doubt import Doubt, trust_of
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor


@pytest.fixture(scope="module")
def reconstructor() -> Reconstructor:
    return Reconstructor(Models.load())


@pytest.fixture(scope="module")
def plain(reconstructor: Reconstructor) -> Reconstruction:
    data = pytest.importorskip("skimage.data")
    return reconstructed(reconstructor, np.asarray(data.astronaut()))


def made_harder(reconstructor: Reconstructor, plain: Reconstruction, rgb: NDArray[np.uint8]) -> Answer:
    return answered(reconstructor, Hard(rgb, plain.landmarks_px[hard_faces.INNER], plain.face.eye_distance))


def test_nothing_is_said_of_a_plain_face(plain: Reconstruction) -> None:
    assert plain.doubts == () and plain.confidence == plain.face.confidence


@pytest.mark.parametrize(("kind", "word"), [("mask", "mouth"), ("hand", "mouth"), ("sunglasses", "eyes")])
def test_what_lies_over_a_face(reconstructor: Reconstructor, plain: Reconstruction, kind: str, word: str) -> None:
    found = made_harder(reconstructor, plain, hard_faces.OVERLAID[kind](plain, plain.photo.rgb))
    assert any(f"covers the {word}" in reason for reason in found.reasons)
    assert found.confidence < 0.8 * plain.confidence
    assert found.off < 0.12


def test_a_profile_follows_its_normals(reconstructor: Reconstructor) -> None:
    """With Face Mesh's points at their full weight such a head lay 13 % off."""
    heads = profiles(reconstructor.models.head, 1, 1)
    hard = next(one for kind, one in heads if kind == "turned 75 degrees")
    found = answered(reconstructor, hard)
    assert found.off < 0.11
    assert any("turned" in reason for reason in found.reasons) and found.confidence < 0.8


def test_trust_and_the_table() -> None:
    assert trust_of([]) == 1.0
    assert trust_of([Doubt("a", 0.5), Doubt("b", 0.5)]) == 0.25
    silent = Answer(0.2, 0.9)
    assert silent.silent and not Answer(0.2, 0.5, ("said",)).silent and not Answer(float("nan")).silent
    text = table({"mask": [silent, Answer(0.05, 0.9), Answer(float("nan"))]})
    assert "| mask | 3 | 2 | 12.5 | 20.0 | 1 | 1 | 0 | 0.90 |" in text
