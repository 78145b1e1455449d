"""Error maps and the report's command; Blender's normals against the rasteriser's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from inference_core.evaluation.face_points import FacePoints
from inference_core.evaluation.measures import evaluation_regions
from inference_core.evaluation.methods import Guess, perfect
from inference_core.evaluation.pictures import error_sheet, example_of_sample, write_sheet
from inference_core.evaluation.report import command_line
from inference_core.evaluation.samples import open_head_samples
from inference_core.evaluation.target import Target
from inference_core.evaluation.views import render, turned_view
from inference_core.head import HeadParameters, load_head, pose_head
from inference_core.perception.landmarks import MESH_POINTS


def test_an_error_map_shows_where_a_result_is_off(tmp_path: Path) -> None:
    head = load_head()
    sample = next(iter(open_head_samples(head, 1, 2)))
    example = example_of_sample(head, "it", sample, perfect(sample))
    neutral = HeadParameters.neutral(head)
    methods = {
        "truth": lambda _: Guess(sample.parameters, sample.camera),
        "mean": lambda _: Guess(neutral, sample.camera),
    }
    sheet = error_sheet([example], methods)
    side = sheet.shape[1] // 4
    right, wrong = (sheet[30:250, k * side : (k + 1) * side].astype(int) for k in (2, 3))
    reddish = [int((tile[..., 0] > tile[..., 2] + 60).sum()) for tile in (right, wrong)]
    assert reddish[0] < 20
    assert reddish[1] > 500
    write_sheet(tmp_path / "sheet.png", sheet)
    assert (tmp_path / "sheet.png").stat().st_size > 5000


def test_the_report_names_its_command_without_the_machine() -> None:
    command = command_line(["evaluate", "--count", "3", "--ict", "/somewhere/ict_facekit", "--write", "docs/b.md"])
    assert command == "n2f evaluate --count 3 --ict ict_facekit --write docs/b.md"


def test_cycles_normals_are_the_rasterisers() -> None:
    pytest.importorskip("bpy")
    from inference_core.evaluation.cycles import Stage, mean_angle

    head = load_head()
    corners = np.zeros((MESH_POINTS, 3), np.int32)
    corners[head.mediapipe_index] = head.triangles[head.mediapipe_triangles]
    seen = np.isin(np.arange(MESH_POINTS), head.mediapipe_index).astype(np.int64)
    points = FacePoints(corners, np.full((MESH_POINTS, 3), 1 / 3), seen)
    vertices = pose_head(head, HeadParameters.neutral(head))
    view = turned_view("it", Target(vertices, head.triangles, evaluation_regions(head), points), 20, -5, 0.8)
    drawn = render(view)
    normals = Stage().normal_map(view, len(drawn.face))
    # A camera or an axis that is off by a little turns all normals or moves all edges.
    assert mean_angle(normals, drawn.normals, drawn.face) < 1.5
