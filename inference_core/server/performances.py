"""The events of a clip's job as messages: what the server sends and `n2f track --json` prints."""

from __future__ import annotations

from inference_core.formats.replies import Failure, Progress, Result
from inference_core.server.failures import failure_of
from inference_core.track import job


def message_of(event: job.Event, id: str) -> Progress | Result | Failure:
    """One event, one message."""
    match event:
        case job.PersonDone(source, person, folder, files, facts):
            return Result(id, source, person, folder, files.take, files.as_dict(), facts)
        case job.ClipFailed(source, error):
            return failure_of(error, id, source)
        case job.Progress(stage, done, total, fraction, pace, left):
            return Progress(
                id,
                stage,
                done,
                total,
                round(fraction, 4),
                None if pace is None else round(pace, 1),
                None if left is None else round(left, 1),
            )
