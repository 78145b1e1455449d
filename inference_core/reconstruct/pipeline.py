"""The steps from a photo to a head under a camera, one under the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from inference_core.detail.relief import Relief, relief_of
from inference_core.detail.relief import Subject as DetailSubject
from inference_core.errors import Cancelled, CoreError, ModelMissing, lacks_memory
from inference_core.fit import (
    FitResult,
    FitSettings,
    Observation,
    doubted,
    fit_face,
    place_head,
    place_points,
    posed_points,
    seen_aside,
    turned_away,
)
from inference_core.formats.options import ReconstructOptions
from inference_core.formats.protocol import Stage
from inference_core.hair import undercoat
from inference_core.hair.barber import Client, Hair, cut_hair
from inference_core.head import Camera, Head, HeadParameters, landmarks_68, mediapipe_points, pose_head
from inference_core.look.painter import Look, Sitter, paint
from inference_core.maps.surface import Subject, SurfaceMaps, map_surface
from inference_core.memory import ask_for_room
from inference_core.n2fnet import Estimate
from inference_core.n2fnet.belief import ShapeBelief
from inference_core.n2fnet.placement import REFERENCE_POINT
from inference_core.perception.crop import CropFrame, cut, face_frame
from inference_core.perception.doubt import Doubt, trust_of
from inference_core.perception.faces import Face, choose_faces
from inference_core.perception.hidden import hidden_places
from inference_core.perception.image import Photo, read_photo
from inference_core.perception.landmarks import IBUG_68, points_68
from inference_core.perception.normals import NormalMap
from inference_core.perception.teeth import teeth_shut
from inference_core.reconstruct.lens import found_focal, with_focal
from inference_core.reconstruct.models import Models

Floats = NDArray[np.float64]
LOG = logging.getLogger(__name__)
T = TypeVar("T")
Checkpoint = Callable[[Stage], None]
"""Called before each stage; raises Cancelled to stop."""

OUTSIDE_WEIGHT = 0.3
"""How far Face Mesh's guesses beyond the picture's border are believed."""
MIN_MASK = 0.03
"""Share of the crop that must be facial skin for the normals to count; a whole face covers 0.3."""
POOR_LANDMARK_ERROR = 0.08
"""Over the distance between the eyes: beyond it a person sees that the head does not lie on the face."""
PROFILE_DEGREES = 50.0
"""Yaw of the head that was found, beyond which its far half is hardly seen; heads are found rather less turned."""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """One face, explained. `camera` is the photo's; `frame` and `normal_map` are the crop's."""

    photo: Photo
    number: int  # among the faces of the photo, 0 = largest
    faces_found: int
    face: Face
    frame: CropFrame
    normal_map: NormalMap
    parameters: HeadParameters
    camera: Camera
    vertices: Floats  # (V, 3) posed, head space, m
    landmarks: Floats  # (68, 3) on the mesh, head space, m
    landmark_error: float  # mean distance of the inner points from Face Mesh's, over the distance between the eyes
    fit: FitResult | None
    timings_ms: dict[str, float]
    warnings: tuple[str, ...]
    doubts: tuple[Doubt, ...] = ()  # their sentences are among the warnings
    look: Look | None = None  # None: not asked for, or the photo gives none
    hair: Hair | None = None  # the same
    detail: Relief | None = None  # the same
    maps: SurfaceMaps | None = None  # None: not asked for

    @property
    def confidence(self) -> float:
        """0..1: the detector's, less what each doubt costs."""
        return self.face.confidence * trust_of(self.doubts)

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing beside the head."""
        return self.look is None and self.hair is None and self.detail is None and self.maps is None

    def plain(self) -> Reconstruction:
        """The head alone, where the rest finds no memory."""
        warning = "There was not enough memory to write what the head wears; it comes plain."
        return replace(self, look=None, hair=None, detail=None, maps=None, warnings=(*self.warnings, warning))

    @property
    def distance(self) -> float:
        """m from the camera to the middle of the face."""
        return float(np.linalg.norm(self.camera.to_camera(np.array(REFERENCE_POINT))))

    @property
    def landmarks_px(self) -> Floats:
        """(68, 2) px of the photo."""
        return self.camera.project(self.landmarks)


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that is known of a face before it is fitted. `guess` is N2FNet's answer, or the mean head."""

    photo: Photo
    number: int
    faces_found: int
    face: Face
    frame: CropFrame
    normal_map: NormalMap
    seen: Observation
    guess: Estimate
    timings_ms: dict[str, float]
    warnings: tuple[str, ...]
    doubts: tuple[Doubt, ...]


