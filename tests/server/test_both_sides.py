"""Core and extension speak to each other: what one side really writes, the other really reads.

Both have the same sources, but not the same modules: the extension carries its own copy into Blender.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from inference_core.errors import NoFace
from inference_core.formats import replies as said
from inference_core.formats import requests as heard
from inference_core.formats.json_values import BadRequest
from inference_core.formats.protocol import FRAME_STAGES, PROTOCOL, STAGES, TRACK_STAGES
from inference_core.server.failures import failure_of
from n2f_blender.core_client.job import STAGE_LABELS, Job
from n2f_blender.formats import options as chosen
from n2f_blender.formats import replies as understood
from n2f_blender.formats import requests as asked


def asked_for(options: chosen.ReconstructOptions | chosen.TrackOptions, *inputs: str) -> heard.Request:
    job = Job("7", tuple(map(Path, inputs)), Path("/out"), options)
    return heard.decode_request(asked.encode_request(job.request()))


def answer(reply: said.Reply) -> understood.Reply:
    return understood.decode_reply(said.encode_reply(reply).encode())


def test_what_is_asked_for_of_photos_arrives() -> None:
    usual = chosen.ReconstructOptions()
    other = replace(
        usual, head="flame", face=2, focal_length_px=900.0, fit=False, one_person="agree", look="none", maps=512
    )
    other = replace(other, head_first=True)
    for options in (usual, other, replace(usual, hair="auto"), replace(usual, one_person="yes", hair="bob_left")):
        request = asked_for(options, "/a b/Grüße.jpg")
        assert isinstance(request, heard.Reconstruct)
        assert (request.id, request.images, request.out) == ("7", ("/a b/Grüße.jpg",), "/out")
        assert asdict(request.options) == asdict(options)


def test_what_is_asked_for_of_a_clip_arrives() -> None:
    usual = chosen.TrackOptions()
    other = chosen.TrackOptions(
        "flame", 1, 3, 90, True, 24.0, 900.0, ("/me.npz",), chosen.Strengths(0, 0.5, 2, 3), False, "none"
    )
    for options in (usual, other):
        request = asked_for(options, "/a.mp4")
        assert isinstance(request, heard.Track)
        assert (request.id, request.source, request.out) == ("7", "/a.mp4", "/out")
        assert asdict(request.options) == asdict(options)


def test_short_requests_arrive() -> None:
    assert heard.decode_request(asked.encode_request(asked.Cancel("9"))) == heard.Cancel("9")
    assert heard.decode_request(asked.encode_request(asked.Ping("9"))) == heard.Ping("9")
    assert heard.decode_request(asked.encode_request(asked.Shutdown())) == heard.Shutdown()


def test_the_core_refuses_what_the_extension_could_not_ask_for() -> None:
    line = asked.encode_request(asked.Reconstruct("1", ("/a.jpg",), "/out")).replace('"albedo"', '"pink"')
    with pytest.raises(BadRequest, match="no look 'pink'"):
        heard.decode_request(line)


def test_what_the_core_says_is_understood() -> None:
    head = said.HeadEntry("open_head", Path("/h.npz"), "ab", "CC0-1.0", True)
    files, facts = {"report": "/out/report.json"}, {"faces_found": 3, "warnings": ["Dark."], "lost": [[4, 6]]}
    for reply in (
        said.Hello(PROTOCOL, "0.1.0", "cpu", {"n2fnet": "cd"}, (head,)),
        said.Progress("1", "fit", 0, 2, 0.25),
        said.Progress("1", "perform", 1, 2, 0.5, 30.5, 1.0),
        said.Result("1", "/a.jpg", 0, Path("/out"), Path("/out/take.npz"), files, facts),
        said.Groomed("1", "/a.jpg", 0, Path("/out/take.npz"), {"hair": "/out/hair.json"}, ("A hat.",), 3100.0),
        failure_of(NoFace("None.", "Try."), None),
        failure_of(NoFace("None.", "Try."), "1", "/a.jpg"),
        said.Done("1", 2, 1, False),
        said.Pong("1"),
    ):
        got = answer(reply)
        assert (got.type, asdict(got)) == (reply.type, asdict(reply))


def test_a_result_s_facts_are_read() -> None:
    facts: dict[str, object] = {"faces_found": 3, "warnings": ["Dark."], "landmark_error": 0.02, "lost": [[4, 6]]}
    result = answer(said.Result("1", "/a.jpg", 0, Path("/out"), Path("/out/take.npz"), {}, facts))
    assert isinstance(result, understood.Result)
    summary = result.summary
    assert (summary.faces_found, summary.warnings, summary.lost) == (3, ("Dark.",), ((4, 6),))
    assert (summary.landmark_error, summary.photos, summary.partial) == (0.02, 0, False)


def test_every_stage_has_words_in_the_panel() -> None:
    assert set(STAGE_LABELS) == {*STAGES, *TRACK_STAGES}
    assert set(TRACK_STAGES) >= FRAME_STAGES
