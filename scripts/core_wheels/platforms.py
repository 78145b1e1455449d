"""The systems and Pythons that the core is installed on, in the words that pip has for them."""

from __future__ import annotations

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Blender 4.2 to 5.0 have 3.11, 5.1 and 5.2 have 3.13; Linux distributions build Blender with their own."""

TAGS = {
    "linux": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64", "manylinux_2_17_x86_64"),
    "windows": ("win_amd64",),
    "macos": tuple(f"macosx_{version}_0_arm64" for version in (15, 14, 13, 12, 11)),
}
"""Name of a system -> the tags that its wheels may have."""


def options(system: str, python: str) -> list[str]:
    """pip's options for another machine than this one.

    Raises:
        KeyError: for a system that is not in TAGS.
    """
    tags = [word for tag in TAGS[system] for word in ("--platform", tag)]
    return ["--only-binary=:all:", "--implementation", "cp", "--python-version", python, *tags]