class Reconstructor:
    """Models loaded once, any number of photos. Use it from one thread at a time."""

    def __init__(self, models: Models) -> None:
        self.models = models

    def faces_of(
        self, path: str | Path, options: ReconstructOptions, checkpoint: Checkpoint | None = None
    ) -> tuple[Photo, list[tuple[int, Face]], int, dict[str, float]]:
        """Reads a photo and chooses its faces: photo, (number, face) each, how many there are, timings in ms.

        Raises:
            BadInput: for a photo that cannot be read, or a focal length that no lens has.
            NoFace: where none is found.
            MultipleFaces: for a number beyond those found.
        """
        timings: dict[str, float] = {}
        _reach(checkpoint, "detect")
        with clock(timings, "read"):
            photo = read_photo(path, options.focal_length_px)
        with clock(timings, "detect"):
            # Small faces of a group are searched for only where they are asked for.
            faces = self.models.faces.find(photo.rgb, thorough=options.face not in ("largest", 0))
            chosen = choose_faces(faces, options.face, photo.path.name)
            photo = with_focal(self.models.head, photo, chosen[0][1])
            if len(chosen) > 1:  # they stand before one camera
                photo = replace(photo, focal=photo.focal._replace(sigma=0.0))
        return photo, chosen, len(faces), timings

    def reconstruct(
        self,
        photo: Photo,
        face: Face,
        options: ReconstructOptions,
        checkpoint: Checkpoint | None = None,
        *,
        number: int = 0,
        faces_found: int = 1,
        timings_ms: Mapping[str, float] | None = None,
    ) -> Reconstruction:
        """One face of a photo -> head parameters and camera. `timings_ms` are those of finding it."""
        shown = self.examine(
            photo, face, options, checkpoint, number=number, faces_found=faces_found, timings_ms=timings_ms
        )
        _reach(checkpoint, "fit")
        result = self.fit(shown) if options.fit else None
        return self.explained(shown, result)

    def examine(
        self,
        photo: Photo,
        face: Face,
        options: ReconstructOptions,
        checkpoint: Checkpoint | None = None,
        *,
        number: int = 0,
        faces_found: int = 1,
        timings_ms: Mapping[str, float] | None = None,
    ) -> Evidence:
        """All that is known of a face before the fit.

        Raises:
            ModelMissing: where N2FNet is asked for and none serves the head.
        """
        head, timings = self.models.head, dict(timings_ms or {})
        warnings = [*photo.notes]

        _reach(checkpoint, "normals")
        with clock(timings, "crop"):
            frame = face_frame(face.points, photo.intrinsics, face.roll)
            crop = cut(photo.rgb, frame)
        with clock(timings, "normals"):
            normal_map = self.models.normals.estimate(crop, frame.intrinsics)
            if face.outside > 0:  # the network sees faces in the padding, too
                normal_map = replace(normal_map, face_mask=normal_map.face_mask & frame.inside(photo.size))
        hidden = hidden_places(normal_map, frame.to_crop(points_68(face.points)[:, :2]))
        doubts = (*face.doubts(), *hidden.doubts)
        if not shows_skin(normal_map):
            warnings.append("The face is hidden to the normals network; the landmarks stand alone.")
        if self.models.regressor is None:
            if not options.fit:
                raise ModelMissing(f"There are no N2FNet weights for the head '{head.head_id}'.", "Let the fit do it.")
            warnings.append(
                f"There are no N2FNet weights for the head '{head.head_id}'; the fit began at the mean head."
            )

        _reach(checkpoint, "n2fnet")
        seen = observation(head, face.points, frame, normal_map, photo.size, crop)
        with clock(timings, "n2fnet"):
            guess = self._first_guess(seen, normal_map, frame)
        return Evidence(
            photo, number, faces_found, face, frame, normal_map, seen, guess, timings, tuple(warnings), doubts
        )

    def fit(self, shown: Evidence) -> FitResult:
        """The face by itself."""
        head, guess = self.models.head, shown.guess
        with clock(shown.timings_ms, "fit"):
            parameters, start = self.start_of(shown)
            settings = replace(FitSettings(), focal_sigma=shown.photo.focal.sigma)
            return fit_face(head, self.doubted(shown), parameters, start, settings, guess.belief)

    def start_of(self, shown: Evidence, shape: Floats | None = None) -> tuple[HeadParameters, Camera]:
        """Where a fit begins: at N2FNet's answer as far as it is believed, or with a `shape` (S,) of one's own."""
        guess = shown.guess
        if shape is None and guess.belief is not None:
            shape = guess.belief.mean
        parameters = guess.parameters if shape is None else replace(guess.parameters, shape=shape)
        if turned_away(guess.camera.yaw_degrees) and shows_skin(shown.normal_map):
            return parameters, guess.camera
        return parameters, _better_placed(self.models.head, parameters, guess.camera, shown.seen)

    def doubted(self, shown: Evidence) -> Observation:
        """The observation, with landmarks counting less where the detector was unsteady or the face is turned away."""
        if self.models.regressor is None or not shows_skin(shown.normal_map):
            return shown.seen
        seen = seen_aside(shown.seen, shown.guess.camera.yaw_degrees)
        return doubted(self.models.head, seen, shown.guess.parameters, shown.face.unsteady)

    def explained(self, shown: Evidence, result: FitResult | None) -> Reconstruction:
        """The head that a fit found, or N2FNet's own, in the photo."""
        head, photo, face = self.models.head, shown.photo, shown.face
        found = shown.guess if result is None else result
        in_photo = shown.frame.camera_in_photo(found.camera)
        if result is not None:
            photo = replace(photo, focal=found_focal(photo, float(in_photo.intrinsics[0]), result.focal_sigma))
        vertices = pose_head(head, found.parameters)
        error = _landmark_error(head, vertices, in_photo, face)
        doubts = (*shown.doubts, *_doubts_of_the_fit(error, in_photo.yaw_degrees))
        return Reconstruction(
            photo=photo,
            number=shown.number,
            faces_found=shown.faces_found,
            face=face,
            frame=shown.frame,
            normal_map=shown.normal_map,
            parameters=found.parameters,
            camera=in_photo,
            vertices=vertices,
            landmarks=landmarks_68(head, vertices, in_photo.yaw_degrees),
            landmark_error=error,
            fit=result,
            timings_ms=shown.timings_ms,
            warnings=(*shown.warnings, *(one.sentence for one in doubts)),
            doubts=doubts,
        )

    def finished(
        self,
        made: Reconstruction,
        options: ReconstructOptions,
        checkpoint: Checkpoint | None = None,
        others: Sequence[Reconstruction] = (),
    ) -> Reconstruction:
        """With skin, hair, detail and maps as asked for; `others` are further photos of the person."""
        made = self.painted(made, options, checkpoint, others)
        made = self.detailed(self.groomed(made, options, checkpoint), options, checkpoint, others)
        return self.mapped(made, options, checkpoint)

    def painted(
        self,
        made: Reconstruction,
        options: ReconstructOptions,
        checkpoint: Checkpoint | None = None,
        others: Sequence[Reconstruction] = (),
    ) -> Reconstruction:
        """With the look that was asked for; `others` are further photos of the person.

        Photos that give none cost no head: a warning says why.
        """
        if options.look == "none":
            return made
        sitters = [Sitter(one.photo, one.face, one.camera, one.vertices) for one in (made, *others)]
        work = partial(paint, self.models.head, sitters, self.models.normals, options.look)
        look, made = _beside(made, "look", work, checkpoint)
        return replace(made, look=look)

    def groomed(
        self, made: Reconstruction, options: ReconstructOptions, checkpoint: Checkpoint | None = None
    ) -> Reconstruction:
        """With the hair that was asked for, in the light that the look found. Hair that fails costs no head."""
        if options.hair == "none":
            return made
        light = made.look.light if made.look is not None else None
        client = Client(made.photo, made.face, made.camera, made.parameters.shape, made.vertices, light)
        work = partial(cut_hair, self.models.head, client, self.models.normals, options.hair)
        hair, made = _beside(made, "hair", work, checkpoint)
        if hair is None:
            return made
        look = made.look
        if look is not None and hair.cover is not None:
            look = replace(look, picture=undercoat.painted(look.picture, hair.cover, hair.dye.length))
        return replace(made, look=look, hair=hair, warnings=(*made.warnings, *filter(None, (hair.note,))))

    def detailed(
        self,
        made: Reconstruction,
        options: ReconstructOptions,
        checkpoint: Checkpoint | None = None,
        others: Sequence[Reconstruction] = (),
    ) -> Reconstruction:
        """With the detail that was asked for; `others` are further photos of the person, by which what moves is told.

        Photos that give none cost no head: a warning says why.
        """
        if options.detail == "none":
            return made
        subjects, moving = [_in_detail(one) for one in (made, *others)], options.detail == "moving"
        work = partial(relief_of, self.models.head, subjects, self.models.normals, moving=moving)
        relief, made = _beside(made, "detail", work, checkpoint)
        warnings = made.warnings
        if relief is not None and moving and relief.moving is None:
            warnings = (*warnings, "This head has none of ARKit's expressions; its fine detail does not move.")
        return replace(made, detail=relief, warnings=warnings)

    def mapped(
        self, made: Reconstruction, options: ReconstructOptions, checkpoint: Checkpoint | None = None
    ) -> Reconstruction:
        """With the maps that were asked for. Maps that fail cost no head."""
        if not options.maps:
            return made
        subject = Subject(
            made.vertices, made.camera, made.photo.size, made.landmarks, made.frame, made.normal_map.face_mask
        )
        maps, made = _beside(made, "maps", partial(map_surface, self.models.head, subject, options.maps), checkpoint)
        return replace(made, maps=maps)

    def _first_guess(self, seen: Observation, normal_map: NormalMap, frame: CropFrame) -> Estimate:
        """N2FNet's answer in the crop's frame; without it the mean head where the landmarks put it."""
        if self.models.regressor is None or not shows_skin(normal_map):
            parameters = HeadParameters.neutral(self.models.head)
            placed = place_head(self.models.head, parameters, seen.points, frame.intrinsics)
            return Estimate(parameters, placed, ShapeBelief.of_population(len(parameters.shape)))
        return self.models.regressor.estimate(normal_map.normals, normal_map.face_mask, frame.intrinsics)


