# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""What a function raises stands in its docstring as a section that tools read, and names classes that exist."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inference_core.formats.npz import FAULTS

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("inference_core", "n2f_blender", "scripts", "addon_manifest")
RUNNING = ("inference_core", "n2f_blender")
ENTRY = re.compile(r"    (?P<name>[A-Za-z_][\w.]*): \S.*")
ENDS = {"SystemExit", "KeyboardInterrupt", "Exit", "NotImplementedError"}  # an exit status, an abstract method
ELSEWHERE = {"BadZipFile", "CalledProcessError", "FFmpegError", "FAULTS"}  # the last is npz's tuple of them
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Described:
    """A function or class, its docstring, and the docstring of the class around it."""

    path: Path
    name: str
    node: Function | ast.ClassDef
    text: str
    around: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.node.lineno} {self.name}"

    @property
    def is_public(self) -> bool:
        return not any(part.startswith("_") and part != "__init__" for part in self.name.split("."))

    @property
    def is_command(self) -> bool:
        """Whether its docstring is a help text: typer's."""
        decorators = [ast.unparse(decorator) for decorator in self.node.decorator_list]
        return self.name == "main" or any(".command(" in decorator for decorator in decorators)


def _described(path: Path, tree: ast.AST, outer: str = "", around: str = "") -> Iterator[Described]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            name, text = f"{outer}{node.name}", ast.get_docstring(node) or ""
            yield Described(path, name, node, text, around)
            yield from _described(path, node, f"{name}.", text if isinstance(node, ast.ClassDef) else "")
        elif not isinstance(node, ast.expr):
            yield from _described(path, node, outer, around)


def _sources(parts: tuple[str, ...]) -> list[Path]:
    # n2f_blender/formats is a link to the core's.
    return [
        path for part in parts for path in sorted((ROOT / part).rglob("*.py")) if "n2f_blender/formats" not in str(path)
    ]


@pytest.fixture(scope="module")
def described() -> list[Described]:
    texts = {path: path.read_text(encoding="utf-8") for path in _sources(PARTS)}
    telling = {path: text for path, text in texts.items() if re.search(r"[Rr]aise|(Error|Exception)\)", text)}
    return [each for path, text in telling.items() for each in _described(path, ast.parse(text))]


def _section(text: str) -> list[str] | None:
    """The lines below 'Raises:', as far as the section goes."""
    _, found, tail = text.partition("Raises:\n")
    return tail.split("\n\n")[0].splitlines() if found else None


def _named(text: str) -> set[str]:
    entries = (ENTRY.fullmatch(line) for line in _section(text) or ())
    return {entry["name"].rpartition(".")[2] for entry in entries if entry}


def _raised(function: ast.AST) -> Iterator[str]:
    """Classes that a function's own body raises and does not catch itself."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, Function | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            yield node.exc.func.id
        elif isinstance(node, ast.Try):
            yield from (name for part in (*node.handlers, *node.orelse, *node.finalbody) for name in _raised(part))
            if not node.handlers:
                yield from (name for part in node.body for name in _raised(part))
        else:
            yield from _raised(node)


def _missing(each: Described) -> set[str]:
    classes = {name for name in _raised(each.node) if name[0].isupper()} - ENDS
    told = _named(each.text) | (_named(each.around) if each.name.endswith(".__init__") else set())
    if "FAULTS" in told:
        told |= {fault.__name__ for fault in FAULTS}
    return {name for name in classes if name not in told and not told & BASES.get(name, set())}


BASES: dict[str, set[str]] = {}
"""Of each exception of ours, the classes that it is one of."""


@pytest.fixture(scope="module", autouse=True)
def bases(described: list[Described]) -> None:
    direct = {
        each.node.name: {base.id for base in each.node.bases if isinstance(base, ast.Name)}
        for each in described
        if isinstance(each.node, ast.ClassDef)
    }
    for name in direct:
        above, new = set[str](), set(direct[name])
        while new:
            above |= new
            new = {base for known in new for base in direct.get(known, ())} - above
        BASES[name] = above


def test_no_sentence_says_what_a_section_should(described: list[Described]) -> None:
    sentence = re.compile(r"\b[Rr]aises [A-Z]\w+")
    assert [str(each) for each in described if sentence.search(each.text)] == []


def test_sections_are_lists_of_classes_with_words(described: list[Described]) -> None:
    known = set(dir(builtins)) | set(BASES) | ELSEWHERE
    wrong: list[str] = []
    for each in described:
        lines = _section(each.text)
        if lines is None:
            continue
        entries = [line for line in lines if not line.startswith(" " * 8)]
        strange = _named(each.text) - known
        if not entries or not all(map(ENTRY.fullmatch, entries)) or not lines[-1].endswith(".") or strange:
            wrong.append(f"{each}: {sorted(strange) or lines}")
    assert wrong == []


def test_public_functions_say_what_they_raise(described: list[Described]) -> None:
    running = tuple(f"{ROOT / part}/" for part in RUNNING)
    public = [each for each in described if each.is_public and each.text and str(each.path).startswith(running)]
    functions = [each for each in public if isinstance(each.node, Function) and not each.is_command]
    silent = {str(each): sorted(_missing(each)) for each in functions if _missing(each)}
    assert silent == {}


def test_the_checks_see_what_they_should() -> None:
    source = '''
def silent():
    """Nothing."""
    if now:
        raise ValueError("x")

def caught():
    """Nothing."""
    try:
        raise ValueError("x")
    except ValueError:
        return

def told():
    """Much.

    Raises:
        ValueError: always.
    """
    raise ValueError("x")
'''
    found = {each.name: _missing(each) for each in _described(ROOT / "x.py", ast.parse(source))}
    assert found == {"silent": {"ValueError"}, "caught": set(), "told": set()}
