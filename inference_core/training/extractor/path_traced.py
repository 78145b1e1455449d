"""Painted heads in Cycles instead of in our own kernels: real light transport, subsurface, soft shadows, single hairs.

    python -m inference_core.training.extractor.path_traced runs/traced --config shipped --count 2000

makes a pool of so many samples, or goes on with one; a config's `traced` and `traced_share` mix them into training.
Under two seconds of a core each. The painter's colours are projected from the camera onto the mesh, so that lips, eyes
and freckles come along; the normals are the rasteriser's, the classes what the camera sees. Needs Blender's module bpy.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.errors import CoreError
from inference_core.training.extractor.anatomy import CROWN, LIPS, Anatomy
from inference_core.training.extractor.backdrop import draw_backdrop
from inference_core.training.extractor.config import load_config
from inference_core.training.extractor.cycles_scene import CyclesScene
from inference_core.training.extractor.exposure import expose
from inference_core.training.extractor.lines import draw_folds, draw_liner
from inference_core.training.extractor.looks import (
    HairLook,
    SkinLook,
    bare_skin,
    draw_hair,
    draw_hair_colour,
    draw_skin,
)
from inference_core.training.extractor.pool import Bodies, Pool, make_record
from inference_core.training.extractor.sample import Sample, grown, write_samples
from inference_core.training.extractor.shade import (
    BACKGROUND,
    EYES,
    FACE,
    HAIR,
    MOUTH_INSIDE,
    OCCLUDER,
    SKIN_OTHER,
)
from inference_core.training.extractor.strands import beard_strands, brow_strands, lash_strands, scalp_strands
from inference_core.training.extractor.subject import SIZE, Subject, draw_subject
from inference_core.training.extractor.unlit import Painted, bled, paint
from inference_core.training.extractor.wear import draw_glasses, draw_obstacle, draw_torso

Float32s = NDArray[np.float32]

STREAM = 0xB1
HEAD_AT, HAIR_AT, TORSO_AT, FACIAL_HAIR_AT = range(1, 5)  # what `CyclesScene.render` says is seen at a pixel
OFFSET = 0.01  # m of skin for each unit of where in the noise a person lives
FACE_LEVEL = 0.3  # mean of the face in linear light
ROUGHNESS = {EYES: 0.06, MOUTH_INSIDE: 0.25}


class Studio:
    """Draws samples, one after the other, in the process's one Blender scene."""

    def __init__(self, threads: int = 1) -> None:
        """A scene for pictures of this form.

        Raises:
            ImportError: without bpy.
        """
        self._scene = CyclesScene(SIZE, threads)

    def draw(self, anatomy: Anatomy, rng: np.random.Generator) -> Sample:
        """A sample as `sample.draw_sample` draws it, but with single hairs instead of shells, and without hats."""
        subject = draw_subject(anatomy.head, rng)
        colour = draw_hair_colour(rng)
        skin, hair = draw_skin(anatomy, colour, rng), draw_hair(anatomy, colour, rng)
        painted = paint(anatomy, subject, skin, rng)
        self._scene.clear()
        self._head(anatomy, subject, skin, painted)
        self._hair(anatomy, subject, hair, rng)
        self._facial_hair(anatomy, subject, skin, rng)
        if rng.random() < 0.92:
            sheet = draw_torso(anatomy, subject, rng)
            half = sheet.triangles[: len(sheet.triangles) // 2]
            self._scene.mesh("torso", sheet.points, half, self._scene.plain(rng.uniform(0.01, 0.8, 3), 0.8), TORSO_AT)
        self._scene.light(subject.marks.mean(axis=0), rng)
        linear, index = self._scene.render(subject.intrinsics)
        return _finished(anatomy, subject, skin, painted, linear, _labels(painted.labels, index, linear[..., 3]), rng)

    def _head(self, anatomy: Anatomy, subject: Subject, skin: SkinLook, painted: Painted) -> None:
        material = self._scene.plain(np.ones(3), 0.5)
        nodes, links = material.node_tree.nodes, material.node_tree.links
        shader = nodes["Principled BSDF"]
        seen = painted.labels > 0
        colour = bled(np.clip(painted.colour, 0, 1), seen)
        own = float(np.clip(0.62 - 0.16 * skin.gloss, 0.3, 0.7))
        rough = np.full((SIZE, SIZE), own, np.float32)
        for label, value in ROUGHNESS.items():
            rough[painted.labels == label] = value
        wet = (painted.labels == EYES) | (painted.labels == MOUTH_INSIDE)
        soft = np.where(bled(wet.astype(np.float32)[..., None], seen)[..., 0] > 0.5, 0.0, 0.1)
        data = np.stack([bled(rough[..., None], seen)[..., 0], soft.astype(np.float32), np.zeros_like(rough)], axis=2)
        colours, values = self._scene.image("colour", colour, nodes), self._scene.image("values", data, nodes)
        links.new(colours.outputs["Color"], shader.inputs["Base Color"])
        parts = nodes.new("ShaderNodeSeparateColor")
        links.new(values.outputs["Color"], parts.inputs["Color"])
        links.new(parts.outputs[0], shader.inputs["Roughness"])
        links.new(parts.outputs[1], shader.inputs["Subsurface Weight"])
        shader.inputs["Subsurface Radius"].default_value = (0.0036, 0.0014, 0.0007)  # m
        shader.inputs["Subsurface Scale"].default_value = 1.0
        pores = nodes.new("ShaderNodeTexNoise")
        pores.inputs["Scale"].default_value = 700.0
        bump = nodes.new("ShaderNodeBump")
        bump.inputs["Strength"].default_value = min(1.0, 2 * skin.bump)
        bump.inputs["Distance"].default_value = 0.0003
        links.new(pores.outputs["Fac"], bump.inputs["Height"])
        links.new(bump.outputs["Normal"], shader.inputs["Normal"])
        if skin.wrinkles > 0:
            creases = _creases(material, skin)
            links.new(creases.outputs["Normal"], bump.inputs["Normal"])
        mesh = self._scene.mesh("head", subject.points, anatomy.triangles, material, HEAD_AT)
        # The camera's own picture as texture: where each corner lies in it.
        flat = subject.points[:, :2] / subject.points[:, 2:] * subject.intrinsics[:2] + subject.intrinsics[2:]
        uv = np.stack([flat[:, 0] / SIZE, 1 - flat[:, 1] / SIZE], axis=1)[anatomy.triangles.ravel()]
        mesh.uv_layers.new().data.foreach_set("uv", np.ascontiguousarray(uv, np.float32).ravel())
        rest = np.ascontiguousarray(anatomy.fields[:, :3] + skin.offset * OFFSET, np.float32)
        mesh.attributes.new("rest", "FLOAT_VECTOR", "POINT").data.foreach_set("vector", rest.ravel())
        lined = 0.2 + 0.8 * np.clip((anatomy.fields[:, 1] - anatomy.brow_height + 0.02) / 0.035, 0, 1)
        lined *= anatomy.fields[:, LIPS] < 0.1
        mesh.attributes.new("lined", "FLOAT", "POINT").data.foreach_set("value", lined.astype(np.float32))

    def _hair(self, anatomy: Anatomy, subject: Subject, hair: HairLook, rng: np.random.Generator) -> None:
        """Strands, and below them a thin cap of their colour that closes the gaps between them."""
        strands = scalp_strands(anatomy, subject, hair, rng)
        if strands is None:
            return
        colour = np.clip(hair.colour, 0.004, 0.9).astype(np.float64)
        covered = anatomy.fields[:, CROWN] > hair.hairline + 0.22
        cap = np.ascontiguousarray(anatomy.shell[covered[anatomy.shell].all(axis=1)])
        if len(cap):
            points = grown(anatomy, subject, 0.0012, 0.0)
            self._scene.mesh("cap", points, cap, self._scene.plain(0.6 * colour, 0.7), HAIR_AT)
        self._scene.strands("hair", strands, self._scene.hair(colour, float(rng.uniform(0.2, 0.5))), HAIR_AT)

    def _facial_hair(self, anatomy: Anatomy, subject: Subject, skin: SkinLook, rng: np.random.Generator) -> None:
        """Beard, brows and lashes: part of the face, whose normals are the skin's below them."""
        brows = skin.brow_colour * (0.25 if rng.random() < 0.35 else 1.0)  # many people's are nearly black
        for name, colour, strands in (
            ("beard", skin.beard_colour, beard_strands(anatomy, subject, skin, rng)),
            ("brows", brows, brow_strands(anatomy, subject, skin, rng)),
            ("lashes", np.full(3, 0.01), lash_strands(subject, rng) if rng.random() < 0.8 else None),
        ):
            if strands is not None:
                material = self._scene.hair(np.asarray(colour, np.float64), 0.4)
                self._scene.strands(name, strands, material, FACIAL_HAIR_AT)


def _finished(
    anatomy: Anatomy,
    subject: Subject,
    skin: SkinLook,
    painted: Painted,
    linear: Float32s,
    labels: NDArray[np.uint8],
    rng: np.random.Generator,
) -> Sample:
    """What Cycles made (H, W, 4), with glasses, background and things in the way, exposed."""
    picture = linear[..., :3] * _gain(linear, labels == FACE)
    if rng.random() < 0.3:
        draw_liner(subject, painted.depth, picture, rng)
    if rng.random() < 0.35:
        draw_folds(subject, painted.depth, picture, rng)
    if rng.random() < 0.22:
        draw_glasses(anatomy, subject, painted.depth, picture, labels, OCCLUDER, rng)
    behind = draw_backdrop(SIZE, rng) * np.float32(rng.uniform(0.5, 1.5))
    picture = np.ascontiguousarray(picture + (1 - linear[..., 3:]) * behind)
    for _ in range(int(rng.choice(3, p=[0.8, 0.14, 0.06]))):
        draw_obstacle(subject, picture, labels, bare_skin(skin), OCCLUDER, rng)
    rgb = expose(picture, labels == FACE, rng)
    truth = painted.normals * ((labels >= FACE) & (labels <= SKIN_OTHER))[..., None]
    return Sample(rgb, np.asarray(truth, np.float32), labels, subject.intrinsics)


def _labels(painted: NDArray[np.uint8], index: NDArray[np.uint8], alpha: Float32s) -> NDArray[np.uint8]:
    """(H, W) classes: the painted head's where it, or a hair of its face, is seen; hair where it is more than wisps."""
    seen = (index == HEAD_AT) | (index == FACIAL_HAIR_AT)
    hair = (cv2.medianBlur((index == HAIR_AT).astype(np.uint8), 3) > 0) & (alpha > 0.5)
    labels = np.where(seen | ((index == HAIR_AT) & ~hair), painted, BACKGROUND).astype(np.uint8)
    labels[hair] = HAIR
    return labels


def _gain(linear: Float32s, face: NDArray[np.bool_]) -> np.float32:
    """What brings the face to the brightness that the rasteriser's pictures have."""
    level = float(linear[face][:, :3].mean()) if face.any() else float(linear[..., :3].mean())
    return np.float32(FACE_LEVEL / max(level, 1e-3))


def traced_rng(seed: int, number: int) -> np.random.Generator:
    """The random numbers of sample `number`; others than the rasteriser's."""
    return np.random.default_rng([STREAM, seed, number])


def _creases(material: Any, skin: SkinLook) -> Any:
    """Lines across the forehead and about the eyes, raised by the mesh's `lined`; they move light, never the truth."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    place, where = nodes.new("ShaderNodeAttribute"), nodes.new("ShaderNodeAttribute")
    place.attribute_name, where.attribute_name = "rest", "lined"
    stretch, lines = nodes.new("ShaderNodeMapping"), nodes.new("ShaderNodeTexNoise")
    stretch.inputs["Scale"].default_value = (45.0, 240.0, 45.0)
    lines.inputs["Scale"].default_value, lines.inputs["Detail"].default_value = 1.0, 1.0
    raised, creases = nodes.new("ShaderNodeMath"), nodes.new("ShaderNodeBump")
    raised.operation = "MULTIPLY"
    creases.inputs["Distance"].default_value = 0.006 * skin.wrinkles  # m
    for source, target in (
        (place.outputs["Vector"], stretch.inputs["Vector"]),
        (stretch.outputs["Vector"], lines.inputs["Vector"]),
        (lines.outputs["Fac"], raised.inputs[0]),
        (where.outputs["Fac"], raised.inputs[1]),
        (raised.outputs[0], creases.inputs["Height"]),
    ):
        links.new(source, target)
    return creases


def main() -> int:
    """Fill the empty places of a pool of --count samples; or with --samples write them to an npz file."""
    parser = argparse.ArgumentParser(prog="path_traced", description="Samples rendered by Cycles.")
    parser.add_argument("out", type=Path, help="the pool's folder; with --samples an .npz file")
    parser.add_argument("--config", default="shipped")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--samples", action="store_true", help="keep camera and truth, to measure on")
    options = parser.parse_args()
    try:
        config = load_config(options.config)
        bodies = Bodies(config.second_body, config.second_share)
        anatomies = bodies.anatomies()
    except CoreError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    studio = Studio(options.threads)
    pool = None if options.samples else Pool(options.out, options.count)
    places = np.arange(options.count) if pool is None else np.flatnonzero(pool.done == 0)
    made: list[Sample] = []
    began = time.process_time()
    for number in places:
        sample = bodies.sample(anatomies, traced_rng(config.seed, int(number)), studio.draw)
        if pool is None:
            made.append(sample)
        else:
            pool.put(int(number), make_record(sample))
    if pool is None:
        write_samples(options.out, made)
    if len(places):
        print(f"{len(places)} samples, {(time.process_time() - began) / len(places):.2f} s of a core each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
