"""The protocol's messages: written as documented, read strictly where it matters and leniently where it does not."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from inference_core.errors import NoFace
from inference_core.formats.json_values import BadRequest
from inference_core.formats.options import ReconstructOptions, TrackOptions
from inference_core.formats.replies import Done, HeadEntry, Hello, Pong, Progress, Reply, Result, encode_reply
from inference_core.formats.requests import (
    Cancel,
    Ping,
    Reconstruct,
    Request,
    Shutdown,
    Track,
    decode_request,
    encode_request,
)
from inference_core.server.failures import failure_of


@pytest.mark.parametrize(
    "message",
    [
        Ping("a"),
        Cancel("b"),
        Shutdown(),
        Reconstruct(
            "7",
            ("/a b/größe.jpg", "c.png"),
            "/out",
            ReconstructOptions(face=2, focal_length_px=800.5, fit=False, one_person="agree"),
        ),
        Reconstruct("8", ("x",), "y"),
    ],
)
def test_requests_survive_the_wire(message: Request) -> None:
    line = encode_request(message)
    assert "\n" not in line
    assert line.isascii()
    assert decode_request(line) == message


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (Pong("1"), {"type": "pong", "id": "1"}),
        (
            Progress("1", "fit", 0, 2, 0.25),
            {"type": "progress", "id": "1", "stage": "fit", "done": 0, "total": 2, "fraction": 0.25},
        ),
        (
            Result("1", "a.jpg", 0, Path("/o"), Path("/o/take.npz"), {"overlay": "/o/overlay.png"}, {"faces_found": 1}),
            {
                "type": "result",
                "id": "1",
                "image": "a.jpg",
                "face": 0,
                "folder": "/o",
                "take": "/o/take.npz",
                "files": {"overlay": "/o/overlay.png"},
                "facts": {"faces_found": 1},
            },
        ),
        (
            failure_of(NoFace("None.", "Look."), "1", "a.jpg"),
            {"type": "error", "id": "1", "image": "a.jpg", "code": "NO_FACE", "sentence": "None.", "remedy": "Look."},
        ),
        (
            Done("1", 1, 2, cancelled=True),
            {"type": "done", "id": "1", "finished": 1, "failed": 2, "cancelled": True},
        ),
        (
            Hello(1, "0.1.0", "cpu", {"normals": "ab"}, (HeadEntry("egg", Path("/h.npz"), "cd", "CC0-1.0", True),)),
            {
                "type": "hello",
                "protocol": 1,
                "software_version": "0.1.0",
                "device": "cpu",
                "models": {"normals": "ab"},
                "heads": [
                    {
                        "head_id": "egg",
                        "path": "/h.npz",
                        "sha256": "cd",
                        "license": "CC0-1.0",
                        "commercial_use": True,
                    }
                ],
            },
        ),
    ],
)
def test_replies_are_as_documented(message: Reply, wire: dict[str, object]) -> None:
    assert json.loads(encode_reply(message)) == wire


def test_defaults_and_unknown_keys() -> None:
    line = '{"type":"reconstruct","id":"1","images":["a"],"out":"o","options":{"face":"all","later":1},"more":[]}'
    assert decode_request(line) == Reconstruct("1", ("a",), "o", ReconstructOptions(face="all"))


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        "{}",
        '{"type":"dance","id":"1"}',
        '{"type":"ping"}',
        '{"type":"ping","id":1}',
        '{"type":"reconstruct","id":"1","images":[],"out":"o"}',
        '{"type":"reconstruct","id":"1","images":"a.jpg","out":"o"}',
        '{"type":"reconstruct","id":"1","images":["a"]}',
        '{"type":"reconstruct","id":"1","images":["a"],"out":"o","options":{"head":"../zebra"}}',
        '{"type":"reconstruct","id":"1","images":["a"],"out":"o","options":{"face":-1}}',
        '{"type":"reconstruct","id":"1","images":["a"],"out":"o","options":{"face":true}}',
        '{"type":"reconstruct","id":"1","images":["a"],"out":"o","options":{"face":"smallest"}}',
        '{"type":"reconstruct","id":"1","images":["a"],"out":"o","options":{"focal_length_px":"long"}}',
        '{"type":"reconstruct","id":"1","images":["a"],"out":"o","options":{"focal_length_px":-3}}',
        '{"type":"reconstruct","id":"1","images":["a"],"out":"o","options":{"focal_length_px":NaN}}',
        '{"type":"reconstruct","id":"1","images":["a"],"out":"o","options":{"fit":"no"}}',
        '{"type":"reconstruct","id":"1","images":["a"],"out":"o","options":7}',
        "[" * 100_000,
        '{"a":' * 50_000,
        f'{{"type":"reconstruct","id":"1","images":["a"],"out":"o","options":{{"focal_length_px":1{"0" * 400}}}}}',
        f'{{"type":"track","id":"1","source":"a","out":"o","options":{{"fps":1{"0" * 400}}}}}',
        f'{{"type":"track","id":"1","source":"a","out":"o","options":{{"start":1{"0" * 30}}}}}',
        '{"type":"track","id":"1","source":"a\\u0000b","out":"o"}',
        '{"type":"reconstruct","id":"1","images":["a"],"out":"\\ud800"}',
        f'{{"type":"track","id":"1","source":"{"a" * 40_000}","out":"o"}}',
    ],
)
def test_nonsense_is_explained(line: str) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_request(line)
    assert caught.value.remedy


ODD: list[object] = [
    *(None, True, False, 0, -1, 2**31, 2**63, 10**30, 1.5, 1e308, -1e308, float("nan"), float("inf")),
    *("", "a", "1", "all", "../..", "\0", "\u2028", "\ud800", "x" * 40_000, "/x.jpg", [], {}, [[]], [None], {"a": 1}),
]
PHOTOS: dict[str, object] = {"type": "reconstruct", "id": "a", "images": ["/x.jpg"], "out": "/o", "options": {}}
CLIP: dict[str, object] = {"type": "track", "id": "a", "source": "/x.mp4", "out": "/o", "options": {}}
SMOOTHED = ("pose", "mouth", "lids", "gaze")


@pytest.mark.parametrize("odd", ODD, ids=lambda value: f"{type(value).__name__} {value!r:.12}")
def test_no_value_in_any_place_is_a_defect(odd: object) -> None:
    """A request, or BadRequest: never another error, and what is let through lies within bounds."""
    requests = [{**request, key: odd} for request in (PHOTOS, CLIP) for key in request]
    requests += [{**PHOTOS, "options": {item.name: odd}} for item in fields(ReconstructOptions)]
    requests += [{**CLIP, "options": {item.name: odd}} for item in fields(TrackOptions)]
    requests += [{**CLIP, "options": {"smoothing": {group: odd}}} for group in SMOOTHED]
    for request in requests:
        try:
            found = decode_request(json.dumps(request))
        except BadRequest as error:
            assert error.sentence and error.remedy
            continue
        if isinstance(found, Track):
            assert all(0 <= getattr(found.options.smoothing, group) <= 100 for group in SMOOTHED)
            assert found.options.start is None or found.options.start < 1 << 32
