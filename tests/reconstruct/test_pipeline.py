"""The steps together, with the bundled head and networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inference_core.errors import BadInput, Cancelled
from inference_core.formats.options import MAP_SIZES, ReconstructOptions
from inference_core.formats.protocol import STAGES
from inference_core.hair.barber import none_of
from inference_core.library.adding import add_head
from inference_core.reconstruct import files, pipeline
from inference_core.reconstruct.files import take_of, write_files
from inference_core.reconstruct.job import FaceDone, Job
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor
from inference_core.take import load_take


@pytest.fixture(scope="module", params=["open_head", "flame_test"])
def reconstructor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reconstructor:
    """With the bundled head, and with an installed one on FLAME's topology."""
    if request.param == "open_head":
        return Reconstructor(Models.load())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("N2F_DATA", str(tmp_path_factory.mktemp("heads")))
        name = add_head(request.getfixturevalue("flame_head_path")).name
        return Reconstructor(Models.load(name))


@pytest.fixture(scope="module")
def astronaut() -> NDArray[np.uint8]:
    data = pytest.importorskip("skimage.data")
    return np.asarray(data.astronaut(), dtype=np.uint8)


PLAIN = ReconstructOptions(look="none")  # how skins come out: tests/look


def one(reconstructor: Reconstructor, rgb: NDArray[np.uint8], folder: Path) -> Reconstruction:
    path = folder / "photo.png"
    Image.fromarray(np.ascontiguousarray(rgb)).save(path)
    photo, faces, found, timings = reconstructor.faces_of(path, ReconstructOptions())
    ((number, face),) = faces
    return reconstructor.reconstruct(photo, face, PLAIN, number=number, faces_found=found, timings_ms=timings)


