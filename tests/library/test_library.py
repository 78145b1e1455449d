"""The library of heads: adding, listing, verifying, removing; what is refused leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from inference_core.cli.app import app
from inference_core.errors import BadInput, ModelMissing
from inference_core.formats.options import is_head_name
from inference_core.formats.places import data_folder
from inference_core.head import BUNDLED_HEAD, load_head
from inference_core.inventory import NETWORKS, installed_heads
from inference_core.library.adding import add_head, remove_head
from inference_core.library.shelf import find_head
from inference_core.library.verify import problem
from tests.other_head import HEAD_ID, write_other_head


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one of this test's own."""
    monkeypatch.setenv("N2F_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "heads"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_other_head(tmp_path_factory.mktemp("other") / "my head.npz")


def n2f(*words: str | Path) -> tuple[int, str, str]:
    """Exit status, stdout, stderr with spaces as they come."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_head_is_added_listed_verified_and_removed(library: Path, other: Path) -> None:
    assert n2f("models", "add", other)[0] == 0
    assert files_in(library) == [f"{HEAD_ID}/head.npz", f"{HEAD_ID}/record.json"]
    listed = {entry["name"]: entry for entry in json.loads(n2f("models", "list", "--json")[1])}
    assert list(listed) == ["open_head", HEAD_ID, *NETWORKS]
    entry = listed[HEAD_ID]
    assert (entry["license"], entry["commercial_use"], entry["bundled"]) == ("For research only", False, False)
    assert entry["sha256"] == load_head(other).sha256 == load_head(find_head(HEAD_ID).path).sha256
    assert "not for commercial use" in n2f("models", "list")[1]
    assert n2f("models", "verify")[0] == 0
    assert n2f("models", "remove", HEAD_ID)[0] == 0
    assert files_in(library) == []


def test_the_same_file_again_changes_nothing_and_another_of_that_name_is_refused(
    library: Path, other: Path, tmp_path: Path
) -> None:
    first = add_head(other)
    assert add_head(other) == first
    with np.load(other) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(tmp_path / "changed.npz", **{**arrays, "template": arrays["template"] * 1.01})
    with pytest.raises(BadInput, match="already a head"):
        add_head(tmp_path / "changed.npz")
    second = add_head(tmp_path / "changed.npz", "second-one")
    assert load_head(second.path).head_id == "second-one"
    assert [asset.name for asset in installed_heads()] == [HEAD_ID, "second-one"]
    assert not any(path.name.startswith(".") for path in library.iterdir())


def test_what_is_no_head_is_refused_and_nothing_is_left(library: Path, other: Path, tmp_path: Path) -> None:
    with np.load(other) as file:
        arrays = {name: file[name] for name in file.files}
    cases = {"truncated.npz": other.read_bytes()[:100_000], "text.npz": b"no head at all", "empty.pkl": b""}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
    np.savez(tmp_path / "nan.npz", **{**arrays, "template": arrays["template"] * np.nan})
    np.savez(tmp_path / "short.npz", **{**arrays, "pose_dirs": arrays["pose_dirs"][:9]})
    np.savez(tmp_path / "bare.npz", template=arrays["template"])
    for name in (*cases, "nan.npz", "short.npz", "bare.npz", "absent.npz"):
        with pytest.raises(BadInput) as refused:
            add_head(tmp_path / name)
        assert name in refused.value.sentence, name
        assert files_in(library) == [] if library.exists() else True
    assert "not finite" in n2f("models", "add", tmp_path / "nan.npz")[2]
    assert n2f("models", "add", tmp_path / "nan.npz")[0] == 2


def test_a_file_that_claims_to_be_huge_is_refused_unread(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference_core.library.adding.MOST_BYTES", 1 << 20)
    bomb = tmp_path / "bomb.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.npy", bytes(2 << 20))
    with pytest.raises(BadInput, match="claims to unpack"):
        add_head(bomb)
    assert files_in(library) == []


@pytest.mark.usefixtures("library")
def test_damage_is_told(other: Path) -> None:
    place = add_head(other).path
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(content)
    (damaged,) = installed_heads()
    assert damaged.damage == "it has changed since it was added"
    with pytest.raises(ModelMissing, match="has changed since it was added"):
        find_head(HEAD_ID)
    assert isinstance(problem(damaged), ModelMissing)
    status, out, err = n2f("models", "verify")
    assert (status, f"ok {HEAD_ID}" in out, "has changed" in err) == (4, False, True)
    assert n2f("reconstruct", "a.png", "-o", "o", "--head", HEAD_ID)[0] == 4
    assert add_head(other).damage == ""  # added again it is whole


@pytest.mark.usefixtures("library")
def test_names(other: Path) -> None:
    assert all(map(is_head_name, ["flame2023_open", "a", "x-1.2"]))
    assert not any(map(is_head_name, ["", "..", "a/b", "A", "Ä", ".a", "a.", "a" * 64, "a b"]))
    with pytest.raises(BadInput, match="cannot be a head's name"):
        add_head(other, "../x")
    with pytest.raises(BadInput, match="bundled head's name"):
        add_head(BUNDLED_HEAD)
    with pytest.raises(BadInput, match="cannot be removed"):
        remove_head("open_head")
    with pytest.raises(BadInput, match="no installed head"):
        remove_head("..")
    with pytest.raises(BadInput, match="Installed: open_head"):
        find_head("zebra")


@pytest.mark.usefixtures("library")
def test_json_for_programs(other: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in n2f("models", "add", other, "--json")[1].splitlines()]
    assert [line["type"] for line in lines[:-1]] == ["progress"] * (len(lines) - 1)
    assert (lines[-1]["type"], lines[-1]["name"], lines[-2]["share"]) == ("added", HEAD_ID, 1.0)
    status, out, _ = n2f("models", "add", tmp_path / "none.pkl", "--json")
    assert (status, json.loads(out)["code"]) == (2, "BAD_INPUT")


def test_a_library_that_cannot_be_written_is_a_sentence(
    other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("N2F_DATA", str(tmp_path / "file"))
    status, _, err = n2f("models", "add", other)
    assert (status, "cannot be written" in err) == (2, True)


def test_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("N2F_DATA")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_folder() == tmp_path / "n2f"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert data_folder() == Path.home() / ".local" / "share" / "n2f"


def test_finding_a_head_imports_nothing_heavy() -> None:
    code = (
        "import sys; from inference_core.inventory import heads; heads();"
        "from inference_core.library import shelf; print({'numpy', 'scipy', 'cv2', 'onnxruntime'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert ran.stdout.strip() == "set()"
