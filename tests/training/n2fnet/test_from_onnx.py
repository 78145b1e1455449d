"""The shipped network learns on from its file alone, on its own head and on another identity space."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402

from inference_core.errors import BadInput, ModelMissing  # noqa: E402
from inference_core.head import Head  # noqa: E402
from inference_core.training.n2fnet.config import Config  # noqa: E402
from inference_core.training.n2fnet.export import to_onnx  # noqa: E402
from inference_core.training.n2fnet.from_onnx import state_from_onnx  # noqa: E402
from inference_core.training.n2fnet.losses import Criterion  # noqa: E402
from inference_core.training.n2fnet.model import ExportedN2FNet, N2FNet  # noqa: E402
from inference_core.training.n2fnet.refit import refit_codes  # noqa: E402
from inference_core.training.n2fnet.render import NormalRenderer  # noqa: E402
from inference_core.training.n2fnet.stream import make_chunk  # noqa: E402
from inference_core.training.n2fnet.validate import batch_on  # noqa: E402

FOLDED = replace(Config().network, width=64, hidden=64, normalised=False)


@pytest.fixture(scope="module")
def file(head: Head, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network with normalisations of some statistics, exported as the product's is."""
    torch.manual_seed(0)
    model = N2FNet(replace(FOLDED, normalised=True), head)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    path = tmp_path_factory.mktemp("from_onnx") / "n2fnet.onnx"
    to_onnx(ExportedN2FNet(model.eval()).eval(), head, path)
    return path


def test_a_network_from_a_file_answers_as_it(file: Path, head: Head) -> None:
    model = N2FNet(FOLDED, head)
    model.load_state_dict(state_from_onnx(file, FOLDED, head))
    normals = make_chunk(head, NormalRenderer(head, 256), Config().space, None, (1, 2), 2).normals.astype(np.float32)
    said = onnxruntime.InferenceSession(str(file)).run(None, {"normals": normals})
    with torch.no_grad():
        ours = ExportedN2FNet(model.eval())(torch.from_numpy(normals))
    assert max(float(np.abs(a.numpy() - b).max()) for a, b in zip(ours, said, strict=True)) < 1e-4


def test_another_network_is_refused(file: Path, head: Head, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not an N2FNet"):
        state_from_onnx(file, replace(FOLDED, width=32), head)
    with pytest.raises(BadInput, match="not an N2FNet"):
        state_from_onnx(file, replace(FOLDED, normalised=True), head)
    with pytest.raises(ModelMissing):
        state_from_onnx(tmp_path / "none.onnx", FOLDED, head)
    (tmp_path / "text.onnx").write_text("no")
    with pytest.raises(BadInput):
        state_from_onnx(tmp_path / "text.onnx", FOLDED, head)


def test_a_refitted_layer_knows_more_than_nothing(head: Head) -> None:
    """Even on a backbone that never learned: identities of the faces it was fitted to come nearer than the mean."""
    torch.manual_seed(0)
    model = N2FNet(FOLDED, head)
    renderer = NormalRenderer(head, FOLDED.map_size)
    chunks = [make_chunk(head, renderer, Config().space, None, (9, k), 32) for k in range(4)]
    criterion = Criterion(head, Config().losses)
    normals, truth = batch_on(chunks[0], torch.device("cpu"))
    model.eval()
    with torch.no_grad():
        before = float(criterion(model(normals), truth)[1]["identity"])
        refit_codes(model, chunks)
        after = float(criterion(model(normals), truth)[1]["identity"])
    assert after < 0.9 * before
