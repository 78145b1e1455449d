"""`n2f export`: what leaves is read again by other code and is what the take says."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

from inference_core.cli.app import app
from inference_core.errors import BadInput
from inference_core.export.figure_of_take import arkit_shapes, figure_of
from inference_core.export.job import Format, export_take
from inference_core.formats.arkit import APPLE_NAMES, TURNS
from inference_core.formats.figure import posed
from inference_core.formats.glb import GlbOptions, vertex_sources, write_glb
from inference_core.head import BUNDLED_HEAD, HeadParameters, load_head, mediapipe_points
from inference_core.head.forward import pose_head
from inference_core.take import Take, load_take
from n2f_blender.export.reading import Reading
from tests.blender.performances import performance

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not BUNDLED_HEAD.is_file(), reason="the Open Head is not built")
FRAMES = 12


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("export") / "take.npz"
    np.savez(place, **performance(BUNDLED_HEAD, frames=FRAMES, fps=23.976, lost=((4, 6),)))
    return place


@pytest.fixture(scope="module")
def take(path: Path) -> Take:
    return load_take(path)


def without_joints(take: Take) -> Take:
    """Jaw and eyes still, shapes within 0..1, no lids that meet a squint: what 52 shapes say exactly."""
    beside_lids = np.array([name.startswith(("eyeSquint", "eyeWide")) for name in take.meta.expression_names])
    return dataclasses.replace(
        take,
        expression=np.where(beside_lids, 0, np.clip(take.expression, 0, 1)),
        eyelids=np.clip(take.eyelids, 0, 1),
        jaw=np.zeros_like(take.jaw),
        eyes=np.zeros_like(take.eyes),
    )


def parameters(take: Take, row: int) -> HeadParameters:
    names = ("expression", "neck", "jaw", "eyes", "eyelids")
    return HeadParameters(
        shape=take.shape.astype(np.float64), **{name: getattr(take, name)[row].astype(np.float64) for name in names}
    )


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_mouth_close_closes_what_jaw_open_opens(share: float) -> None:
    head = load_head(BUNDLED_HEAD)
    shapes = arkit_shapes(head, head.template)
    upper, lower = (list(head.mediapipe_index).index(point) for point in (13, 14))

    def gap(*names: str) -> float:
        moved = sum((shapes[APPLE_NAMES.index(name)] for name in names), np.zeros_like(head.template))
        points = mediapipe_points(head, head.template + share * moved)
        return float(points[upper, 1] - points[lower, 1])

    shut = gap()
    assert gap("jawOpen") > shut + 0.015
    assert gap("jawOpen", "mouthClose") == pytest.approx(shut, abs=0.002)


@pytest.mark.parametrize("quantised", [False, True])
def test_the_glb_moves_as_the_forward_pass(take: Take, tmp_path: Path, quantised: bool) -> None:
    still = without_joints(take)
    head = load_head(BUNDLED_HEAD)
    figure = figure_of(still, head, "nobody")
    path = tmp_path / "a.glb"
    path.write_bytes(write_glb(figure, GlbOptions(quantised=quantised)))
    file, source = Reading.of(path), vertex_sources(figure)
    assert file.shape_names == APPLE_NAMES
    rows = np.flatnonzero(take.valid)
    times = take.timestamp[rows] - take.timestamp[rows[0]]
    assert np.abs(file.key_times - times).max() < 1e-4
    assert figure.clip is not None
    for place in (0, 3, len(rows) - 1):
        expected = pose_head(head, parameters(still, rows[place]))
        matrix = figure.clip.places[place]
        expected = expected @ matrix[:3, :3].T + matrix[:3, 3]
        off = np.linalg.norm(file.posed(float(times[place])) - expected[source], axis=1)
        assert 1000 * off.max() < (0.05 if quantised else 0.01)


def test_each_shape_is_the_heads(take: Take, tmp_path: Path) -> None:
    head = load_head(BUNDLED_HEAD)
    figure = figure_of(take, head, "nobody")
    path = tmp_path / "a.glb"
    path.write_bytes(write_glb(figure, GlbOptions()))
    file, source = Reading.of(path), vertex_sources(figure)
    rest = file.posed(weights=np.zeros(52))
    for row, name in enumerate(APPLE_NAMES):
        weights = np.zeros(52)
        weights[row] = 1.0
        moved = file.posed(weights=weights) - rest
        assert np.abs(moved - figure.shapes[row][source]).max() < 3e-6, name
        assert np.abs(moved).max() > 1e-3, f"{name} moves nothing"


def test_a_turn_at_full_is_the_persons_shape(take: Take) -> None:
    """A frame for each: jaw and gaze, tongue and teeth with them, about the person's own joints."""
    head = load_head(BUNDLED_HEAD)
    turns = np.zeros((FRAMES, 4, 3), np.float32)
    for row, (bone, vector) in enumerate(TURNS.values()):
        turns[row, bone - 1] = vector
    turned = dataclasses.replace(
        take,
        expression=np.zeros_like(take.expression),
        eyelids=np.zeros_like(take.eyelids),
        neck=np.zeros_like(take.neck),
        jaw=turns[:, 1],
        eyes=turns[:, 2:],
        valid=np.arange(FRAMES) < len(TURNS),
    )
    figure = figure_of(turned, head, "nobody")
    assert figure.clip is not None
    meant = np.stack([name == np.array(APPLE_NAMES) for name in TURNS])
    assert np.abs(figure.clip.values - meant).max() < 0.001
    for row, name in enumerate(TURNS):
        shown = posed(figure, dataclasses.replace(figure.clip.stance(row), place=np.eye(4)))
        off = 1000 * np.linalg.norm(shown - pose_head(head, parameters(turned, row)), axis=1)
        assert off.max() < 0.1, name  # on the way there it is more: shapes go straight, a jaw turns


