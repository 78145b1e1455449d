"""A true face before a camera: its normals, its mask, a plain or painted picture; 256 px crops as the product cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.face_points import Paint, plain_picture
from inference_core.evaluation.methods import Seen
from inference_core.evaluation.target import Target
from inference_core.head import Camera, Head, vertex_normals
from inference_core.head.rotations import matrix_from_vector, vector_from_matrix
from inference_core.perception.crop import face_frame
from inference_core.training.geometry import Floats
from inference_core.training.n2fnet.config import HeadSpace
from inference_core.training.n2fnet.crop import CROP_SIZE
from inference_core.training.n2fnet.draw import FACING, draw_rotations, draw_translations
from inference_core.training.raster import interpolate, rasterise

UNIT = np.array([1.0, 1.0, 0.0, 0.0])  # intrinsics of a camera whose pixels are X/Z, Y/Z


@dataclass(frozen=True, eq=False)
class View:
    """A target and a camera with the intrinsics of the crop, or of a whole picture."""

    name: str
    target: Target
    camera: Camera


@dataclass(frozen=True, eq=False)
class Rendered:
    """What the camera sees (H, W): unit normals in normal-map axes, facial skin, a picture."""

    normals: NDArray[np.float32]
    face: NDArray[np.bool_]
    rgb: NDArray[np.uint8]


def crop_view(name: str, target: Target, rotation: Floats, translation: Floats) -> View:
    """The view whose 256 px crop is the product's own about the face's points. rotation (3, 3), translation (3,) m."""
    points = target.face_points.on(target.vertices)
    in_camera = points @ rotation.T + translation
    frame = face_frame(in_camera[:, :2] / in_camera[:, 2:], UNIT, size=CROP_SIZE)
    return View(name, target, Camera(vector_from_matrix(rotation), translation, frame.intrinsics))


def random_view(name: str, target: Target, rng: np.random.Generator) -> View:
    """Rotation and distance as N2FNet's training draws them."""
    space = HeadSpace()
    return crop_view(name, target, draw_rotations(rng, 1, space)[0], draw_translations(rng, 1, space)[0])


def turned_view(name: str, target: Target, yaw: float, pitch: float, distance: float) -> View:
    """The head turned by yaw and pitch, degrees, before a camera at `distance` m."""
    turn = matrix_from_vector(np.radians((pitch, 0, 0))) @ matrix_from_vector(np.radians((0, yaw, 0)))
    rotation = FACING @ turn
    middle = target.face_points.on(target.vertices).mean(axis=0)
    return crop_view(name, target, rotation, np.array([0.0, 0.0, distance]) - rotation @ middle)


def render(view: View, size: int = CROP_SIZE, paint: Paint | None = None) -> Rendered:
    """Draw a view `size` px wide and high."""
    target, camera = view.target, view.camera
    points = camera.to_camera(target.vertices)
    raster = rasterise(points, target.triangles, camera.intrinsics, (size, size))
    skin = target.regions["face"].astype(np.float64)[:, None]
    values = interpolate(
        raster, target.triangles, np.concatenate([vertex_normals(points, target.triangles), skin], axis=1)
    )
    length = np.maximum(np.linalg.norm(values[..., :3], axis=2, keepdims=True), 1e-6)
    normals = values[..., :3] / length * np.array([1, -1, -1], np.float32)
    return Rendered(normals, values[..., 3] > 0.5, plain_picture(raster, normals, paint))


def true_seen(head: Head, view: View) -> Seen:
    """True normals, true mask, Face Mesh's points exactly where they lie on the surface."""
    drawn = render(view)
    points, weight = view.target.points(head)
    return Seen(
        normals=drawn.normals,
        face=drawn.face,
        points=view.camera.project(points),
        intrinsics=view.camera.intrinsics,
        normal_weight=drawn.face.astype(np.float32),
        point_weight=weight,
        normal_sigma=np.zeros(drawn.face.shape, np.float32),
    )
