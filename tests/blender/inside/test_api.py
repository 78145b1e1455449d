"""Every name of Blender's that the extension writes down is there: types, properties, operators and their options.

Blender's classes are unknown to the type checker and annotations are not run, so a wrong or removed name would wait
for the user who needs it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import bpy

import n2f_blender

SOURCES = Path(n2f_blender.__file__).parent
NEW = {"bpy.types.ActionSlot": (4, 4), "bpy.types.ActionChannelbag": (4, 4)}
"""Since which version; asked for before they are used."""
GONE = {"bpy.types.Sequence": (4, 4)}
"""Renamed there; only an annotation names it."""


def _chain(node: ast.expr) -> str:
    """bpy.types.Object of its tree; '' for what does not begin with bpy."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(["bpy", *reversed(parts)]) if isinstance(node, ast.Name) and node.id == "bpy" else ""


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCES.rglob("*.py")):
        yield path.relative_to(SOURCES).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def _there(name: str) -> bool:
    found: object = bpy
    for part in name.split(".")[1:3]:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def test_names_are_there() -> None:
    named: dict[str, str] = {}
    for file, tree in _trees():
        for node in ast.walk(tree):
            chain = _chain(node) if isinstance(node, ast.Attribute) else ""
            if chain.startswith(("bpy.types.", "bpy.props.", "bpy.app.", "bpy.utils.", "bpy.path.")):
                named[".".join(chain.split(".")[:3])] = file
    assert len(named) > 50, "the sources were not found"
    version = bpy.app.version[:2]
    expected = [name for name in named if version >= NEW.get(name, (0, 0)) and version < GONE.get(name, (99, 0))]
    assert {name: named[name] for name in expected if not _there(name)} == {}


def test_operators_take_the_options_they_are_given() -> None:
    unknown: list[str] = []
    called = 0
    for file, tree in _trees():
        for node in ast.walk(tree):
            chain = _chain(node.func) if isinstance(node, ast.Call) else ""
            if not chain.startswith("bpy.ops.") or chain.count(".") != 3 or not isinstance(node, ast.Call):
                continue
            called += 1
            room, name = chain.split(".")[2:]
            try:
                options = getattr(getattr(bpy.ops, room), name).get_rna_type().properties
            except KeyError:
                unknown.append(f"{file}:{node.lineno}: {chain}")
                continue
            given = {keyword.arg for keyword in node.keywords if keyword.arg}
            unknown += [f"{file}:{node.lineno}: {chain}({option}=)" for option in sorted(given - set(options.keys()))]
    assert called > 3, "no calls were found"
    assert unknown == []
