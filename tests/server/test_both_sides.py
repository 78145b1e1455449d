"""Core and extension speak to each other: what one side really writes, the other really reads."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from inference_core.formats.protocol import FRAME_STAGES, PROTOCOL, STAGES, TRACK_STAGES
from inference_core.server import messages as core
from n2f_blender.core_client import messages as extension
from n2f_blender.core_client import requests


def heard(message: core.Reply) -> extension.Message:
    return extension.parse(core.encode(message).encode())


def test_what_is_asked_for_of_photos_arrives() -> None:
    usual = requests.ReconstructOptions()
    chosen = replace(usual, head="flame", face=2, focal_length_px=900.0, fit=False, one_person="agree", look="none")
    for options in (usual, chosen, replace(usual, hair="auto")):
        line = requests.reconstruct_request("7", [Path("/a b/Grüße.jpg")], Path("/out"), options)
        request = core.decode_request(line.decode())
        assert isinstance(request, core.Reconstruct)
        assert (request.id, request.images, request.out) == ("7", ("/a b/Grüße.jpg",), "/out")
        assert {name: getattr(request.options, name) for name in asdict(options)} == asdict(options)


def test_what_is_asked_for_of_a_clip_arrives() -> None:
    usual = requests.TrackOptions()
    chosen = requests.TrackOptions(
        "flame", 1, 3, 90, True, 900.0, 24.0, (Path("/me.npz"),), requests.SmoothingStrengths(0, 0.5, 2, 3), False
    )
    for options in (usual, chosen):
        request = core.decode_request(requests.track_request("8", Path("/a.mp4"), Path("/out"), options).decode())
        assert isinstance(request, core.Track)
        assert (request.id, request.source, request.out) == ("8", "/a.mp4", "/out")
        sent = options.to_json()
        received = asdict(request.options)
        assert {name: received[name] for name in sent} == sent | {"identity": tuple(map(str, options.identity))}


def test_short_requests_arrive() -> None:
    assert core.decode_request(requests.cancel_request("9").decode()) == core.Cancel("9")
    assert core.decode_request(requests.ping_request("9").decode()) == core.Ping("9")
    assert core.decode_request(requests.shutdown_request().decode()) == core.Shutdown()


def test_what_the_core_says_is_understood() -> None:
    head = {"head_id": "open_head", "path": "/h.npz", "sha256": "ab", "license": "CC0-1.0", "commercial_use": True}
    hello = heard(core.Hello(PROTOCOL, "0.1.0", "cpu", {"n2fnet": "cd"}, [head]))
    assert isinstance(hello, extension.Hello)
    assert (hello.protocol, hello.models) == (PROTOCOL, {"n2fnet": "cd"})
    assert hello.heads == (extension.HeadEntry("open_head", Path("/h.npz"), "ab", "CC0-1.0", True),)
    assert heard(core.Progress("1", "fit", 0, 2, 0.25)) == extension.Progress("1", "fit", 0, 2, 0.25, None, None)
    assert heard(core.Error("1", None, "NO_FACE", "None.", "Try.")) == extension.Failure(
        "1", None, "NO_FACE", "None.", "Try."
    )
    assert heard(core.Done("1", 2, 1, False)) == extension.Done("1", 2, 1, False)
    assert heard(core.Pong("1")) == extension.Pong("1")
    facts: dict[str, object] = {"faces_found": 3, "warnings": ["Dark."], "landmark_error": 0.02, "lost": [[4, 6]]}
    result = heard(core.Result("1", "/a.jpg", 0, "/out", "/out/take.npz", {"report": "/out/report.json"}, facts))
    assert isinstance(result, extension.Result)
    assert (result.take, result.files) == (Path("/out/take.npz"), {"report": "/out/report.json"})
    assert (result.facts.faces_found, result.facts.warnings, result.facts.lost) == (3, ("Dark.",), ((4, 6),))


def test_every_stage_has_words_in_the_panel() -> None:
    assert set(extension.STAGE_LABELS) == {*STAGES, *TRACK_STAGES}
    assert set(TRACK_STAGES) >= FRAME_STAGES
