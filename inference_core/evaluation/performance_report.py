"""Writes docs/performance.md out of what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inference_core.evaluation.performance_clips import ClipMeasures
from inference_core.evaluation.performance_known import FOCAL_FRAMES, DetectorMeasures, FocalMeasures
from inference_core.evaluation.performance_truth import FRAMES, TruthMeasures
from inference_core.track.actors import FOCAL_OVER_SIDE

HEADING = """# Performances, measured

`python -m inference_core.evaluation.performance CLIP...` writes this file, all of it.

"""
TRUTH = f"""## A painted performance, tracked back

{FRAMES} frames of an Open Head that speaks (visemes at five a second, closures of the lips, a pause), blinks, looks
about and turns by 25 degrees either way, painted by the normals network's own painter at 256 px with one skin, light
and background throughout, and tracked with the true focal length. Mean absolute errors. The mesh is the face, aligned
rigidly in each frame; the shift is that of the face's middle across the view, the depth along it, which trades with
the head's size. A lag above 0 means late; that of the pose is measured on its values, the others on their changes from
frame to frame: an error that comes and goes with the turning head flattens the correlation of the values,
and a flat peak has no place.

*exact points*: the same pictures, crops, normals and fit, with every one of Face Mesh's points where it truly is. What
is left in these rows is not the detector's. Looks without beard, glasses and things before the face were chosen by eye,
not by result.

"""
DETECTOR = """
### The detector on painted faces

MediaPipe's Face Mesh in its video mode against the points of the painted head, before any fit: error over the distance
between the eyes, correlation of the mouth's opening, and of where the irises stand between the corners of their eyes;
the gain is how far they are seen to move of how far they do.

"""
FOCAL = f"""
## The focal length of a clip

Nobody tells it: the tracker begins with {FOCAL_OVER_SIDE:.1f} of the longer side and frees it when it estimates the
identity, with a spread of a quarter. {FOCAL_FRAMES} painted frames through lenses that are known; focal lengths over
the side, errors of the neutral face in mm after rigid alignment, with the usual focal length, the freed one and the
true one.

"""
CLIPS = """
## Real clips, against MediaPipe

MediaPipe's Face Mesh in its video mode on the whole frame. Correlations of the openings of mouth and eyes; landmark
error over the distance between the eyes; jitter (mean second difference over the quietest frames) of the pose and of
the corners of the mouth over MediaPipe's own, whose pose is that of the person's neutral head by PnP. Quiet are the
30 % of the frames about which values end nearest to where they were half a second before; *still* are the 30 % about
which MediaPipe's keep within the least room, the same frames for both. A blink is an eye that opens half of its
usual; lips are shut where their inner points meet, the head's where they lie as near as on its shut lips at rest.
*raw*: before smoothing. *repeated*: frames that show the picture before them again; their stutter counts as jitter, of
both. The smoothing's constants were chosen while looking at these clips, so for them these are no blind figures.

"""


@dataclass(frozen=True)
class Painted:
    """One painted performance: measures of its takes by kind, and of the detector."""

    name: str
    takes: Mapping[str, TruthMeasures]
    detector: DetectorMeasures


@dataclass(frozen=True)
class Clip:
    """One real clip: measures of its takes by kind, and the share of repeated frames."""

    name: str
    takes: Mapping[str, ClipMeasures]
    repeated: float


def write_report(painted: Sequence[Painted], focals: Sequence[tuple[int, FocalMeasures]], clips: Sequence[Clip]) -> str:
    """The whole file. `focals` come with the looks they were painted with."""
    text = HEADING + TRUTH + _truth_table(painted) + DETECTOR + _detector_table(painted)
    text += FOCAL + _focal_table(focals)
    return text + CLIPS + _clip_table(clips) if clips else text


def _truth_table(painted: Sequence[Painted]) -> str:
    groups = ("pose", "mouth", "lids", "gaze")
    head = ["", "valid", "mesh mm", "pose deg", "shift mm", "depth mm", "jaw deg", "expression", "lids", "gaze deg"]
    lines = [[*head, *(f"lag {name}" for name in groups), *(f"r {name}" for name in groups)]]
    for one in painted:
        for kind, found in one.takes.items():
            values = [found.mesh_mm, found.pose_degrees, found.shift_mm, found.depth_mm, found.jaw_degrees]
            values += [found.expression, found.lids, found.gaze_degrees]
            lags = [f"{found.lags[group]:+.2f}" for group in groups]
            together = [f"{found.correlations[group]:.3f}" for group in groups]
            name = f"{one.name}, {kind}"
            lines.append([name, f"{found.valid} of {FRAMES}", *(f"{value:.2f}" for value in values), *lags, *together])
    return _table(lines)


def _detector_table(painted: Sequence[Painted]) -> str:
    lines = [["", "landmarks %", "mouth r", "iris r", "iris gain", "iris lag"]]
    for one in painted:
        seen = one.detector
        values = [f"{100 * seen.landmark_error:.1f}", f"{seen.mouth:.3f}", f"{seen.iris:.3f}"]
        lines.append([one.name, *values, f"{seen.iris_gain:.2f}", f"{seen.iris_lag:+.2f}"])
    return _table(lines)


def _focal_table(focals: Sequence[tuple[int, FocalMeasures]]) -> str:
    lines = [["", "true", "usual", "freed", "mm, usual", "mm, freed", "mm, true"]]
    for looks, found in focals:
        values = [found.known, FOCAL_OVER_SIDE, found.freed, found.usual_mm, found.freed_mm, found.known_mm]
        lines.append([f"looks {looks}", *(f"{value:.2f}" for value in values)])
    return _table(lines)


def _clip_table(clips: Sequence[Clip]) -> str:
    head = ["", "valid", "mouth r", "right eye r", "left eye r", "landmarks %", "pose jitter", "corner jitter"]
    lines = [[*head, "pose, still", "corners, still", "blinks kept", "closures kept", "repeated %"]]
    for clip in clips:
        for kind, found in clip.takes.items():
            jitters = (found.pose_jitter, found.corner_jitter, found.still_pose, found.still_corners)
            lines.append(
                [
                    f"{clip.name}, {kind}",
                    f"{found.valid} of {found.frames}",
                    *(f"{value:.3f}" for value in (found.mouth, found.right_eye, found.left_eye)),
                    f"{100 * found.landmark_error:.2f}",
                    *(f"{value:.2f}" for value in jitters),
                    f"{found.blinks_kept} of {found.blinks}",
                    f"{found.closures_kept} of {found.closures}",
                    f"{100 * clip.repeated:.0f}",
                ]
            )
    return _table(lines)


def _table(lines: Sequence[Sequence[str]]) -> str:
    rows = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"
