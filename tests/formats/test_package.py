"""What core and extension both know stands once: free of either part, packed or linked, never copied."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.bootstrap_parts.formats_link import FORMATS, LINK

MODULES = sorted(FORMATS.rglob("*.py"))
ALLOWED = sys.stdlib_module_names | {"numpy"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_it_imports_nothing_but_itself_numpy_and_the_standard_library(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# SPDX-FileCopyrightText: 2026 N2F authors\n# SPDX-License-Identifier: Apache-2.0\n")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            within = len(path.relative_to(FORMATS).parts)
            assert 0 < node.level <= within or (node.level == 0 and str(node.module).split(".")[0] in ALLOWED)
        elif isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= ALLOWED


@pytest.mark.parametrize("package", ["inference_core.formats", "n2f_blender.formats"])
def test_it_is_light_under_both_names(package: str) -> None:
    within = [path.relative_to(FORMATS).with_suffix("").parts for path in MODULES if path.stem != "__init__"]
    names = [".".join((package, *parts)) for parts in within]
    code = f"import sys, importlib\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=LINK.parents[1]
    )
    assert not {"scipy", "cv2", "onnxruntime", "PIL", "typer", "bpy"} & set(answer.stdout.split())


def test_the_extension_has_a_link_and_no_copy() -> None:
    assert LINK.resolve() == FORMATS
    tracked = subprocess.run(
        ["git", "ls-files", str(LINK)], capture_output=True, text=True, check=False, cwd=LINK.parent
    )
    assert not tracked.stdout
