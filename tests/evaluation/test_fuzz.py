"""The fuzz itself in small numbers, and that it sees a reader that breaks, ends its process or hangs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from inference_core.errors import BadInput
from inference_core.evaluation import fuzz
from inference_core.evaluation.fuzz import Kind, Outcome, kinds, mutated, mutated_inside, try_kind


def test_every_kind_in_small_numbers(tmp_path: Path) -> None:
    for kind in kinds(tmp_path):
        if kind.name.startswith("head"):
            continue  # six megabytes each
        outcome = try_kind(kind, tmp_path, 12, 20261128)
        assert outcome.faults == {} and outcome.answers.total() == 12, kind.name


def broken(path: Path) -> None:
    content = path.read_bytes()
    if min(content, default=0) < ord("A"):
        raise KeyError("a defect")
    if max(content) > ord("A"):
        raise BadInput("It is damaged.", "Copy it again.")


def deadly(path: Path) -> None:
    if path.read_bytes() != b"A" * 64:
        os._exit(3)


def slow(path: Path) -> None:
    if path.read_bytes() != b"A" * 64:
        time.sleep(60)


def answers(read: fuzz.Reader, folder: Path, count: int) -> Outcome:
    return try_kind(Kind("letters", ".txt", b"A" * 64, read), folder, count, 3)


def test_what_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = answers(broken, tmp_path, 60)
    assert set(outcome.answers) <= {"ok", "BAD_INPUT", "FAULT"} and outcome.answers["FAULT"] == len(outcome.faults) > 0
    assert all("KeyError" in what for what in outcome.faults.values())
    outcome = answers(deadly, tmp_path, 4)
    assert outcome.answers.total() == 4 and "ended the process" in outcome.faults.values()
    monkeypatch.setattr(fuzz, "LONGEST", 0.3)
    assert "hung" in next(iter(answers(slow, tmp_path, 2).faults.values()))


def test_the_same_damage_each_time() -> None:
    whole = bytes(range(256)) * 8
    assert mutated(whole, np.random.default_rng(5)) == mutated(whole, np.random.default_rng(5))
    assert len({mutated(whole, np.random.default_rng(seed)) for seed in range(50)}) > 45


def test_an_archive_stays_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "whole.npz", a=np.arange(9), b=np.ones(3))
    whole = (tmp_path / "whole.npz").read_bytes()
    damaged = [mutated_inside(whole, np.random.default_rng(seed)) for seed in range(20)]
    assert all(content[:2] == b"PK" for content in damaged) and len(set(damaged)) > 15