_BESIDE: Mapping[Stage, tuple[str, str]] = {
    "look": ("the skin", "plain"),
    "hair": ("the hair", "without"),
    "detail": ("the fine detail", "without"),
    "maps": ("the maps", "without"),
}
"""What each stage makes beside the head, and how the head comes where it could not."""


def _beside(
    made: Reconstruction, stage: Stage, work: Callable[[], T], checkpoint: Checkpoint | None
) -> tuple[T | None, Reconstruction]:
    """What `work` makes beside a head that is done: its failure costs that alone, and a warning says why."""
    _reach(checkpoint, stage)
    what, comes = _BESIDE[stage]
    timings = dict(made.timings_ms)
    result: T | None = None
    warnings = made.warnings
    with clock(timings, stage):
        try:
            ask_for_room()
            result = work()
        except Cancelled:
            raise
        except Exception as error:  # a defect beside the head must not take the head with it
            if lacks_memory(error):
                warnings = (*warnings, f"There was not enough memory for {what}; the head comes {comes}.")
            elif isinstance(error, CoreError):
                warnings = tuple(dict.fromkeys((*warnings, error.sentence)))  # the same photo fails look and detail
            else:
                LOG.exception("a defect in %s of %s", what, made.photo.path)
                warnings = (*warnings, f"{what.capitalize()} met a defect of this program; the head comes {comes}.")
    return result, replace(made, warnings=warnings, timings_ms=timings)


