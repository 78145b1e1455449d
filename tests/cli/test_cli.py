"""The command line: files, exit statuses, and sentences instead of tracebacks."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from inference_core.cli.app import app
from inference_core.cli.reconstruct import exit_status
from inference_core.errors import BadInput, Internal, ModelMissing, NoFace
from inference_core.inventory import NETWORKS
from inference_core.take import load_take

LOOK = {"albedo.png", "roughness.png", "pores.png", "look.json"}
HAIR = {"hair.json", "hair.npz"}
FILES = {"take.npz", "head.obj", "neutral.obj", "overlay.png", "normals.png", "mask.png", "report.json"} | LOOK | HAIR


@pytest.fixture(scope="module")
def astronaut() -> NDArray[np.uint8]:
    data = pytest.importorskip("skimage.data")
    return np.asarray(data.astronaut(), dtype=np.uint8)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, astronaut: NDArray[np.uint8]) -> Path:
    """portrait.png (one face), three.jpg (three side by side), blank.png (none), cut.png (cut by the border)."""
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(astronaut).save(folder / "portrait.png")
    head = astronaut[30:230, 120:330]
    row = [cv2.resize(head, None, fx=scale, fy=scale) for scale in (1.2, 2.0, 1.5)]
    tall = max(part.shape[0] for part in row)
    padded = [cv2.copyMakeBorder(part, 0, tall - part.shape[0], 20, 20, cv2.BORDER_REPLICATE) for part in row]
    Image.fromarray(np.concatenate(padded, axis=1)).save(folder / "three.jpg", quality=95)
    Image.new("RGB", (300, 300), (90, 120, 90)).save(folder / "blank.png")
    Image.fromarray(np.ascontiguousarray(astronaut[:, 205:])).save(folder / "cut.png")
    (folder / "text.jpg").write_text("no photo")
    return folder


def n2f(*arguments: object) -> tuple[int, str, str]:
    """Exit status, stdout, stderr of a call in this process."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


PLAIN = FILES - LOOK - HAIR
"""Without skin and hair: --look none --hair none."""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_one_photo_goes_into_the_folder_itself(photos: Path, tmp_path: Path) -> None:
    status, out, _ = n2f("reconstruct", photos / "portrait.png", "--out", tmp_path / "o")
    assert status == 0
    assert "portrait.png" in out
    assert names(tmp_path / "o") == FILES
    take = load_take(tmp_path / "o" / "take.npz")
    assert take.valid.all()
    assert tuple(take.image_size) == (512, 512)
    report = json.loads((tmp_path / "o" / "report.json").read_text(encoding="utf-8"))
    assert (report["status"], report["faces_found"], report["device"]) == ("done", 1, "cpu")
    assert report["weights"] == take.meta.weights
    assert set(report["weights"]) == {"normals", "n2fnet"}
    # The take alone places the landmarks where the report says they are.
    assert np.ptp(take.landmarks_68[0, :, 0]) == pytest.approx(92, abs=15)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "o").iterdir()}
    assert len(modes) == 1  # none is private by accident


def test_pictures_lie_over_the_photo(photos: Path, tmp_path: Path) -> None:
    assert (
        n2f("reconstruct", "--look", "none", "--hair", "none", photos / "portrait.png", "--out", tmp_path, "-q")[0] == 0
    )
    photo = np.asarray(Image.open(photos / "portrait.png"))
    normals, mask = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("normals", "mask"))
    enlarged = Image.open(tmp_path / "overlay.png")
    assert enlarged.width / photo.shape[1] == enlarged.height / photo.shape[0] > 1  # a small face is shown larger
    overlay = np.asarray(enlarged.resize((photo.shape[1], photo.shape[0]), Image.Resampling.BOX))
    assert normals.shape == photo.shape
    assert mask.shape == photo.shape[:2]
    on_face = mask > 0
    away = overlay[400:, :100].astype(int) - photo[400:, :100]
    assert np.abs(away).mean() < 3  # far from the face nothing changes but by enlarging
    assert np.abs(overlay[on_face].astype(int) - photo[on_face]).mean() > 5
    row, column = np.nonzero(on_face)
    np.testing.assert_allclose((column.mean(), row.mean()), (225, 125), atol=15)
    assert not normals[~on_face].any()
    directions = normals[on_face] / 127.5 - 1.0
    assert np.abs(np.linalg.norm(directions, axis=1) - 1).mean() < 0.03
    assert directions[:, 2].mean() > 0.5  # a frontal face looks at the camera
    # Her cheek at the picture's left faces left, the other right.
    assert normals[125:140, 185:195, 0].mean() < normals[125:140, 255:265, 0].mean()