def test_landmarks_lie_on_the_face(reconstructor: Reconstructor, astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    made = one(reconstructor, astronaut, tmp_path)
    assert made.landmark_error < 0.03
    assert 0.3 < made.camera.translation[2] < 3.0
    assert not made.warnings


def test_portraits(reconstructor: Reconstructor, shared_data: Path) -> None:
    for path in sorted((shared_data / "photos").glob("*.jpg")):
        photo, faces, _, _ = reconstructor.faces_of(path, ReconstructOptions())
        made = reconstructor.reconstruct(photo, faces[0][1], PLAIN)
        assert made.landmark_error < 0.03, path.name


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_photo_gives_the_same_head_under_a_turned_camera(
    reconstructor: Reconstructor, astronaut: NDArray[np.uint8], tmp_path: Path, quarters: int
) -> None:
    upright = one(reconstructor, astronaut, tmp_path)
    turned = one(reconstructor, np.rot90(astronaut, quarters), tmp_path)
    centred = upright.landmarks_px - 256
    angle = -quarters * np.pi / 2  # rot90 turns against the clock, and v points down
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    away = np.linalg.norm(turned.landmarks_px - (centred @ turn.T + 256), axis=1)
    assert away.mean() < 0.05 * upright.face.eye_distance
    # The head's own surface differs by what the detectors see differently, not by a centimetre.
    face = reconstructor.models.head.region("face")
    assert np.linalg.norm((turned.vertices - upright.vertices)[face], axis=1).mean() < 0.004


def test_the_same_photo_gives_the_same_take(
    reconstructor: Reconstructor, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    first = take_of(one(reconstructor, astronaut, tmp_path), reconstructor.models)
    one(reconstructor, np.rot90(astronaut, 2), tmp_path)  # what came before must not matter
    second = take_of(one(reconstructor, astronaut, tmp_path), reconstructor.models)
    for name in ("shape", "expression", "jaw", "head_rotation", "head_translation", "landmarks_68"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)


def test_the_take_rebuilds_the_reconstruction(
    reconstructor: Reconstructor, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    """From the file alone: parameters -> mesh -> camera -> the landmarks that the file holds."""
    from inference_core.head import Camera, HeadParameters, landmarks_68, pose_head

    made = one(reconstructor, astronaut, tmp_path)
    files, _ = write_files(tmp_path / "out", reconstructor.models, made)
    take = load_take(files.take)
    frame = {
        name: getattr(take, name)[0].astype(np.float64) for name in ("expression", "neck", "jaw", "eyes", "eyelids")
    }
    parameters = HeadParameters(shape=take.shape.astype(np.float64), **frame)
    camera = Camera(
        take.head_rotation[0].astype(np.float64),
        take.head_translation[0].astype(np.float64),
        take.intrinsics.astype(np.float64),
    )
    head = reconstructor.models.head
    vertices = pose_head(head, parameters)
    np.testing.assert_allclose(vertices, made.vertices, atol=1e-5)
    points = landmarks_68(head, vertices, camera.yaw_degrees)
    np.testing.assert_allclose(camera.project(points), take.landmarks_68[0], atol=0.02)
    np.testing.assert_allclose(points, take.landmarks_68_head[0], atol=1e-5)


def test_every_stage_can_be_stopped(reconstructor: Reconstructor, astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    Image.fromarray(astronaut).save(tmp_path / "photo.png")
    options = ReconstructOptions(hair="auto", detail="static", maps=MAP_SIZES[0])
    for last in STAGES[:-1]:
        reached: list[str] = []

        def checkpoint(stage: str, last: str = last, reached: list[str] = reached) -> None:
            reached.append(stage)
            if stage == last:
                raise Cancelled("Stopped.")

        with pytest.raises(Cancelled):
            photo, faces, _, _ = reconstructor.faces_of(tmp_path / "photo.png", options, checkpoint)
            made = reconstructor.reconstruct(photo, faces[0][1], options, checkpoint)
            reconstructor.finished(made, options, checkpoint)
        assert reached == list(STAGES[: STAGES.index(last) + 1])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "not enough memory for"),
        (RuntimeError("std::bad_alloc"), "not enough memory for"),
        (ZeroDivisionError(), "met a defect of this program"),
        (BadInput("The photo is too small for it."), "too small for it"),
    ],
)
def test_what_fails_beside_a_head_costs_that_alone(
    reconstructor: Reconstructor,
    astronaut: NDArray[np.uint8],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    said: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    for name in ("paint", "cut_hair", "relief_of", "map_surface"):
        monkeypatch.setattr(pipeline, name, fail)
    options = ReconstructOptions(detail="static", maps=MAP_SIZES[0])
    made = reconstructor.finished(one(reconstructor, astronaut, tmp_path), options)
    assert (made.look, made.hair, made.detail, made.maps) == (None, None, None, None)
    assert [said in warning for warning in made.warnings] == [True] * (1 if isinstance(error, BadInput) else 4)
    assert write_files(tmp_path / "out", reconstructor.models, made)[0].take.is_file()


def test_who_stops_while_the_skin_is_painted_gets_no_head(
    reconstructor: Reconstructor, astronaut: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise Cancelled("Stopped.")

    monkeypatch.setattr(pipeline, "paint", stop)
    with pytest.raises(Cancelled):
        reconstructor.finished(one(reconstructor, astronaut, tmp_path), ReconstructOptions())


def test_a_head_is_written_plain_where_there_is_no_memory_for_the_rest(
    reconstructor: Reconstructor, astronaut: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lack(_folder: Path, _models: Models, made: Reconstruction) -> None:
        if made.hair is not None:
            raise MemoryError

    monkeypatch.setattr(files, "write_hair", lack)
    bald = none_of("bald")
    monkeypatch.setattr(pipeline, "cut_hair", lambda *_: bald)
    Image.fromarray(astronaut).save(tmp_path / "photo.png")
    events: list[object] = []
    options = ReconstructOptions(look="none", hair="auto")
    summary = Job([str(tmp_path / "photo.png")], tmp_path / "out", options, events.append).run(reconstructor)
    (done,) = (event for event in events if isinstance(event, FaceDone))
    assert summary.finished == 1 and done.files.take.is_file() and not (tmp_path / "out" / "hair.json").exists()
    assert any("comes plain" in warning for warning in done.facts["warnings"])  # type: ignore[attr-defined]
