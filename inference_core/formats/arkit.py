# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""ARKit's 52 names, and how characters spell them.

A character's shape keys carry these names in many dresses: `EyeBlink_L`, `ARKit_eyeBlinkLeft`,
`blendShape1.eye_blink.l`, `Face.Left_EyeBlink`. A name is cut into words, ends that say nothing (numbers, "mesh",
"shape") are dropped, and the longest rest that spells one of the 52 counts; what stands before it is taken for a
prefix, unless it is an ARKit name itself: `jawOpen_mouthClose` is a combination shape, not mouthClose.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Mapping

# In the order of the columns that the app Live Link Face writes (its JawRight stands before JawLeft, unlike Apple's).
NAMES = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight",
    "eyeWideRight",
    "jawForward", "jawRight", "jawLeft", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip
_SWAPPED = {"jawRight": "jawLeft", "jawLeft": "jawRight", "mouthRight": "mouthLeft", "mouthLeft": "mouthRight"}
APPLE_NAMES = tuple(_SWAPPED.get(name, name) for name in NAMES)  # the order of ARFaceAnchor.BlendShapeLocation
COLUMN: Mapping[str, int] = {name: index for index, name in enumerate(NAMES)}

JAW_OPEN, JAW_SIDE = 0.4455, 0.094  # rad: how far the Open Head's jaw goes at jawOpen and jawLeft 1, as scanned
JAW_NAMES = ("jawOpen", "jawLeft", "jawRight")  # what a jaw bone does
GAZE_NAMES = tuple(name for name in NAMES if name.startswith("eyeLook"))  # what eye bones do
LOOK_UP, LOOK_FAR = math.radians(25.0), math.radians(30.0)  # rad: eyeLookUp at 1, and down, in, out
TURNS: Mapping[str, tuple[int, tuple[float, float, float]]] = {
    "jawOpen": (2, (JAW_OPEN, 0.0, 0.0)),
    "jawLeft": (2, (0.0, JAW_SIDE, 0.0)), "jawRight": (2, (0.0, -JAW_SIDE, 0.0)),
    "eyeLookUpLeft": (3, (-LOOK_UP, 0.0, 0.0)), "eyeLookUpRight": (4, (-LOOK_UP, 0.0, 0.0)),
    "eyeLookDownLeft": (3, (LOOK_FAR, 0.0, 0.0)), "eyeLookDownRight": (4, (LOOK_FAR, 0.0, 0.0)),
    "eyeLookInLeft": (3, (0.0, -LOOK_FAR, 0.0)), "eyeLookInRight": (4, (0.0, LOOK_FAR, 0.0)),
    "eyeLookOutLeft": (3, (0.0, LOOK_FAR, 0.0)), "eyeLookOutRight": (4, (0.0, -LOOK_FAR, 0.0)),
}  # fmt: skip
"""Names that a joint shows: which of the five (2 jaw, 3 and 4 eyes), its rotation vector at 1, rad about head axes."""

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_SIDES = {"l": "Left", "left": "Left", "r": "Right", "right": "Right"}
_EMPTY_ENDS = {"bs", "blendshape", "blend", "shape", "morph", "target", "key", "mesh", "geo", "head"}
_REFUSED_PREFIXES = {"corrective", "correction", "fix", "combo", "not", "no"}


def _stem(name: str) -> str:
    """The name without its side, lower case."""
    return name.removesuffix("Left").removesuffix("Right").lower()


def _spellings() -> dict[str, str]:
    """Spelling without separators, lower case -> name."""
    table: dict[str, str] = {}
    for name in NAMES:
        table[name.lower()] = name
        if name.endswith(("Left", "Right")):
            side = "left" if name.endswith("Left") else "right"
            for word in (side, side[0]):
                table[_stem(name) + word] = name
                table[word + _stem(name)] = name
    return table


_TABLE = _spellings()
_UNSIDED = {name.lower(): name for name in NAMES if not name.endswith(("Left", "Right"))}


def mirrored(name: str) -> str:
    """The same on the other side of the face."""
    for one, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(one):
            return name.removesuffix(one) + other
    return name


@functools.lru_cache(maxsize=4096)
def spelled(key: str) -> tuple[str, int] | None:
    """Which of the 52 a key's name spells, and how much was guessed: 0 for ARKit's own spelling but for its case.

    "browInnerUp_L" and "cheekPuffRight" are halves of what ARKit has as one: they count as the whole, with a higher
    guess.
    """
    if key.lower() in _TABLE:
        return _TABLE[key.lower()], 0
    words = [word.lower() for word in _WORDS.findall(key)]
    while words and (words[-1].isdigit() or words[-1] in _EMPTY_ENDS):
        words.pop()
    for first in range(len(words)):
        rest, before = "".join(words[first:]), words[:first]
        name = _TABLE.get(rest)
        guessed = 1 + first
        if name is None:
            side = next((_SIDES[word] for word in before if word in _SIDES), None)
            name = _TABLE.get(rest + side.lower()) if side else None
            guessed += 10
        if name is None:
            name, guessed = _half(words[first:]), guessed + 20
        if name is not None:
            return None if _is_combination(before) else (name, guessed)
    return None


def _half(words: list[str]) -> str | None:
    """The name of which "browInnerUp_L" or "left_cheekPuff" is one half."""
    if words and words[-1] in _SIDES:
        return _UNSIDED.get("".join(words[:-1]))
    if words and words[0] in _SIDES:
        return _UNSIDED.get("".join(words[1:]))
    return None


def _is_combination(before: list[str]) -> bool:
    """Whether the words before a name say that the key is not that expression alone."""
    if _REFUSED_PREFIXES & set(before):
        return True
    return any(
        "".join(before[first:last]) in _TABLE
        for first in range(len(before))
        for last in range(first + 1, len(before) + 1)
    )


def match(keys: Iterable[str], chosen: Mapping[str, str] | None = None) -> dict[str, tuple[str, ...]]:
    """Name -> the keys that show it, among a mesh's `keys`; names that no key shows are absent.

    chosen: name -> key, as the user set it; it comes before any guess, an empty key means "none". Of several keys that
    spell a name the plainest spelling counts; the two halves of an expression count both.
    """
    there = list(keys)
    found: dict[str, tuple[str, ...]] = {}
    fixed = {name: key for name, key in (chosen or {}).items() if name in COLUMN}
    taken = set(fixed.values())
    guesses: dict[str, list[tuple[int, str]]] = {}
    for key in there:
        guess = None if key in taken else spelled(key)
        if guess is not None and guess[0] not in fixed:
            guesses.setdefault(guess[0], []).append((guess[1], key))
    for name, candidates in guesses.items():
        best = min(candidates)[0]
        alike = [key for guessed, key in candidates if guessed == best]
        halves = best > 20 and len(alike) > 1
        found[name] = tuple(alike) if halves else (alike[0],)
    found.update({name: (key,) for name, key in fixed.items() if key in there})
    return {name: found[name] for name in NAMES if name in found}
