"""Others' readers on our glb, where they are: three.js and Khronos' validator in $N2F_NODE_MODULES, run by node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from inference_core.export.figure_of_take import figure_of
from inference_core.formats.glb import GlbOptions, write_glb
from inference_core.head import BUNDLED_HEAD, load_head
from inference_core.take import load_take
from n2f_blender.export.reading import Reading
from scripts.export_readers import browser
from tests.blender.performances import performance

NODE = shutil.which("node")
MODULES = Path(os.environ.get("N2F_NODE_MODULES", ""))
READERS = Path(__file__).parents[2] / "scripts" / "export_readers" / "web"


def run(script: str, package: str, *words: Path) -> str:
    if NODE is None or not (MODULES / package).is_dir():
        pytest.skip(f"there is no node with {package}: npm install {package}, N2F_NODE_MODULES names the folder")
    command = [NODE, str(READERS / script), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture(scope="module", params=[False, True], ids=["full", "quantised"])
def glb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not BUNDLED_HEAD.is_file():
        pytest.skip("the Open Head is not built")
    folder = tmp_path_factory.mktemp("readers")
    np.savez(folder / "take.npz", **performance(BUNDLED_HEAD, frames=12))
    figure = figure_of(load_take(folder / "take.npz"), load_head(BUNDLED_HEAD), "nobody")
    path = folder / "a.glb"
    path.write_bytes(write_glb(figure, GlbOptions(quantised=request.param)))
    return path


def test_the_validator_finds_nothing(glb: Path) -> None:
    report = json.loads(run("validate.cjs", "gltf-validator", glb))
    assert (report["errors"], report["warnings"]) == (0, 0), report["messages"]


def test_three_js_puts_every_vertex_where_we_do(glb: Path) -> None:
    out = glb.with_suffix(".json")
    run("three_in_node.mjs", "three", glb, out)
    said = json.loads(out.read_text())
    file = Reading.of(glb)

    def off(points: list[float], ours: np.ndarray) -> float:
        return float(1000 * np.linalg.norm(np.reshape(points, (-1, 3)) - ours, axis=1).max())

    assert tuple(said["shapes"]) == file.shape_names
    for row, name in enumerate(file.shape_names):
        weights = np.zeros(52)
        weights[row] = 1.0
        assert off(said["shapes"][name], file.posed(weights=weights)) < 0.01, name
    assert len(said["frames"]) == 3
    for seconds, points in said["frames"]:
        assert off(points, file.posed(seconds)) < 0.1


@pytest.mark.parametrize("engine", ["three", "babylon"])
def test_a_page_puts_every_vertex_where_we_do(glb: Path, engine: str) -> None:
    if browser.missing(engine):
        pytest.skip(browser.missing(engine))
    file = Reading.of(glb)
    names = ("jawOpen", "eyeBlinkLeft", "tongueOut")
    poses: list[dict[str, object]] = [{"values": {name: 1.0}, "seconds": None} for name in names]
    poses.append({"values": None, "seconds": float(file.key_times[-1])})
    view = browser.View((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 0.4, (), (1.0, 1.0, 1.0))
    shown = browser.browse(engine, glb, glb.with_name(engine), view, poses, poses[0], 64)
    assert shown.said["faults"] == []
    assert tuple(shown.said["shapes"]) == file.shape_names
    meant = [file.posed(weights=np.eye(52)[file.shape_names.index(name)]) for name in names]
    meant.append(file.posed(float(file.key_times[-1])))
    assert 1000 * np.linalg.norm(shown.positions - np.stack(meant), axis=2).max() < 0.01
    assert glb.with_name(f"{engine}.png").stat().st_size > 500