def _in_detail(made: Reconstruction) -> DetailSubject:
    sitter = Sitter(made.photo, made.face, made.camera, made.vertices)
    return DetailSubject(sitter, made.frame, made.normal_map, made.parameters.expression)


def _doubts_of_the_fit(error: float, yaw_degrees: float) -> Iterator[Doubt]:
    """Of a profile Face Mesh's points are no measure: the normals have led the fit away from them."""
    turned = abs(yaw_degrees)
    if turned > PROFILE_DEGREES:
        sentence = f"The face is turned {turned:.0f} degrees away; its far half is a guess."
        yield Doubt(sentence, max(0.3, 0.8 - 0.015 * (turned - PROFILE_DEGREES)))
    elif error > POOR_LANDMARK_ERROR:
        off = f"The head lies {100 * error:.0f} % of the eye distance off the face; see overlay.png."
        yield Doubt(off, POOR_LANDMARK_ERROR / error)


def _landmark_error(head: Head, vertices: Floats, camera: Camera, face: Face) -> float:
    """Over Face Mesh's points at brows, eyes, nose and lips, each compared with the same point on the head's surface.

    Not with the head's iBUG points: Face Mesh has no vertex exactly there, which would add some 0.025 on any head.
    """
    inner = np.isin(head.mediapipe_index, IBUG_68[17:])
    on_head = camera.project(mediapipe_points(head, vertices)[inner])
    away = on_head - face.points[head.mediapipe_index[inner], :2]
    return float(np.linalg.norm(away, axis=1).mean() / face.eye_distance)


