"""Every word that the extension says has a Korean one, values keep their places, and nothing is translated in vain."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("bpy")

from n2f_blender.core_client.job import STAGE_LABELS
from n2f_blender.translations import ko, wording
from tests.blender.spoken import spoken

PACKAGE = Path(__file__).resolve().parents[2] / "n2f_blender"
KOREAN = "ko_KR"


def everything() -> set[str]:
    files = (path for path in PACKAGE.rglob("*.py") if "translations" not in path.parts)
    words = {word for path in files if path.name != "__main__.py" for word in spoken(path)}
    return words | set(STAGE_LABELS.values())


def test_every_word_is_translated() -> None:
    missing = sorted(everything() - ko.WORDS.keys())
    assert not missing, "untranslated, see docs/translating.md:\n" + "\n".join(missing)


def test_nothing_is_translated_in_vain() -> None:
    stale = sorted(ko.WORDS.keys() - everything() - ko.core.WORDS.keys())
    assert not stale, "no longer said:\n" + "\n".join(stale)


def test_what_the_core_says_is_said_by_it() -> None:
    """Its templates are found in its source."""
    sources = [*PACKAGE.parent.glob("inference_core/**/*.py"), *PACKAGE.rglob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources if "translations" not in path.parts)
    text = re.sub(r'"\s*\n\s*f?"', "", text)
    for template in ko.core.WORDS:
        longest = max(template.split("{}"), key=len)
        assert longest in text, template


@pytest.mark.parametrize("english", [word for word in ko.WORDS if "{}" in word])
def test_values_keep_their_places(english: str) -> None:
    count = english.count("{}")
    values = [f"<{number}>" for number in range(count)]
    sentence = english
    for value in values:
        sentence = sentence.replace("{}", value, 1)
    korean = wording.translated(sentence, KOREAN)
    assert korean != sentence
    assert [value for value in values if korean.count(value) != 1] == []


def test_sentences_with_values() -> None:
    assert (
        wording.translated("The core has said nothing for 31 seconds.", KOREAN)
        == "코어가 31초 동안 응답하지 않았습니다."
    )
    assert wording.translated("No face was found in 'a {b}.jpg'.", KOREAN) == "'a {b}.jpg'에서 얼굴을 찾지 못했습니다."
    assert wording.translated("Face 7 does not exist: 2 found in 'a.jpg'.", KOREAN).startswith("얼굴 7")
    assert wording.translated("Choose Photos", "de_DE") == "Choose Photos"
    assert (
        wording.translated("The disk is full. Free some space.", KOREAN) == "디스크가 가득 찼습니다. 공간을 비우세요."
    )


def test_an_error_that_nobody_has_translated_says_what_its_code_means() -> None:
    assert wording.of_code("NO_FACE", "Something new.", KOREAN) == "얼굴을 찾지 못했습니다. (Something new.)"
    assert wording.of_code("NO_FACE", "Something new.", "en_US") == "Something new."
    source = (PACKAGE.parent / "inference_core" / "errors.py").read_text(encoding="utf-8")
    assert set(re.findall(r'code(?:: ClassVar\[str\])? = "([A-Z_]+)"', source)) == set(ko.CODES)
