"""What lies beside a take, whatever its bytes: used, or refused in a sentence of the extension's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference_core.head import BUNDLED_HEAD
from n2f_blender.files.hair import HairError, find_hair
from n2f_blender.files.head import load_head
from n2f_blender.files.look import LookError, find_look

HEAD = load_head(BUNDLED_HEAD)
LOOK = {"format": "n2f-look", "version": 2, "head_sha256": HEAD.sha256, "texture": "albedo.png"}
HAIR = {"format": "n2f-hair", "version": 1, "head_sha256": HEAD.sha256, "kind": "hair", "strands": "hair.npz"}
NO_LOOKS = {
    "nothing": "",
    "a list": "[]",
    "nested too deep": "[" * 100_000,
    "no text": "\udcff",
    "a number without end": json.dumps({**LOOK, "iris": {"radius_degrees": 10**400}}),
    "a light without end": json.dumps({**LOOK, "light": {"coefficients": [[10**400] * 3] * 9}}),
    "a light of another kind": json.dumps({**LOOK, "light": {"coefficients": {"a": 1}}}),
    "a picture with a strange name": json.dumps({**LOOK, "texture": "a\0b"}),
    "a picture that is gone": json.dumps({**LOOK, "texture": "other.png"}),
}


@pytest.mark.parametrize("text", NO_LOOKS.values(), ids=NO_LOOKS)
def test_no_look(text: str, tmp_path: Path) -> None:
    (tmp_path / "albedo.png").touch()
    (tmp_path / "look.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(LookError) as refused:
        find_look("look.json", tmp_path / "take.npz", HEAD)
    assert refused.value.sentence and refused.value.remedy


def test_a_look(tmp_path: Path) -> None:
    (tmp_path / "albedo.png").touch()
    (tmp_path / "look.json").write_text(json.dumps(LOOK), encoding="utf-8")
    assert find_look("look.json", tmp_path / "take.npz", HEAD) is not None


@pytest.mark.parametrize("strands", [None, b"", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" + bytes(400)])
@pytest.mark.parametrize("facts", [HAIR, {**HAIR, "radius": 10**400}, {**HAIR, "strands": "a\0b"}])
def test_no_hair(facts: dict[str, object], strands: bytes | None, tmp_path: Path) -> None:
    if strands is not None:
        (tmp_path / "hair.npz").write_bytes(strands)
    (tmp_path / "hair.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(HairError):
        find_hair(tmp_path / "take.npz", HEAD)
