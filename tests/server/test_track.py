"""The request track: results, a prompt cancel that keeps what is done, errors, and a server that goes on afterwards."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from inference_core.formats.json_values import BadRequest
from inference_core.formats.options import Strengths, TrackOptions
from inference_core.formats.replies import Progress, encode_reply
from inference_core.formats.requests import Track, decode_request
from inference_core.take import load_take
from tests.server.conftest import Client
from tests.track.conftest import FRAMES, clip_path, portrait_pixels  # noqa: F401  (fixtures)


def request(clip: Path, out: Path, id: str = "7", **options: object) -> dict[str, object]:
    return {"type": "track", "id": id, "source": str(clip), "out": str(out), "options": options}


def test_the_request_survives_the_wire() -> None:
    options = TrackOptions(
        people=2,
        start=3,
        end=9,
        resume=True,
        fps=23.976,
        focal_length_px=800.5,
        identity=("/größe/take.npz",),
        smoothing=Strengths(pose=0.5, gaze=2.0),
        overlay=False,
        look="photo",
    )
    for message in (Track("7", "/a b/größe.mp4", "/out", options), Track("8", "x", "y")):
        line = encode_reply(message)
        assert line.isascii()
        assert decode_request(line) == message


def test_what_is_left_out_is_the_usual() -> None:
    line = '{"type":"track","id":"1","source":"a","out":"o","options":{"smoothing":{"pose":2},"later":1},"more":[]}'
    assert decode_request(line) == Track("1", "a", "o", TrackOptions(smoothing=Strengths(pose=2.0)))


@pytest.mark.parametrize(
    "options",
    [
        '{"people":-1}',
        '{"people":"few"}',
        '{"people":true}',
        '{"start":-1}',
        '{"start":1.5}',
        '{"start":5,"end":5}',
        '{"end":"last"}',
        '{"people":"all","identity":["a.npz"]}',
        '{"resume":"yes"}',
        '{"overlay":1}',
        '{"fps":0}',
        '{"focal_length_px":-3}',
        '{"identity":"a.npz"}',
        '{"identity":[1]}',
        '{"smoothing":1}',
        '{"smoothing":{"pose":"much"}}',
        '{"smoothing":{"pose":-1}}',
        '{"smoothing":{"pose":NaN}}',
        '{"head":"../zebra"}',
        "7",
    ],
)
def test_nonsense_is_explained(options: str) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_request(f'{{"type":"track","id":"1","source":"a","out":"o","options":{options}}}')
    assert caught.value.remedy


@pytest.mark.parametrize("line", ['{"type":"track","id":"1","out":"o"}', '{"type":"track","id":"1","source":"a"}'])
def test_what_must_be_there(line: str) -> None:
    with pytest.raises(BadRequest):
        decode_request(line)


def test_progress_leaves_out_what_is_not_known() -> None:
    assert json.loads(encode_reply(Progress("1", "follow", 0, 9, 0.0))).keys() == {
        "type",
        "id",
        "stage",
        "done",
        "total",
        "fraction",
    }
    told = json.loads(encode_reply(Progress("1", "follow", 0, 9, 0.0, 30.5, 1.25)))
    assert (told["frames_per_second"], told["seconds_left"]) == (30.5, 1.25)


def test_a_clip_becomes_a_take_and_photos_follow_on_the_same_models(
    client: Client,
    clip_path: Path,  # noqa: F811
    portrait: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "aus gabe"
    client.send(request(clip_path, out, end=8))
    messages = client.until("done")
    assert messages[-1] == {"type": "done", "id": "7", "finished": 1, "failed": 0, "cancelled": False}
    (result,) = [message for message in messages if message["type"] == "result"]
    assert (result["image"], result["face"], result["folder"]) == (str(clip_path), 0, str(out))
    assert load_take(Path(str(result["take"]))).frame_count == 8
    files, facts = result["files"], result["facts"]
    assert isinstance(files, dict)
    assert isinstance(facts, dict)
    assert set(files) == {"take", "raw", "overlay", "report", "albedo", "roughness", "pores", "look"}
    assert all(Path(path).stat().st_size > 0 for path in files.values())
    assert facts["status"] == "done"
    assert (facts["frames"], facts["valid_frames"], facts["cuts"], facts["lost"]) == (8, 8, [], [])
    assert facts["frames_per_second"] > 0
    told = [message for message in messages if message["type"] == "progress"]
    fractions = [message["fraction"] for message in told]
    assert fractions == sorted(fractions)  # type: ignore[type-var]
    assert {message["stage"] for message in told} == {"follow", "identity", "perform", "smooth", "look", "overlay"}

    client.send(
        {
            "type": "reconstruct",
            "id": "8",
            "images": [str(portrait)],
            "out": str(tmp_path / "photo"),
            "options": {"look": "none"},
        }
    )
    assert client.until("done")[-1]["finished"] == 1
    assert client.stderr().count("models loaded") == 1


def test_cancel_is_prompt_and_resume_goes_on(
    client: Client,
    clip_path: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    client.send(request(clip_path, tmp_path / "out", overlay=False))
    while True:
        message = client.receive()
        assert message is not None
        assert message["type"] == "progress", message
        if message["stage"] == "perform" and int(str(message["done"])) >= 2:
            break
    client.send({"type": "cancel", "id": "7"})
    asked = time.perf_counter()
    messages = client.until("done")
    # 0.2 s, and what writing a take costs; the rest is for machines with other work.
    assert time.perf_counter() - asked < 3
    assert messages[-1] == {"type": "done", "id": "7", "finished": 1, "failed": 0, "cancelled": True}
    take = load_take(tmp_path / "out" / "take.npz")
    assert 2 <= take.frame_count < FRAMES

    client.send(request(clip_path, tmp_path / "out", id="9", overlay=False, resume=True))
    messages = client.until("done")
    assert messages[-1]["cancelled"] is False
    first = next(m for m in messages if m["type"] == "progress" and m["stage"] == "perform")
    assert first["done"] == take.frame_count
    assert load_take(tmp_path / "out" / "take.npz").frame_count == FRAMES


def test_errors_are_answered_and_survived(client: Client, portrait: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    client.send(request(tmp_path / "text.mp4", tmp_path / "out"))
    messages = client.until("done")
    (error,) = [message for message in messages if message["type"] == "error"]
    assert (error["id"], error["image"], error["code"]) == ("7", str(tmp_path / "text.mp4"), "BAD_INPUT")
    assert messages[-1] == {"type": "done", "id": "7", "finished": 0, "failed": 1, "cancelled": False}
    assert not (tmp_path / "out").exists()
    client.send({"type": "ping", "id": "p"})
    assert client.until("pong")[-1]["id"] == "p"
    assert portrait.exists()
