"""What is missing is told in a sentence, before anything is measured."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from inference_core.errors import BadInput
from inference_core.evaluation import __main__ as evaluation
from inference_core.evaluation.needs import PACKAGES, USUAL, Folders, found_beside, require


@pytest.mark.parametrize("lacking", sorted(PACKAGES))
def test_a_missing_package_is_named_with_its_remedy(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == lacking else object())
    with pytest.raises(BadInput, match=lacking) as told:
        require(scan=True, torch=True, blender=True)
    assert "requirements/" in told.value.remedy


def test_the_command_says_it_instead_of_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "numba" else object())
    with pytest.raises(SystemExit) as ended:
        evaluation.main()
    assert ended.value.code == BadInput.exit_status
    said = capsys.readouterr().err
    assert "numba" in said and "Traceback" not in said


def test_the_remedies_name_files_that_are_there() -> None:
    for name in PACKAGES:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(BadInput) as told:
            patch.setattr(importlib.util, "find_spec", lambda asked, name=name: None if asked == name else object())
            require(scan=True, torch=True, blender=True)
        file = told.value.remedy.removeprefix("Install ").removesuffix(".")
        assert (Path(__file__).parents[2] / file).is_file()


def test_folders_are_found_by_their_usual_names_and_named_ones_come_first(tmp_path: Path) -> None:
    for folder, content in (USUAL["ict"], USUAL["flame"], USUAL["makehuman"]):
        (tmp_path / folder / content).mkdir(parents=True)
    mine = tmp_path / "mine"
    found = found_beside(tmp_path, Folders(ict=mine))
    assert found.ict == mine
    assert found.flame == tmp_path / "flame2023_open_identity"
    assert found.scan is None and found.any_mesh and not found.any_photo
    with pytest.raises(BadInput, match="mine"):
        found.check()
    found_beside(tmp_path, Folders()).check()


def test_wrong_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        found_beside(tmp_path / "nowhere", Folders())
    with pytest.raises(BadInput, match="portraits"):
        found_beside(tmp_path, Folders())
    with pytest.raises(BadInput, match="flame_basis"):
        Folders(flame=tmp_path).check()
    (tmp_path / "flame_basis.npz").touch()
    with pytest.raises(BadInput, match="wear"):
        Folders(flame=tmp_path).check()
