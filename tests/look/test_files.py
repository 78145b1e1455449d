"""The look beside a take: there, whole and true, or a sentence and a plain head."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference_core.formats.json_values import BadRequest
from inference_core.formats.options import ReconstructOptions
from inference_core.look import painter, study
from inference_core.reconstruct.files import write_files
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor
from inference_core.take import load_take


@pytest.fixture(scope="module")
def reconstructor() -> Reconstructor:
    return Reconstructor(Models.load())


@pytest.fixture(scope="module")
def made(reconstructor: Reconstructor, tmp_path_factory: pytest.TempPathFactory) -> Reconstruction:
    data = pytest.importorskip("skimage.data")
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    photo, faces, found, timings = reconstructor.faces_of(path, ReconstructOptions())
    return reconstructor.reconstruct(photo, faces[0][1], ReconstructOptions(), faces_found=found, timings_ms=timings)


def test_a_photo_leaves_its_skin_beside_the_take(
    reconstructor: Reconstructor, made: Reconstruction, tmp_path: Path
) -> None:
    painted = reconstructor.painted(made, ReconstructOptions(look="albedo"))
    files, timings = write_files(tmp_path, reconstructor.models, painted)
    assert timings["look"] > 0
    assert files.albedo is not None and files.look is not None
    told = json.loads(files.look.read_text(encoding="utf-8"))
    head = reconstructor.models.head
    assert (told["format"], told["version"], told["kind"]) == ("n2f-look", 2, "albedo")
    assert (told["head_id"], told["head_sha256"]) == (head.head_id, head.sha256)
    assert told["texture"] == files.albedo.name
    with Image.open(files.albedo) as picture:
        assert picture.mode == "RGB" and picture.size == (told["size"], told["size"])
    assert np.array(told["light"]["coefficients"]).shape == (9, 3)
    assert 0.2 < told["coverage"] <= 1
    assert load_take(files.take).meta.look == files.look.name


def test_without_a_look_there_is_none(reconstructor: Reconstructor, made: Reconstruction, tmp_path: Path) -> None:
    files, _ = write_files(tmp_path, reconstructor.models, reconstructor.painted(made, ReconstructOptions(look="none")))
    assert files.albedo is None and "look" not in files.as_dict()
    assert not (tmp_path / "albedo.png").exists() and not (tmp_path / "look.json").exists()
    assert load_take(files.take).meta.look == ""


def test_the_cheeks_keep_their_colour(reconstructor: Reconstructor, made: Reconstruction) -> None:
    """Nothing is lightened or darkened towards a mean."""
    from inference_core.look.atlas import atlas_of
    from inference_core.look.skin_model import cheek_vertices

    head = reconstructor.models.head
    part = atlas_of(head, painter.SIZE).part("skin", "lips")
    cheeks = part.places[part.interpolate(cheek_vertices(head)) > 0.9]
    for kind in ("photo", "albedo"):
        look = reconstructor.painted(made, ReconstructOptions(look=kind)).look  # type: ignore[arg-type]
        assert look is not None
        there = np.median(look.picture.reshape(-1, 3)[cheeks], axis=0)
        np.testing.assert_allclose(there, look.skin, atol=8)


def test_a_photo_too_dark_or_too_small_costs_no_head(
    reconstructor: Reconstructor, made: Reconstruction, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    dark = replace(made, photo=replace(made.photo, rgb=(made.photo.rgb // 25).astype(np.uint8)))
    painted = reconstructor.painted(dark, ReconstructOptions())
    assert painted.look is None
    assert any("comes plain" in warning for warning in painted.warnings)
    monkeypatch.setattr(study, "SMALLEST_FACE", 1e4)
    painted = reconstructor.painted(made, ReconstructOptions())
    assert painted.look is None and any("too small" in warning for warning in painted.warnings)


def test_a_look_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadRequest, match="no look 'pink'"):
        ReconstructOptions(look="pink")  # type: ignore[arg-type]
