"""The words of docs/normals.md, and its tables' form."""

from __future__ import annotations

from collections.abc import Sequence

SIGMA_BINS = ((0, 5), (5, 8), (8, 12), (12, 18), (18, 60))
"""Degrees."""
CLASSES = ("face", "eyes", "hair", "occluder")
REAL_COLUMNS = (
    "to the full fit", "prior to the fit", "to the prior", "flip", "flip, one pass", "jitter 5 %", "darker", "JPEG 30"
)  # fmt: skip
HELD_OUT = {
    "fit_degrees": "to the full fit, deg",
    "landmarks_only_degrees": "to a landmark fit, deg",
    "n2fnet_landmarks": "N2FNet's landmarks, %",
    "flicker_degrees": "flicker, deg",
    "shading": "shading R^2",
    "shading_of_fit": "of the fit's normals",
    "painted_degrees": "unseen painted faces, deg",
}


def table(lines: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    rows = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n\n"


HEADING = """# Normals and masks, measured

`python -m inference_core.evaluation.normals.report` writes this file (`--before OLD.onnx` compares two networks;
`--adapted FOLDER` adds adaptations). Degrees, means over pixels. The network has never seen the scan, the photos or
the clips. What it is trained on: [training.md](training.md).
"""

TRUTH = """## Where the normals are known

The Perry-Smith scan (Lee Perry-Smith, Infinite-Realities, CC BY 3.0): a real face with its real skin. *Cycles*: path
traced with colour and normal texture, subsurface scattering, one to three area lights from a spot to a window and a
sky, warm to cold; *rasterised*: our own renderer's shading; *painted faces*: unseen ones, as in training. Found and
cropped as the product does it, which knows no focal length of the scan's pictures. All answers on the same pixels:
where every network says face and the fitted heads reach. The truth is the scan's smooth normals, without pores.

*Landmark-only prior*: the Open Head fitted to Face Mesh's points and nothing else. *Weighed by sigma*: the mean of
network and prior, each with its expected error (the network's own, 11 degrees for the prior). *Prior's form,
network's relief*: the prior, with the network's detail finer than 8 px on it. *Full fit*: the normals of the head
that the product returns.

"""

SIGMA = """Is the uncertainty that the fit weighs normals by to be believed? Mean error of the pixels whose
*predicted* error (sigma) lies between so many degrees:

"""

LIGHTS = """## One face under {count} lights

The scan in one view, rendered by Cycles under lights of different place, size and colour (the picture below): how far
the network's answers to two of them lie apart.

"""

SYNTHETIC = """## Unseen synthetic faces

Of seeds that no training uses, painted by the rasteriser and, with single hairs, by Cycles (`path_traced FILE
--samples`); the error on the visible face, the overlap (IoU) of each class.

"""

REAL = """## Real photos and clips

Nobody knows their true normals. *To the full fit*: the network against the head that the product fits to landmarks
and these same normals; the prior against that fit, and the network against the prior, stand beside it. Then the
change of the answer when the picture changes: mirrored (exactly 0, because the product averages both answers; *one
pass*: without that), cropped 5 % off in place and scale, darkened to 60 %, saved as JPEG of quality 30. Bars: flip
and jitter at most 3. The clips talking_* are LivePortrait's examples, used for tests only.

"""

PRIOR = """## Does a coarse landmark prior help?

Measured without training another network: if the prior knew something that the network does not, the mix of both,
each weighed by its expected error, would be better than either. For the first shipped network (12 degrees on the scan)
it was, by 0.4 degrees; for the present one see the first table, and the rows *with prior* below for what the mix does
to N2FNet and the fit, which has the landmarks anyway. It is not used. A network that takes the prior as an input was
not trained.
"""

DOWNSTREAM = """## What it does to the heads

The whole chain with each network, everything else the same. CD in mm on the face and its regions, rigid without
scale; MNE in rad; NME in per cent of the outer eye corners' distance (as in [benchmarks.md](benchmarks.md)).

"""

DOWNSTREAM_REAL = """Real photos and clips ({count} pictures): the inner landmarks of the result against Face Mesh's,
per cent of the eye distance. N2FNet alone sees normals and mask, no landmark: its landmarks are an independent judge
of the normals.

"""

ADAPTED = """## Adapted to one's own clip

`n2f train extractor --adapt CLIP --out FOLDER`, measured on blocks of the clip that nothing was learned from (every
fifth). Agreement with the fit is agreement with the teacher. Three measures know nothing of it: N2FNet's landmarks,
which come from the normals alone, against Face Mesh's; *flicker*, the change of a point's normal on the head from
one frame to the next, its expression included; and a fit to the landmarks alone, which shares only the person's
shape. *Shading*: how much of the skin's brightness nine spherical harmonics of the normals explain. It is high for
good normals, and higher for normals with light baked in; the fit's own normals, which saw no brightness, tell what
to expect. On unseen painted faces what was forgotten would show.

"""

CLASSES_TEXT = """## Classes

`background, face, eyes, mouth_inside, skin_other, hair, occluder`; *face* is visible facial skin with brows, nose,
lips, lids and beard. N2FNet gets the normals of *face* alone: eyes, the inside of the mouth, hair and whatever covers
the face are 0 in its input (`NormalMap.masked`), as the paper masks them. Pieces under a twentieth of the largest are
dropped; what is called occluder, is smaller than 2 % of the face and lies within it counts as face, for it mostly is
a brow or a fold. The fit compares normals only there, each with its own expected error, and the landmarks look after
eyes and lips.
"""

PICTURES = """## Pictures

Photo, normals, and the normals of the head that was fitted:

![photo, normals, normals of the fitted head](normals_faces.jpg)

One face, one view, three lights (Cycles); the network's normals, and the scan's. Little of the shading turns into
shape (the table above says how much). What hard light does confuse are the classes: sockets and streaks that it leaves
black are taken for something that covers the face.

![three lights, same normals](normals_lights.jpg)

64 training samples, the first of a seed, none left out; the upper half by Cycles, the lower by the rasteriser:

![64 training samples](training_samples.jpg)
"""