def test_several_photos_get_a_folder_each(photos: Path, tmp_path: Path) -> None:
    status, out, err = n2f(
        "reconstruct",
        "--look",
        "none",
        "--hair",
        "none",
        photos / "portrait.png",
        photos / "text.jpg",
        photos / "cut.png",
        "-o",
        tmp_path,
    )
    assert status == 1
    assert names(tmp_path) == {"portrait", "cut"}
    assert names(tmp_path / "cut") == PLAIN
    assert "2 of 3 photos done" in out
    assert "'text.jpg' is not a picture" in err
    assert "cut by the picture's border" in err


def test_all_faces_and_one_by_number(photos: Path, tmp_path: Path) -> None:
    assert (
        n2f(
            "reconstruct",
            "--look",
            "none",
            "--hair",
            "none",
            photos / "three.jpg",
            "-o",
            tmp_path / "all",
            "--all-faces",
        )[0]
        == 0
    )
    assert names(tmp_path / "all") == {"three_face0", "three_face1", "three_face2"}
    boxes = [load_take(tmp_path / "all" / f"three_face{number}" / "take.npz").bbox[0] for number in range(3)]
    widths = [box[2] - box[0] for box in boxes]
    assert widths == sorted(widths, reverse=True)
    assert (
        n2f(
            "reconstruct", "--look", "none", "--hair", "none", photos / "three.jpg", "-o", tmp_path / "two", "--face", 2
        )[0]
        == 0
    )
    assert names(tmp_path / "two") == PLAIN
    np.testing.assert_allclose(load_take(tmp_path / "two" / "take.npz").bbox[0], boxes[2], atol=3)
    assert n2f("reconstruct", "--look", "none", "--hair", "none", photos / "three.jpg", "-o", tmp_path / "one")[0] == 0
    np.testing.assert_allclose(load_take(tmp_path / "one" / "take.npz").bbox[0], boxes[0], atol=3)


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["missing.jpg"], 2, "does not exist"),
        (["text.jpg"], 2, "not a picture"),
        (["blank.png"], 3, "No face was found"),
        (["missing.jpg", "blank.png"], 1, "does not exist"),
        (["three.jpg", "--face", "3"], 2, "Face 3 does not exist: 3 faces were found"),
        (["three.jpg", "--face", "1", "--all-faces"], 2, "exclude each other"),
        (["three.jpg", "--face", "-1"], 2, "no face -1"),
        (["portrait.png", "--head", "zebra"], 2, "no head 'zebra'"),
        (["portrait.png", "--focal-length", "0"], 2, "focal length"),
        (["portrait.png", "--nonsense"], 2, "nonsense"),
    ],
)
def test_failures(photos: Path, tmp_path: Path, arguments: list[str], status: int, says: str) -> None:
    paths = [str(photos / word) if "." in word else word for word in arguments]
    code, _, err = n2f("reconstruct", *paths, "--out", tmp_path / "o")
    assert (code, says in err) == (status, True), err
    assert "Traceback" not in err
    assert not (tmp_path / "o").exists()


