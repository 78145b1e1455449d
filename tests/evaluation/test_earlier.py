"""Before and after: rows pair up by input and method, and an earlier network is really asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inference_core.errors import ModelMissing
from inference_core.evaluation.asked import Measured
from inference_core.evaluation.command import app
from inference_core.evaluation.earlier import before_and_now
from inference_core.evaluation.report import markdown
from inference_core.evaluation.run import Row

ROW = Row("RGB", "N2FNet", 2, dict.fromkeys(("face", "eyes", "nose", "mouth"), 1.5), {"face": 2.0}, 1.4, 0.3, 0.5, 4.0,
          2.0, 5.0)  # fmt: skip


def test_each_row_stands_before_its_successor() -> None:
    now = [replace(ROW, scaled_distance=1.1), replace(ROW, method="N2FNet, fit"), replace(ROW, inputs="true")]
    pairs = before_and_now([replace(ROW, method="N2FNet, fit", scaled_distance=9.0), ROW], now)
    assert [(row.inputs, row.method, row.scaled_distance) for row in pairs] == [
        ("RGB, before", "N2FNet, fit", 9.0),
        ("RGB, now", "N2FNet, fit", 1.4),
        ("RGB, before", "N2FNet", 1.4),
        ("RGB, now", "N2FNet", 1.1),
    ]
    assert before_and_now([replace(ROW, inputs="nobody's")], now) == []


def test_a_missing_network_is_told_before_anything_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    ran = CliRunner().invoke(app, ["--before", str(tmp_path / "none.onnx"), "--head", str(tmp_path / "no_head.npz")])
    assert ran.exit_code == ModelMissing.exit_status
    said = ran.output + capsys.readouterr().err
    assert "none.onnx" in said and "no_head" not in said  # the head, missing too, was not even looked for


def test_the_report_has_the_section_only_when_asked() -> None:
    regions = dict.fromkeys(("face", "eyes", "nose", "mouth", "ears", "cheeks", "forehead", "lips", "jaw"), 1.0)
    row = replace(ROW, distance=regions)
    assert "Before and after" in markdown(Measured([row]), [], (), [row])
    assert "Before and after" not in markdown(Measured([row]), [])