def shows_skin(normal_map: NormalMap) -> bool:
    """Whether enough of the face is seen for the normals to say something."""
    return float(normal_map.face_mask.mean()) >= MIN_MASK


def observation(
    head: Head,
    points: NDArray[np.generic],
    frame: CropFrame,
    normal_map: NormalMap,
    size: tuple[int, int],
    crop: NDArray[np.uint8] | None = None,
) -> Observation:
    """What the fit is to explain, from Face Mesh's points (478, 2 or 3) px of a picture of `size` (width, height).

    `crop` (H, W, 3) is what `frame` cuts out of it; without it nobody looks for teeth.
    """
    shut = 0.0 if crop is None else teeth_shut(crop, frame.to_crop(np.asarray(points[:, :2], dtype=np.float64)))
    in_photo = np.asarray(points[head.mediapipe_index, :2], dtype=np.float64)
    beyond = ((in_photo < 0) | (in_photo > np.array(size, dtype=np.float64))).any(axis=1)
    points, weight = frame.to_crop(in_photo), np.where(beyond, OUTSIDE_WEIGHT, 1.0)
    mask = normal_map.face_mask.astype(np.float32)
    return Observation(points, weight, frame.intrinsics, normal_map.normals, mask, normal_map.sigma, teeth_shut=shut)


def _better_placed(head: Head, parameters: HeadParameters, camera: Camera, seen: Observation) -> Camera:
    """The given camera, or the one from the landmarks where that lays the same head closer to them.

    N2FNet has seen no head upside down or in profile; the landmarks know where those are.
    """
    model = posed_points(head, parameters)
    placed = place_points(model, seen.points, seen.intrinsics)

    def distance(candidate: Camera) -> float:
        away = np.linalg.norm(candidate.project(model) - seen.points, axis=1).mean()
        return float(away) if (candidate.to_camera(model)[:, 2] > 0).all() else float("inf")

    return min((camera, placed), key=distance)


def _reach(checkpoint: Checkpoint | None, stage: Stage) -> None:
    if checkpoint is not None:
        checkpoint(stage)


@contextmanager
def clock(timings: dict[str, float], name: str) -> Iterator[None]:
    """Add the block's duration to `timings[name]`, ms."""
    start = time.perf_counter()
    try:
        yield
    finally:
        timings[name] = timings.get(name, 0.0) + (time.perf_counter() - start) * 1e3