def test_a_full_disk(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        written.append(path)
        if len(written) > 1:
            raise OSError(28, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    status, _, err = n2f(
        "reconstruct", "--look", "none", "--hair", "none", photos / "portrait.png", "--out", tmp_path / "o"
    )
    assert status == 2
    assert "The disk is full" in err
    assert len(written) >= 2
    assert names(tmp_path) == set()


def test_an_output_that_is_a_file(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "o").write_text("mine")
    status, _, err = n2f("reconstruct", photos / "portrait.png", "--out", tmp_path / "o")
    assert (status, "is not a folder" in err) == (2, True)
    assert (tmp_path / "o").read_text() == "mine"


def test_json(photos: Path, tmp_path: Path) -> None:
    status, out, _ = n2f(
        "reconstruct",
        "--look",
        "none",
        "--hair",
        "none",
        photos / "portrait.png",
        photos / "blank.png",
        "-o",
        tmp_path,
        "--json",
    )
    messages = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert [message["type"] for message in messages] == ["result", "error", "done"]
    assert messages[1]["code"] == "NO_FACE"
    assert messages[0]["facts"]["timings_ms"]["total"] > 0


def test_focal_length_and_no_fit_reach_the_take(photos: Path, tmp_path: Path) -> None:
    plain = ["reconstruct", photos / "portrait.png", "--look", "none", "--hair", "none", "-q"]
    assert n2f(*plain, "-o", tmp_path / "a", "--focal-length", 2000)[0] == 0
    near = load_take(tmp_path / "a" / "take.npz")
    assert near.intrinsics.tolist() == [2000, 2000, 256, 256]
    assert n2f(*plain, "-o", tmp_path / "b", "--no-fit")[0] == 0
    report = json.loads((tmp_path / "b" / "report.json").read_text(encoding="utf-8"))
    assert "fit" not in report["timings_ms"]


def test_a_missing_network(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference_core.reconstruct.models.BUNDLED_NORMALS", tmp_path / "normals.onnx")
    status, _, err = n2f("reconstruct", photos / "portrait.png", "--out", tmp_path / "o")
    assert (status, "normals.onnx is missing" in err) == (4, True)


@pytest.mark.parametrize("verbose", [False, True])
def test_a_defect_is_one_sentence_unless_asked(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verbose: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    def defect(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("inference_core.reconstruct.pipeline.face_frame", defect)
    words = ["reconstruct", photos / "portrait.png", "--out", tmp_path / "o", *["--verbose"] * verbose]
    status, _, err = n2f(*words)
    assert (status, "met a defect of this program: ZeroDivisionError" in err) == (1, True)
    assert ("Traceback" in err + capfd.readouterr().err) == verbose
    assert not (tmp_path / "o").exists()


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send on Windows")
def test_interrupting(photos: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "inference_core.cli", "reconstruct", *[str(photos / "portrait.png")] * 300]
    process = subprocess.Popen([*command, "-o", str(tmp_path / "o")], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # the first photo is done
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Interrupted" in err
    assert b"Traceback" not in err
    assert out.count(b"done") < 299
    assert all((folder / "report.json").is_file() for folder in (tmp_path / "o").iterdir())


def test_stderr_is_quiet(photos: Path, tmp_path: Path) -> None:
    """No remarks of C++ libraries, no warnings: what is on stderr is for the user."""
    command = [sys.executable, "-m", "inference_core.cli", "reconstruct", str(photos / "portrait.png")]
    ran = subprocess.run([*command, "-o", str(tmp_path / "o")], capture_output=True, text=True, check=True)
    assert ran.stderr == ""


def test_exit_status_of_many() -> None:
    bad, none, defect = BadInput("a"), NoFace("b"), Internal("c")
    assert exit_status([], 3) == 0
    assert exit_status([none], 1) == 3
    assert exit_status([none, none], 2) == 3
    assert exit_status([none], 2) == 1
    assert exit_status([bad, none], 2) == 1
    assert exit_status([defect], 1) == 1


def test_models_list() -> None:
    status, out, _ = n2f("models", "list", "--json")
    listed = {entry["name"]: entry for entry in json.loads(out)}
    assert status == 0
    assert set(listed) == {"open_head", *NETWORKS}
    assert all(len(entry["sha256"]) == 64 and entry["license"] and entry["bytes"] > 0 for entry in listed.values())
    assert "open_head" in n2f("models", "list")[1]


def test_doctor() -> None:
    status, out, _ = n2f("doctor", "--json")
    findings = json.loads(out)["findings"]
    assert [finding["what"] for finding in findings if not finding["ok"]] == []
    assert status == 0
    assert "Face Mesh" in n2f("doctor")[1]


def test_doctor_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference_core.inventory.ASSETS", tmp_path)
    status, out, _ = n2f("doctor")
    assert status == ModelMissing.exit_status
    assert "normals.onnx is missing" in out.replace("\n", " ")


def test_version_and_help() -> None:
    assert n2f("--version")[1].startswith("n2f 0.")
    assert "Exit status" in n2f("reconstruct", "--help")[1]


@pytest.mark.parametrize(("words", "says"), [((), "no network"), (("zebra",), "'zebra' is no network")])
def test_training_something_else(words: tuple[str, ...], says: str) -> None:
    status, _, err = n2f("train", *words)
    assert (status, says in err) == (2, True)


@pytest.mark.parametrize(
    ("missing", "words", "says"),
    [
        ("torch", ("train", "normals"), "Training needs torch"),
        ("inference_core.training", ("train", "n2fnet"), "pip install -e '.[lab]'"),
        ("inference_core.evaluation", ("evaluate",), "lies in the sources alone"),
    ],
)
def test_the_laboratory_where_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, missing: str, words: tuple[str, ...], says: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else found(name))
    status, _, err = n2f(*words)
    assert (status, says in err.replace("\n", " ")) == (2, True)


def test_evaluate_hands_its_words_on() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "inference_core.cli", "evaluate", "--help"], capture_output=True, text=True, check=True
    )
    assert "n2f evaluate" in result.stdout
    assert "--seed" in result.stdout


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("name", ["overlay.png", "mask.png", "normals.png"])
def test_a_photo_called_as_a_result_keeps_its_bytes(tmp_path: Path, astronaut: NDArray[np.uint8], name: str) -> None:
    Image.fromarray(astronaut).save(tmp_path / name)
    before = bytes_of(tmp_path)
    status, _, error = n2f("reconstruct", "--look", "none", "--hair", "none", tmp_path / name, "--out", tmp_path)
    assert status == 2 and "is an input" in error
    assert bytes_of(tmp_path) == before


def test_a_foreign_file_keeps_its_bytes_and_an_earlier_result_does_not(tmp_path: Path, photos: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "head.obj").write_text("modelled by hand")
    status, _, error = n2f("reconstruct", "--look", "none", "--hair", "none", photos / "portrait.png", "--out", out)
    assert status == 2 and "head.obj" in error and "no result of an earlier run" in error
    assert bytes_of(out) == {"head.obj": b"modelled by hand"}
    (out / "head.obj").unlink()
    assert n2f("reconstruct", "--look", "none", "--hair", "none", photos / "portrait.png", "--out", out)[0] == 0
    assert n2f("reconstruct", "--look", "none", "--hair", "none", photos / "portrait.png", "--out", out)[0] == 0
    assert names(out) == PLAIN
    status, _, error = n2f("reconstruct", "--look", "none", "--hair", "none", photos / "cut.png", "--out", out)
    assert status == 0 and "The results of 'portrait.png' that were in the folder were replaced." in error
    (out / "neutral.obj").write_text("edited")
    status, _, error = n2f("reconstruct", "--look", "none", "--hair", "none", photos / "portrait.png", "--out", out)
    assert status == 2 and (out / "neutral.obj").read_text() == "edited"


def test_an_empty_name_is_no_output_folder(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert n2f("reconstruct", photos / "portrait.png", "--out", "")[0] == 2
    assert n2f("track", "clip.mp4", "--out", " ")[0] == 2
    assert not list(tmp_path.iterdir())


def test_a_photo_called_as_another_ones_face_gets_a_folder_of_its_own(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "three.jpg").write_bytes((photos / "three.jpg").read_bytes())
    (tmp_path / "three_face1.png").write_bytes((photos / "portrait.png").read_bytes())
    inputs = [tmp_path / "three.jpg", tmp_path / "three_face1.png"]
    assert (
        n2f("reconstruct", "--look", "none", "--hair", "none", *inputs, "--all-faces", "--out", tmp_path / "out", "-q")[
            0
        ]
        == 0
    )
    assert names(tmp_path / "out") == {"three_face0", "three_face1_2", "three_face2", "three_face1"}
