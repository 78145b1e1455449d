"""ARKit's names in the dresses that characters wear."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_core.formats.arkit import COLUMN, GAZE_NAMES, JAW_NAMES, NAMES, match, mirrored, spelled


def words(name: str) -> list[str]:
    return re.findall(r"[A-Z]?[a-z]+", name)


def side_of(name: str) -> str:
    return "Left" if name.endswith("Left") else "Right" if name.endswith("Right") else ""


DRESSES = {
    "pascal": lambda name: name[0].upper() + name[1:],
    "lower": lambda name: name.lower(),
    "snake": lambda name: "_".join(words(name)).lower(),
    "screaming": lambda name: "_".join(words(name)).upper(),
    "spaces": lambda name: " ".join(words(name)),
    "prefix": lambda name: f"ARKit_{name}",
    "face": lambda name: f"Face.{name}",
    "maya": lambda name: f"blendShape1.{name}",
    "maya group": lambda name: f"Head_geo|blendShape1.{name}_Mesh",
    "number": lambda name: f"{name}.001",
    "_L": lambda name: name.removesuffix(side_of(name)) + (f"_{side_of(name)[0]}" if side_of(name) else ""),
    ".l": lambda name: name.removesuffix(side_of(name)) + (f".{side_of(name)[0].lower()}" if side_of(name) else ""),
    "L_": lambda name: (f"{side_of(name)[0]}_" if side_of(name) else "") + name.removesuffix(side_of(name)),
    "Left_": lambda name: (f"{side_of(name)}_" if side_of(name) else "") + name.removesuffix(side_of(name)),
    "camel L": lambda name: name.removesuffix(side_of(name)) + side_of(name)[:1],
    "prefix and _R": lambda name: (
        "CC_" + name.removesuffix(side_of(name)) + (f"_{side_of(name)}" if side_of(name) else "")
    ),
}


def test_there_are_52_names_in_pairs() -> None:
    assert len(NAMES) == len(set(NAMES)) == len(COLUMN) == 52
    assert all(mirrored(name) in COLUMN and mirrored(mirrored(name)) == name for name in NAMES)
    assert sum(mirrored(name) != name for name in NAMES) == 2 * 20
    assert len(GAZE_NAMES) == 8
    assert set(JAW_NAMES) <= set(NAMES)


@pytest.mark.parametrize("dress", DRESSES)
def test_every_name_is_known_in_every_dress(dress: str) -> None:
    keys = ["Basis", *map(DRESSES[dress], NAMES)]
    assert match(keys) == {name: (key,) for name, key in zip(NAMES, keys[1:], strict=True)}


@given(st.permutations(NAMES), st.data())
def test_a_mix_of_dresses_matches_one_to_one(names: list[str], data: st.DataObject) -> None:
    keys = [DRESSES[data.draw(st.sampled_from(sorted(DRESSES)))](name) for name in names]
    found = match(keys)
    assert {name: key for name, (key,) in found.items()} == dict(zip(names, keys, strict=True))


@pytest.mark.parametrize(
    "key",
    ["Basis", "eyeBlink", "mouth", "smile", "eyeBlink_LR", "corrective.jaw.12", "corrective_jawOpen",
     "jawOpen_mouthClose", "ARKit_mouthSmileLeft_eyeBlinkLeft", "viseme_aa", "L", "", "eyesClosed",
     "browUp_L", "shape.001"],
)  # fmt: skip
def test_what_is_not_one_of_them_stays_out(key: str) -> None:
    assert spelled(key) is None


def test_of_two_spellings_the_plainer_counts() -> None:
    assert match(["ARKit_jawOpen", "jawOpen"]) == {"jawOpen": ("jawOpen",)}
    assert match(["jawOpen.001", "JAWOPEN"]) == {"jawOpen": ("JAWOPEN",)}


def test_halves_of_one_expression_count_both() -> None:
    assert match(["browInnerUp_L", "browInnerUp_R"]) == {"browInnerUp": ("browInnerUp_L", "browInnerUp_R")}
    assert match(["browInnerUp_L", "browInnerUp_R", "Brow_Inner_Up"]) == {"browInnerUp": ("Brow_Inner_Up",)}


def test_what_the_user_chose_comes_first() -> None:
    keys = ["jawOpen", "Mund auf", "mouthClose"]
    assert match(keys, {"jawOpen": "Mund auf"}) == {"jawOpen": ("Mund auf",), "mouthClose": ("mouthClose",)}
    assert match(keys, {"tongueOut": "jawOpen"}) == {"tongueOut": ("jawOpen",), "mouthClose": ("mouthClose",)}
    assert match(keys, {"jawOpen": ""}) == {"mouthClose": ("mouthClose",)}
    assert match(keys, {"jawOpen": "gone"}) == {"mouthClose": ("mouthClose",)}
