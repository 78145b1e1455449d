"""The scripts that a maintainer runs: mutants are real changes of the code, a release has one version."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scripts import mutate

SOURCE = """
def f(a: int, b: float = 2.0) -> int | None:
    if a < 3 and b >= 0.5:  # 7 < 8
        return a + b * 4
    raise ValueError(f"{a + 1} is < 3")
"""


def changed(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "f.py"
    path.write_text(SOURCE, encoding="utf-8")
    found = mutate.mutants(path, "f.py")
    return {str(mutant): SOURCE[: mutant.start] + mutant.new + SOURCE[mutant.end :] for mutant in found}


def test_every_operator_and_number_has_a_mutant_but_types_and_messages(tmp_path: Path) -> None:
    assert sorted(changed(tmp_path)) == sorted(
        [
            "f.py:2+26: 2.0 -> 3.0",
            "f.py:3+57: 3 -> 4",
            "f.py:3+68: 0.5 -> 0.75",
            "f.py:3+55: < -> >=",
            "f.py:3+65: >= -> <",
            "f.py:3+59: and -> or",
            "f.py:4+99: + -> -",
            "f.py:4+103: * -> /",
            "f.py:4+105: 4 -> 5",
        ]
    )


def test_a_mutant_differs_and_can_be_compiled(tmp_path: Path) -> None:
    before = ast.dump(ast.parse(SOURCE))
    assert all(ast.dump(ast.parse(text)) != before for text in changed(tmp_path).values())


@pytest.mark.parametrize("room", mutate.ROOMS)
def test_the_rooms_are_there(room: str) -> None:
    folder, tests = mutate.ROOMS[room]
    assert all((mutate.ROOT / name).is_dir() for name in (folder, *tests))
