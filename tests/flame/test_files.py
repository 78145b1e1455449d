"""Files that are FLAME's in every form they come in, and files that are not: a sentence that says which."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from inference_core.errors import BadInput
from inference_core.flame import convert_flame, recognise
from inference_core.flame.model import FlameModel, check_model
from inference_core.flame.releases import OPEN_SHA256, facts_of
from inference_core.flame.source import SourceFile, open_source
from inference_core.flame.synthetic import save

Model = dict[str, Any]
FIELDS = ("template", "triangles", "shape_dirs", "expression_dirs", "pose_dirs", "joint_regressor", "skin_weights")


def _same(a: FlameModel, b: FlameModel) -> bool:
    return all(np.array_equal(getattr(a, field), getattr(b, field)) for field in FIELDS)


@pytest.fixture(scope="module")
def plain(flame_model: Model) -> FlameModel:
    """The model without any file in between."""
    dense = {**flame_model, "J_regressor": flame_model["J_regressor"].toarray()}
    return check_model(SourceFile("test_head.pkl", "", dense))


@pytest.mark.parametrize(("protocol", "chumpy"), [(2, False), (4, False), (5, False), (2, True), (4, True)])
def test_every_form_gives_the_same(
    protocol: int, chumpy: bool, flame_model: Model, plain: FlameModel, tmp_path: Path
) -> None:
    path = tmp_path / "head.pkl"
    save(flame_model, path, protocol=protocol, chumpy=chumpy)
    assert _same(check_model(open_source(path)), plain)


def test_python_2_pickles(flame_model: Model, plain: FlameModel, tmp_path: Path) -> None:
    """Python 2 wrote bytes as text and named modules as they were called then."""
    path = tmp_path / "head.pkl"
    regressor = sparse.csr_matrix(flame_model["J_regressor"])
    save({**flame_model, "J_regressor": regressor}, path, protocol=2)
    content = path.read_bytes()
    # _codecs.encode(text, 'latin1') -> the text of Python 2: same bytes by its own opcode.
    for new, old in ((b"ccopyreg\n", b"ccopy_reg\n"), (b"cscipy.sparse._csr\n", b"cscipy.sparse.csr\n")):
        content = content.replace(new, old)
    path.write_bytes(content)
    assert _same(check_model(open_source(path)), plain)


@pytest.mark.parametrize("form", ["csc_matrix", "csr_matrix", "coo_matrix", "csc_array"])
def test_sparse_forms(form: str, flame_model: Model, plain: FlameModel, tmp_path: Path) -> None:
    path = tmp_path / "head.pkl"
    save({"J_regressor": getattr(sparse, form)(flame_model["J_regressor"])}, path)
    rest = {key: value for key, value in flame_model.items() if key != "J_regressor"}
    values = {**rest, "J_regressor": open_source(path).values["J_regressor"]}
    assert _same(check_model(SourceFile("head.pkl", "", values)), plain)


def test_npz_and_download(flame_model: Model, flame_file: Path, plain: FlameModel, tmp_path: Path) -> None:
    arrays = {key: np.asarray(value) for key, value in flame_model.items() if isinstance(value, (np.ndarray, str))}
    npz = tmp_path / "head.npz"
    np.savez(npz, **arrays, J_regressor=flame_model["J_regressor"].toarray())
    assert _same(check_model(open_source(npz)), plain)
    downloaded = tmp_path / "FLAME2020.zip"
    with zipfile.ZipFile(downloaded, "w") as archive:
        archive.writestr("readme.txt", "read me")
        archive.writestr("female_model.pkl", b"not read")
        archive.write(flame_file, "FLAME2020/generic_model.pkl")
    source = open_source(downloaded)
    assert source.name == "generic_model.pkl" and _same(check_model(source), plain)


def _turned(values: Model) -> Model:
    return {**values, "v_template": values["v_template"][:, [0, 2, 1]] * [1, 1, -1]}


def _with(key: str, change: Callable[[Any], Any]) -> Callable[[Model], Model]:
    return lambda values: {**values, key: change(np.array(values[key]))}


def _poked(value: float) -> Callable[[Any], Any]:
    def poke(array: Any) -> Any:
        array.flat[7] = value
        return array

    return poke


def _relabelled(triangles: Any) -> Any:
    return np.random.default_rng(0).permutation(5023)[triangles]


_WRONG: dict[str, tuple[Callable[[Model], Model], str]] = {
    "NaN": (_with("v_template", _poked(np.nan)), "1 values of v_template are not numbers"),
    "infinite": (_with("posedirs", _poked(np.inf)), "1 values of posedirs are not numbers"),
    "millimetres": (_with("v_template", lambda v: 1000 * v), "is in millimetres"),
    "centimetres": (_with("v_template", lambda v: 100 * v), "is in centimetres"),
    "axes swapped": (_turned, "axes swapped.*turned by 90 degrees"),
    "looking back": (_with("v_template", lambda v: v * [-1, 1, -1]), "turned by 180 degrees"),
    "mirrored": (_with("v_template", lambda v: v * [-1, 1, 1]), "is mirrored"),
    "elsewhere": (_with("v_template", lambda v: v + np.array([0, 1.6, 0])), "not in FLAME's place"),
    "inside out": (_with("f", lambda f: f[:, ::-1]), "inside out"),
    "other topology": (_with("f", _relabelled), "joins them in another way"),
    "triangles of nothing": (_with("f", _poked(5023)), "vertices that do not exist"),
    "too few vertices": (_with("v_template", lambda v: v[:5000]), "has 5,000 vertices; a FLAME head has 5,023"),
    "too few triangles": (_with("f", lambda f: f[:-1]), "other triangles than FLAME"),
    "SMPL's correctives": (_with("posedirs", lambda _: np.zeros((5023, 3, 207))), r"posedirs is \(5023, 3, 207\)"),
    "half the directions": (_with("shapedirs", lambda s: s[:, :, :150]), r"shapedirs is \(5023, 3, 150\)"),
    "no weights": (lambda values: {k: v for k, v in values.items() if k != "weights"}, "has no weights"),
    "weights of two": (_with("weights", lambda w: 2 * w), "weights do not sum to one"),
    "joints outside": (_with("J_regressor", lambda j: 3 * j), "joints lie outside the head"),
    "another tree": (_with("kintree_table", lambda k: k[:, ::-1]), "other joints than FLAME"),
    "metres per step": (_with("shapedirs", _poked(5.0)), "by more than a metre"),
    "landmarks": (lambda _: {"lmk_face_idx": np.zeros(51)}, "is not a FLAME model; it holds lmk_face_idx"),
    "words": (_with("weights", lambda w: np.full(w.shape, "a")), "weights in head.pkl was not used"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(_WRONG))
def test_what_is_wrong_is_said(name: str, flame_model: Model) -> None:
    change, expected = _WRONG[name]
    values = change({**flame_model, "J_regressor": flame_model["J_regressor"].toarray()})
    with pytest.raises(BadInput) as error:
        check_model(SourceFile("head.pkl", "", values))
    assert re.search(expected, error.value.sentence), error.value.sentence
    assert error.value.sentence.startswith(("head.pkl", "weights")) and error.value.sentence.count(". ") == 0
    assert error.value.remedy


@pytest.mark.parametrize(("count", "joints", "what"), [(6890, 24, "SMPL"), (10475, 55, "SMPL-X"), (778, 16, "MANO")])
def test_other_models(count: int, joints: int, what: str, tmp_path: Path) -> None:
    path = tmp_path / "basicModel.pkl"
    values = {
        "v_template": np.zeros((count, 3)), "f": np.zeros((9, 3), np.uint32), "weights": np.zeros((count, joints)),
        "shapedirs": np.zeros((count, 3, 10)), "posedirs": np.zeros((count, 3, 9 * joints - 9)),
        "J_regressor": sparse.csc_matrix((joints, count)), "kintree_table": np.zeros((2, joints), np.int64),
    }  # fmt: skip
    save(values, path)
    with pytest.raises(BadInput, match=f"{what} .*not a FLAME head"):
        convert_flame(path, tmp_path / "out.npz")
    assert recognise(path) is None


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.999])
def test_a_truncated_download(share: float, flame_file: Path, tmp_path: Path) -> None:
    content = flame_file.read_bytes()
    path = tmp_path / "head.pkl"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BadInput, match=r"ends in the middle: the download is not complete"):
        convert_flame(path, tmp_path / "out.npz")


def test_a_truncated_archive(flame_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "FLAME2020.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("generic_model.pkl", flame_file.read_bytes()[:100_000])
    path.write_bytes(path.read_bytes()[:60_000])
    with pytest.raises(BadInput, match=r"damaged archive, or ends in the middle"):
        open_source(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>Login", "is a web page"),
        (b"\x89PNG\r\n\x1a\n", "is not a pickle"),
        (b"\x80\x02]q\x00.", "does not hold a dictionary"),
    ],
)
def test_no_pickles(content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "head.pkl"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=expected):
        open_source(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        convert_flame(tmp_path / "head.pkl", tmp_path / "out.npz")


@pytest.mark.parametrize(
    ("name", "head_id", "version"),
    [
        ("generic_model.pkl", "flame", "FLAME 2019 or 2020"),
        ("flame2023.pkl", "flame2023", "FLAME 2023"),
        ("flame2023_no_jaw.pkl", "flame2023_no_jaw", "FLAME 2023 without jaw"),
        ("FLAME_NEUTRAL.pkl", "flame", "FLAME 2019 or 2020"),
        ("My Head (2).pkl", "my_head_2", "a file of FLAME's form"),
    ],
)
def test_recognised_by_name(name: str, head_id: str, version: str, plain: FlameModel) -> None:
    facts = facts_of(FlameModel(**{**vars(plain), "name": name}))
    assert (facts.head_id, facts.version) == (head_id, version)
    assert not facts.commercial_use and "non-commercial" in facts.licence


def test_only_the_published_file_is_free(plain: FlameModel) -> None:
    """FLAME 2023 Open's name alone does not make a file free for commercial use; its sum does."""
    named = facts_of(FlameModel(**{**vars(plain), "name": "flame2023_Open.pkl"}))
    known = facts_of(FlameModel(**{**vars(plain), "name": "renamed.pkl", "sha256": OPEN_SHA256}))
    assert not named.commercial_use
    assert known.commercial_use and known.licence == "CC-BY-4.0" and known.recognised_by == "sha256"
    assert known.version == "FLAME 2023 Open" and "Max Planck" in known.attribution