def test_csv_and_json_say_the_same(path: Path, take: Take, tmp_path: Path) -> None:
    rows = np.flatnonzero(take.valid)
    written = export_take(path, Format.CSV, tmp_path / "a.csv")
    table = list(csv.DictReader(written.read_text().splitlines()))
    content = json.loads(export_take(path, Format.JSON, tmp_path / "a.json").read_text())
    assert [int(row["frame"]) for row in table] == take.frame_index[rows].tolist() == content["frame"]
    seconds = take.timestamp[rows] - take.timestamp[rows[0]]
    assert np.allclose([float(row["seconds"]) for row in table], seconds, atol=1e-6)
    column = take.meta.expression_names.index("mouthSmileLeft")
    assert np.allclose(content["curves"]["mouthSmileLeft"], take.expression[rows, column].clip(0, 1), atol=1e-5)
    for name in (*APPLE_NAMES, "headYaw", "headX"):
        assert np.allclose([float(row[name]) for row in table], content["curves"][name], atol=2e-6)
    angles = np.radians([[float(row[name]) for name in ("headYaw", "headPitch", "headRoll")] for row in table])
    turned = np.diag([1.0, -1.0, -1.0]) @ Rotation.from_rotvec(take.head_rotation[rows]).as_matrix()
    turned = turned @ Rotation.from_rotvec(take.neck[rows]).as_matrix()
    assert np.allclose(Rotation.from_euler("YXZ", angles).as_matrix(), turned, atol=1e-5)


def test_bvh_turns_the_joints_at_an_even_rate(path: Path, take: Take, tmp_path: Path) -> None:
    text = export_take(path, Format.BVH, tmp_path / "a.bvh").read_text()
    assert re.findall(r"(?:ROOT|JOINT) (\w+)", text) == ["root", "neck", "jaw", "eye_L", "eye_R"]
    head, motion = text.split("MOTION\n")
    count = int(re.search(r"Frames: (\d+)", motion).group(1))  # type: ignore[union-attr]
    step = float(re.search(r"Frame Time: ([\d.]+)", motion).group(1))  # type: ignore[union-attr]
    assert (count, step) == (FRAMES, pytest.approx(1 / 23.976, abs=1e-6))
    rows = np.array([[float(value) for value in line.split()] for line in motion.splitlines()[2:]])
    assert rows.shape == (FRAMES, 3 + 3 * 5)
    jaw = Rotation.from_euler("ZXY", rows[:, 9:12], degrees=True).as_matrix()
    expected = Rotation.from_rotvec(take.jaw).as_matrix()
    assert np.abs(jaw - expected)[take.valid].max() < 1e-4
    assert head.count("{") == head.count("}")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{take}", "--format", "obj"], "no format"),
        (["{missing}"], "no take"),
        (["{take}", "--out", "{take}", "--format", "csv"], "replace the take"),
        (["{take}", "--out", "{file}/a.glb"], "cannot be written"),
    ],
)
def test_bad_input_is_one_sentence(path: Path, tmp_path: Path, words: list[str], sentence: str) -> None:
    (tmp_path / "file").write_text("")
    before = path.read_bytes()
    places = {"take": path, "missing": tmp_path / "none.npz", "file": tmp_path / "file"}
    result = CliRunner().invoke(app, ["export", *(word.format(**places) for word in words)])
    assert result.exit_code == 2
    assert sentence in result.output.replace("\n", " ")
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_a_file_that_is_there_stays_unless_it_is_named(path: Path, tmp_path: Path) -> None:
    take = tmp_path / "take.npz"
    take.write_bytes(path.read_bytes())
    export_take(take, Format.JSON)
    with pytest.raises(BadInput, match="there already"):
        export_take(take, Format.JSON)
    export_take(take, Format.JSON, take.with_suffix(".json"))
