# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user sets for another character, saved with the file and undone with it.

On the character's main mesh (`object.n2f_character`): its other meshes, armature, bones, strengths, and the
performances it carries. On each mesh (`object.n2f_keys`): the shape keys that were chosen by hand. On the scene
(`scene.n2f_retarget`): which character is meant, and where the performance comes from.
"""

from pathlib import Path

import bpy

from ...formats.arkit import NAMES
from ...motion.face_motion import Straight
from ...motion.livelink import Reading
from ..lookup import MARK
from .applying import RetargetOptions
from .character import Character, Face, Role, armature_of, guessed_bones
from .turning import Facing

_HIDDEN = {"HIDDEN"}


def _strength(name: str, what: str) -> bpy.props.FloatProperty:
    return bpy.props.FloatProperty(
        name=name, description=f"Multiplies {what}", default=1.0, min=0.0, max=4.0, soft_max=2.0, step=5, precision=2
    )


def _is_mesh(_self: bpy.types.bpy_struct, item: bpy.types.Object) -> bool:
    return item.type == "MESH"


def _is_face(_self: bpy.types.bpy_struct, item: bpy.types.Object) -> bool:
    return item.type == "MESH" and item.data.shape_keys is not None


def _is_armature(_self: bpy.types.bpy_struct, item: bpy.types.Object) -> bool:
    return item.type == "ARMATURE"


def _is_avatar(_self: bpy.types.bpy_struct, item: bpy.types.Collection) -> bool:
    return MARK in item


class N2FKeyChoice(bpy.types.PropertyGroup):
    """A shape key chosen for one of ARKit's names, which is this item's `name`."""

    key: bpy.props.StringProperty(name="Shape Key", description="The shape key that shows this expression")


class N2FMesh(bpy.types.PropertyGroup):
    """One more mesh of the character."""

    item: bpy.props.PointerProperty(name="Mesh", type=bpy.types.Object, poll=_is_mesh)


class N2FAppliedPart(bpy.types.PropertyGroup):
    """What a performance wrote to one datablock."""

    item: bpy.props.PointerProperty(type=bpy.types.Object)  # the mesh or the armature
    of_keys: bpy.props.BoolProperty()  # its shape keys; else the object
    action: bpy.props.PointerProperty(type=bpy.types.Action)
    slot: bpy.props.IntProperty()
    before: bpy.props.StringProperty()  # JSON, see scene.retarget.records


class N2FApplied(bpy.types.PropertyGroup):
    """A performance that the character carries; `name` is its source's."""

    parts: bpy.props.CollectionProperty(type=N2FAppliedPart, override={"LIBRARY_OVERRIDABLE", "USE_INSERTION"})
    first_frame: bpy.props.FloatProperty()
    last_frame: bpy.props.FloatProperty()
    summary: bpy.props.StringProperty()
    notes: bpy.props.StringProperty()  # a sentence a line: what was left as it is


