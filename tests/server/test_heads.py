"""Heads by name over the protocol: announced, used, changed between jobs, found while the server runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference_core.library.adding import add_head, remove_head
from inference_core.take import load_take
from tests.other_head import HEAD_ID
from tests.server.conftest import Client


def request(photo: Path, out: Path, head: str, id: str) -> dict[str, object]:
    options = {"head": head, "look": "none", "hair": "none"}
    return {"type": "reconstruct", "id": id, "images": [str(photo)], "out": str(out), "options": options}


def test_a_head_by_its_name(
    portrait: Path, other_head_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N2F_DATA", str(tmp_path / "data"))
    client = Client(tmp_path)
    try:
        (hello,) = client.until("hello")
        assert [head["head_id"] for head in hello["heads"]] == ["open_head"]  # type: ignore[union-attr]
        client.send(request(portrait, tmp_path / "none", HEAD_ID, "1"))
        *_, error, done = client.until("done")
        assert (error["code"], error["image"]) == ("BAD_INPUT", None)
        assert f"There is no head '{HEAD_ID}'" in str(error["sentence"])
        assert (done["finished"], done["failed"]) == (0, 1)

        asset = add_head(other_head_path)  # by somebody else, while the server runs
        for id, head in (("2", HEAD_ID), ("3", "open_head"), ("4", HEAD_ID)):
            client.send(request(portrait, tmp_path / id, head, id))
            assert client.until("done")[-1]["finished"] == 1
            meta = load_take(tmp_path / id / "take.npz").meta
            assert meta.head_id == head
            assert (meta.head_sha256 == asset.sha256) == (head == HEAD_ID)
        remove_head(HEAD_ID)
        client.send(request(portrait, tmp_path / "gone", HEAD_ID, "5"))
        assert client.until("done")[-1]["failed"] == 1
    finally:
        client.close()

    add_head(other_head_path)
    again = Client(tmp_path)
    try:
        heads = again.until("hello")[0]["heads"]
    finally:
        again.close()
    assert isinstance(heads, list)
    assert [(head["head_id"], head["commercial_use"]) for head in heads] == [("open_head", True), (HEAD_ID, False)]
