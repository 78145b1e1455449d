# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Values out of a JSON object that somebody else wrote: what is not of its kind is refused in a sentence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

MOST_LETTERS: Final = 32_768
"""Of an id or a path: the longest path that any system has."""


class BadRequest(ValueError):
    """What was asked for cannot be: `sentence` says why, `remedy` what to do about it."""

    def __init__(self, sentence: str, remedy: str) -> None:
        super().__init__(f"{sentence} {remedy}")
        self.sentence = sentence
        self.remedy = remedy


def table(value: object, key: str) -> dict[str, object]:
    """An object, or nothing for None.

    Raises:
        BadRequest: it is anything else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"'{key}' must be an object.", "Leave it out for the usual.")
    return value


def number(values: Mapping[str, object], key: str) -> float | None:
    """A number; None where it is null or left out.

    Raises:
        BadRequest: it is none, or beyond what a float holds.
    """
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"'{key}' must be a number or null.", "Leave it out for the usual.")
    try:
        return float(value)
    except OverflowError as error:
        raise BadRequest(f"'{key}' is too large a number.", "Leave it out for the usual.") from error


def whole(values: Mapping[str, object], key: str, most: int) -> int | None:
    """A whole number; None where it is null or left out.

    Raises:
        BadRequest: it is none, or farther from 0 than `most`.
    """
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest(f"'{key}' must be a whole number or null.", "Leave it out for the whole clip.")
    if abs(value) > most:
        raise BadRequest(f"'{key}' is beyond any clip.", "Leave it out for the whole clip.")
    return value


def truth(values: Mapping[str, object], key: str, usual: bool) -> bool:
    """True or false; `usual` where it is left out.

    Raises:
        BadRequest: it is neither.
    """
    value = values.get(key, usual)
    if not isinstance(value, bool):
        raise BadRequest(f"'{key}' must be true or false.", "Leave it out for the usual.")
    return value


def texts(value: object, key: str, most: int) -> tuple[str, ...]:
    """A list of texts, none of them empty.

    Raises:
        BadRequest: it is none, or longer than `most`.
    """
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise BadRequest(f"'{key}' must be a list of paths.", "Name files, each by its path.")
    if len(value) > most:
        raise BadRequest(f"{len(value)} photos are too many for one request.", f"Send at most {most}.")
    return tuple(value)


def text(values: Mapping[str, object], key: str) -> str:
    """A text that is not empty.

    Raises:
        BadRequest: it is none, or longer than MOST_LETTERS.
    """
    value = values.get(key)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"'{key}' must be a text.", "Compare the request with inference_core/formats/requests.py.")
    if len(value) > MOST_LETTERS:
        raise BadRequest(f"'{key}' is longer than {MOST_LETTERS} letters.", "Send a shorter one.")
    return value


def path(values: Mapping[str, object], key: str) -> str:
    """A text that can be a path on this machine.

    Raises:
        BadRequest: it cannot.
    """
    value = text(values, key)
    try:
        os.fsencode(value)
    except UnicodeEncodeError as error:
        raise BadRequest(f"'{key}' holds letters that no path has.", "Check the path.") from error
    if "\0" in value:
        raise BadRequest(f"'{key}' holds a character that no file name has.", "Check the path.")
    return value