class N2FCharacter(bpy.types.PropertyGroup):
    """A character, on its main mesh."""

    meshes: bpy.props.CollectionProperty(type=N2FMesh, override={"LIBRARY_OVERRIDABLE", "USE_INSERTION"})
    mesh_index: bpy.props.IntProperty(options=_HIDDEN)
    armature: bpy.props.PointerProperty(
        name="Armature", description="The armature with the bones below", type=bpy.types.Object, poll=_is_armature
    )
    head: bpy.props.StringProperty(name="Head", description="The bone that turns the head")
    neck: bpy.props.StringProperty(name="Neck", description="A bone that takes a share of the head's turn")
    jaw: bpy.props.StringProperty(name="Jaw", description="The bone that opens the mouth")
    eye_left: bpy.props.StringProperty(name="Left Eye", description="The bone of the character's own left eye")
    eye_right: bpy.props.StringProperty(name="Right Eye", description="The bone of the character's own right eye")
    facing: bpy.props.EnumProperty(
        name="Faces",
        description="Where the character looks, in the world",
        items=[
            (Facing.AUTO.value, "Automatic", "As the eye bones stand, otherwise along -Y"),
            (Facing.MINUS_Y.value, "-Y", "Blender's front view"),
            (Facing.PLUS_Y.value, "+Y", "Away from the front view"),
            (Facing.MINUS_X.value, "-X", "To the left of the front view"),
            (Facing.PLUS_X.value, "+X", "To the right of the front view"),
        ],
    )
    straight: bpy.props.EnumProperty(
        name="Straight Ahead",
        description="What counts as the head looking straight ahead",
        items=[
            (Straight.CAMERA.value, "Into the Camera", "Where the face looks into the camera"),
            (Straight.FIRST.value, "First Frame", "As on the first frame with a face"),
            (Straight.AVERAGE.value, "Average", "The mean over the whole performance"),
            (Straight.FRAME.value, "Frame", "As on one frame of the clip"),
        ],
    )
    straight_frame: bpy.props.IntProperty(
        name="Frame", description="Which frame of the clip counts as straight ahead. The first is 1", default=1, min=1
    )
    start_frame: bpy.props.IntProperty(
        name="Start Frame", description="Scene frame of the performance's first frame", default=1
    )
    expression: _strength("Expressions", "all shape keys")
    head_strength: _strength("Head", "the head's angle")
    jaw_strength: _strength("Jaw", "the jaw bone's angle")
    eyes_strength: _strength("Eyes", "the eye bones' angles")
    neck_share: bpy.props.FloatProperty(
        name="Neck's Share",
        description="How much of the head's turn the neck takes",
        default=0.3,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    jaw_shapes: bpy.props.BoolProperty(
        name="Jaw Shapes Too",
        description="Write jawOpen, jawLeft and jawRight also where a bone moves the jaw. "
        "For characters whose shapes only correct the bone; otherwise the mouth opens twice as far",
    )
    eye_shapes: bpy.props.BoolProperty(
        name="Gaze Shapes Too",
        description="Write the eyeLook shapes also where bones turn the eyes. "
        "For characters whose shapes only move the lids",
    )
    beyond: bpy.props.BoolProperty(
        name="Beyond 0 to 1", description="Keep extreme values, and widen the sliders of the shape keys for them"
    )
    applied: bpy.props.CollectionProperty(type=N2FApplied, override={"LIBRARY_OVERRIDABLE", "USE_INSERTION"})
    applied_index: bpy.props.IntProperty(options=_HIDDEN, override={"LIBRARY_OVERRIDABLE"})

    def options(self) -> RetargetOptions:
        """What the user has set."""
        return RetargetOptions(
            start_frame=float(self.start_frame),
            straight=Straight(self.straight),
            straight_frame=self.straight_frame - 1,
            facing=Facing(self.facing),
            expression=self.expression,
            head=self.head_strength,
            jaw=self.jaw_strength,
            eyes=self.eyes_strength,
            neck_share=self.neck_share,
            jaw_shapes=self.jaw_shapes,
            eye_shapes=self.eye_shapes,
            beyond=self.beyond,
        )

    def character(self) -> Character:
        """The character as the scene has it now; meshes that were deleted are left out."""
        items = [self.id_data, *(mesh.item for mesh in self.meshes if mesh.item is not None)]
        return Character(
            tuple(Face(item, choices(item)) for item in dict.fromkeys(items)),
            self.armature,
            {role: getattr(self, role.value) for role in Role},
        )


class N2FRetarget(bpy.types.PropertyGroup):
    """Which character, and where its performance comes from."""

    character: bpy.props.PointerProperty(
        name="Character",
        description="The face: a mesh with shape keys by ARKit's names",
        type=bpy.types.Object,
        poll=_is_face,
        update=lambda self, _context: _character_chosen(self.character),
    )
    source: bpy.props.EnumProperty(
        name="Source",
        items=[
            ("AVATAR", "Avatar", "The take that an N2F avatar of this file plays"),
            ("TAKE", "Take", "A take on disk, take.npz"),
            ("CSV", "CSV", "A recording in Live Link Face's layout"),
        ],
    )
    avatar: bpy.props.PointerProperty(
        name="Avatar", description="Empty: the only one, or the active one", type=bpy.types.Collection, poll=_is_avatar
    )
    take: bpy.props.StringProperty(name="Take", description="take.npz", subtype="FILE_PATH")
    csv: bpy.props.StringProperty(name="CSV", description="A recording of Live Link Face", subtype="FILE_PATH")
    csv_rate: bpy.props.FloatProperty(
        name="Rows per Second",
        description="0: as the timecodes say. Otherwise timecodes are ignored and every row is a frame",
        min=0.0,
        max=1000.0,
        precision=3,
    )
    csv_mirror: bpy.props.BoolProperty(name="Mirror", description="Left and right change places")
    csv_invert: bpy.props.BoolVectorProperty(
        name="Invert Yaw, Pitch, Roll", description="Of the head's angles", size=3, default=(False, False, False)
    )

    def reading(self) -> Reading:
        """How the CSV is read."""
        return Reading(self.csv_rate or None, self.csv_mirror, tuple(self.csv_invert))

    def take_path(self) -> Path:
        """The take on disk."""
        return Path(bpy.path.abspath(self.take))

    def csv_path(self) -> Path:
        """The recording."""
        return Path(bpy.path.abspath(self.csv))


def choices(item: bpy.types.Object) -> dict[str, str]:
    """ARKit's name -> shape key, where the user has chosen one on this mesh."""
    return {choice.name: choice.key for choice in item.n2f_keys if choice.key}


def offer_missing(main: bpy.types.Object) -> tuple[str, ...]:
    """Put the names that nothing matches into the main mesh's list of choices; what was chosen before stays.

    Returns these names.
    """
    missing = main.n2f_character.character().unmatched()
    for index in reversed(range(len(main.n2f_keys))):
        if not main.n2f_keys[index].key and main.n2f_keys[index].name not in missing:
            main.n2f_keys.remove(index)
    listed = {choice.name for choice in main.n2f_keys}
    for name in NAMES:
        if name in missing and name not in listed:
            main.n2f_keys.add().name = name
    return missing


def inspect(main: bpy.types.Object) -> tuple[str, ...]:
    """Find the character's armature and bones by their names where none are chosen, and list the missing shapes."""
    settings: N2FCharacter = main.n2f_character
    if settings.armature is None:
        settings.armature = armature_of(main)
    if settings.armature is not None and not any(getattr(settings, role.value) for role in Role):
        for role, name in guessed_bones([bone.name for bone in settings.armature.data.bones]).items():
            setattr(settings, role.value, name)
    return offer_missing(main)


def _character_chosen(main: bpy.types.Object | None) -> None:
    if main is not None:
        inspect(main)


CLASSES = (N2FKeyChoice, N2FMesh, N2FAppliedPart, N2FApplied, N2FCharacter, N2FRetarget)


def register() -> None:
    """Attach the settings. Scripts that use the scene without the extension come here too."""
    if hasattr(bpy.types.Object, "n2f_character"):
        return
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Object.n2f_keys = bpy.props.CollectionProperty(
        type=N2FKeyChoice, override={"LIBRARY_OVERRIDABLE", "USE_INSERTION"}
    )
    bpy.types.Object.n2f_character = bpy.props.PointerProperty(type=N2FCharacter, override={"LIBRARY_OVERRIDABLE"})
    bpy.types.Scene.n2f_retarget = bpy.props.PointerProperty(type=N2FRetarget)


def unregister() -> None:
    """Take them away again; what is in the file stays there."""
    del bpy.types.Scene.n2f_retarget, bpy.types.Object.n2f_character, bpy.types.Object.n2f_keys
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
