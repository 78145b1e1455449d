# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sentence in another language, values and all. No bpy.

Blender translates words that it finds as they stand in its dictionary. "The core has said nothing for 31 seconds." is
not there; its template is: "The core has said nothing for {} seconds.", whichever side made the sentence.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from . import ko

LANGUAGES: Mapping[str, Mapping[str, str]] = {"ko_KR": ko.WORDS}
"""Blender's name of a language -> English words or template -> its words."""
CODES: Mapping[str, Mapping[str, str]] = {"ko_KR": ko.CODES}
"""The same -> code of an error of the core -> what it means, for sentences that nobody has translated."""

_HOLE = re.compile(r"\{(\d*)\}")


def translated(text: str, language: str) -> str:
    """The text in this language, as Blender names it ("ko_KR"); as it is where nobody has translated it."""
    words = LANGUAGES.get(language)
    if words is None:
        return text
    if text in words:
        return words[text]
    for template, pattern in _templates(language):
        match = pattern.fullmatch(text)
        if match is not None:
            return _filled(words[template], [translated(value, language) for value in match.groups()])
    sentences = re.split(r"(?<=\.) ", text)
    if len(sentences) > 1:
        return " ".join(translated(sentence, language) for sentence in sentences)
    return text


def of_code(code: str, sentence: str, language: str) -> str:
    """An error's sentence; where it has no translation, what its code means, and the English sentence behind it."""
    told = translated(sentence, language)
    meaning = CODES.get(language, {}).get(code)
    return f"{meaning} ({sentence})" if told == sentence and meaning is not None else told


@functools.cache
def _templates(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Those with values, the longest first: what says most is meant."""
    found = [template for template in LANGUAGES[language] if "{}" in template]
    found.sort(key=lambda template: -len(template.replace("{}", "")))
    return tuple((template, re.compile(re.escape(template).replace(r"\{\}", "(.*?)"), re.DOTALL)) for template in found)


def _filled(template: str, values: list[str]) -> str:
    """{} takes the values in turn, {1} the second."""
    rest = iter(values)
    return _HOLE.sub(lambda hole: values[int(hole[1])] if hole[1] else next(rest), template)
