# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user chooses in the panel. On the window manager: a choice of photos is not undone with the head."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from ..errors import ExtensionError
from ..files.library import installed_heads
from ..formats.json_values import BadRequest
from ..formats.options import (
    AUTO_HAIR,
    DEFAULT_HAIR,
    DEFAULT_HEAD,
    DEFAULT_LOOK,
    NO_HAIR,
    FaceChoice,
    ReconstructOptions,
)
from ..scene.avatar import AvatarOptions
from ..scene.placement import Placement
from ..translations import tr
from .session import session

_head_items: list[tuple[str, str, str]] = []  # Blender does not keep the strings of dynamic items: keep them here


def _heads(_self: bpy.types.PropertyGroup, _context: bpy.types.Context) -> list[tuple[str, str, str]]:
    items = [(DEFAULT_HEAD, tr("Open Head"), tr("The head that comes with N2F. Free for any use"))]
    items += [(entry.head_id, entry.name, tr(entry.use)) for entry in installed_heads()]
    there = {item[0] for item in items}
    for entry in session.heads():  # of a core on another library
        if entry.head_id not in there:
            use = "" if entry.commercial_use else ". Not for commercial use"
            items.append((entry.head_id, entry.head_id, tr(f"Licence: {entry.license}{use}")))
    _head_items[:] = items
    return _head_items


@contextmanager
def explained() -> Iterator[None]:
    """Around a request that is made of choices.

    Raises:
        ExtensionError: the core would not take them.
    """
    try:
        yield
    except BadRequest as error:
        raise ExtensionError(error.sentence, error.remedy, code="BAD_INPUT") from error


class SourceChoices:
    """What photos and clips are asked alike: the lens they were taken with, and the skin they give. A mixin."""

    focal_known: bpy.props.BoolProperty(
        name="Known Focal Length",
        description="Set the focal length yourself. Otherwise it is read from the file or estimated",
    )
    focal_length_px: bpy.props.FloatProperty(
        name="Focal Length",
        description="In pixels of the picture: millimetres times the width in pixels, divided by the sensor's width",
        default=1500.0,
        min=50.0,
        max=100000.0,
        precision=0,
    )
    look: bpy.props.EnumProperty(
        name="Skin",
        description="What the picture gives the head's skin",
        default=DEFAULT_LOOK,
        items=[
            ("albedo", "Without Its Light", "As painted by the photo, with its light and shadows taken out"),
            ("photo", "As Photographed", "With the photo's light and shadows"),
            ("none", "Plain", "One plain colour, quicker"),
        ],
    )

    def focal_length(self) -> float | None:
        """px, where it is known."""
        return float(self.focal_length_px) if self.focal_known else None


def which(choice: str, number: int) -> FaceChoice:
    """Whose face, as the protocol has it."""
    named: dict[str, FaceChoice] = {"LARGEST": "largest", "ALL": "all"}
    return named.get(choice, number)


class N2FPhoto(bpy.types.PropertyGroup):
    """One chosen photo."""

    path: bpy.props.StringProperty(name="Photo", subtype="FILE_PATH")


class N2FSettings(SourceChoices, bpy.types.PropertyGroup):
    """The panel's options."""

    photos: bpy.props.CollectionProperty(type=N2FPhoto)
    head: bpy.props.EnumProperty(name="Head", description="The head model that is fitted to the face", items=_heads)
    face: bpy.props.EnumProperty(
        name="Face",
        description="Which face of the photo becomes a head",
        items=[
            ("LARGEST", "Largest", "The largest face in each photo"),
            ("ALL", "All", "Every face, each as a head of its own"),
            ("NUMBER", "Number", "One face by its number: 0 is the largest"),
        ],
    )
    face_number: bpy.props.IntProperty(name="Number", description="0 is the largest face", default=0, min=0, max=64)
    one_person: bpy.props.BoolProperty(
        name="One Person",
        description="The photos show one person: one head with a camera for each photo. "
        "Whoever's face does not agree with the others becomes a head of their own",
        default=True,
    )
    fit: bpy.props.BoolProperty(
        name="Fit",
        description="Refine the network's estimate on the photo. Takes milliseconds and gives a closer likeness",
        default=True,
    )
    hair: bpy.props.EnumProperty(
        name="Hair",
        description="What grows on the head",
        default=DEFAULT_HAIR,
        items=[
            (AUTO_HAIR, "As Photographed", "Strands after the photo: outline, fall and colour"),
            (NO_HAIR, "None", "A bald head, quicker"),
        ],
    )
    detail: bpy.props.EnumProperty(
        name="Fine Detail",
        description="Wrinkles and folds finer than the mesh, as the photos show them",
        items=[
            ("none", "None", "The mesh alone, quicker"),
            ("static", "Static", "As photographed, the same in every expression"),
            ("moving", "Moving", "What belongs to an expression comes and goes with it"),
        ],
    )
    maps: bpy.props.EnumProperty(
        name="Maps",
        description="Dense maps in the head's UV beside the take: where each place is in the head and in the photo",
        items=[
            ("0", "None", "No maps"),
            ("256", "256 px", "The size of PRNet's maps"),
            ("512", "512 px", "Half the largest"),
            ("1024", "1024 px", "Every vertex of the head can be read back"),
        ],
    )
    placement: bpy.props.EnumProperty(
        name="Placement",
        description="What stands still in the world. Both show the same picture through the camera",
        items=[
            (Placement.AUTO.value, "Automatic", "Head still for a photo, camera still for a video"),
            (Placement.HEAD_STILL.value, "Head Still", "The head stands upright, the camera is posed in front of it"),
            (Placement.CAMERA_STILL.value, "Camera Still", "The camera stands level, the head is posed before it"),
        ],
    )
    identity: bpy.props.BoolProperty(
        name="Identity Sliders",
        description="Add shape keys that change who the person is. The strongest directions come first",
    )
    identity_count: bpy.props.IntProperty(
        name="Count", description="How many identity sliders", default=20, min=1, max=300
    )

    def avatar_options(self, photo: Path | None = None) -> AvatarOptions:
        """What the scene is built with."""
        return AvatarOptions(
            placement=Placement(self.placement),
            identity_count=self.identity_count if self.identity else 0,
            photo=photo,
        )

    def about_one_person(self) -> bool:
        """Whether several photos were chosen that may show one person."""
        return self.one_person and len(self.photos) > 1 and self.face != "ALL" and self.fit

    def request(self) -> ReconstructOptions:
        """For the core.

        Raises:
            ExtensionError: the core would not take it.
        """
        with explained():
            return ReconstructOptions(
                head=self.head or DEFAULT_HEAD,
                face=which(self.face, self.face_number),
                focal_length_px=self.focal_length(),
                fit=self.fit,
                one_person="agree" if self.about_one_person() else "no",
                look=self.look,
                hair=self.hair,
                detail=self.detail,
                maps=int(self.maps),
            )


def settings(context: bpy.types.Context) -> N2FSettings:
    """The panel's options."""
    return context.window_manager.n2f


CLASSES = (N2FPhoto, N2FSettings)


def register() -> None:
    """Attach the options to the window manager."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.n2f = bpy.props.PointerProperty(type=N2FSettings)


def unregister() -> None:
    """Take everything away again."""
    del bpy.types.WindowManager.n2f
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
