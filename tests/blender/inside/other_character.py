"""A character that nobody prepared: ARKit's names in mixed spellings on several meshes, bones that rest anyhow."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from n2f_blender.formats.arkit import NAMES
from n2f_blender.scene.context import edit_bones
from n2f_blender.scene.retarget import settings

Floats = NDArray[np.float64]
ROLES = ("neck", "head", "jaw", "eye_left", "eye_right")
PARENTS = {"neck": "body", "head": "neck", "jaw": "head", "eye_left": "head", "eye_right": "head"}
PLACES = {"neck": (0, 0, 0), "head": (0, 0, 0.1), "jaw": (0, -0.02, 0.12), "eye_left": (0.03, -0.08, 0.17),
          "eye_right": (-0.03, -0.08, 0.17)}  # fmt: skip
SPELLINGS = (
    lambda name, _side: name,
    lambda name, _side: name[0].upper() + name[1:],
    lambda name, side: "ARKit_" + name.removesuffix(side) + (f"_{side[0]}" if side else ""),
    lambda name, side: "Face." + name.removesuffix(side) + (f".{side[0].lower()}" if side else ""),
    lambda name, side: (f"{side}_" if side else "blendShape1.") + name.removesuffix(side).upper(),
    lambda name, side: (f"{side[0]}_" if side else "") + name.removesuffix(side) + "_Mesh",
)


@dataclass(frozen=True)
class Other:
    """The character. spelled: ARKit's name -> the key on the face mesh."""

    face: bpy.types.Object
    teeth: bpy.types.Object
    armature: bpy.types.Object
    spelled: dict[str, str]


def mesh_object(name: str, keys: list[str]) -> bpy.types.Object:
    """A triangle with shape keys."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (0.1, 0, 0), (0, 0, 0.1)], [], [(0, 1, 2)])
    item = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(item)
    item.shape_key_add(name="Basis", from_mix=False)
    for key in keys:
        block = item.shape_key_add(name=key, from_mix=False)
        block.value = 0.0
        block.slider_min, block.slider_max = 0.0, 1.0
    return item


def other_character(seed: int = 0, without: tuple[str, ...] = (), turned: float | None = None) -> Other:
    """turned: degrees about Z that the whole character stands away from looking along -Y; None: anyhow it likes, with
    the armature object turned and scaled like one from another program.
    """
    random = np.random.default_rng(seed)
    spelled = {}
    for index, name in enumerate(NAMES):
        if name not in without:
            side = "Left" if name.endswith("Left") else "Right" if name.endswith("Right") else ""
            spelled[name] = SPELLINGS[(index + seed) % len(SPELLINGS)](name, side)
    face = mesh_object("Face", ["smirk", *spelled.values()])
    teeth = mesh_object("Teeth", ["Teeth.jawOpen", "Teeth.jawLeft", "Teeth_JAW_RIGHT", "tongue_out"])

    armature = bpy.data.objects.new("Skeleton", bpy.data.armatures.new("Skeleton"))
    bpy.context.collection.objects.link(armature)
    stands = Matrix.Rotation(np.radians(turned or 0.0), 4, "Z")
    # As importers leave it: the armature lies on its back and is scaled; its bones make up for both.
    lies = Matrix.Rotation(np.radians(90), 4, "X") @ Matrix.Scale(0.01, 4) if turned is None else Matrix.Identity(4)
    armature.matrix_world = stands @ lies
    back = lies.inverted()
    with edit_bones(bpy.context, armature) as bones:
        body = bones.new("body")
        body.head, body.tail = back @ Vector((0, 0, -0.5)), back @ Vector((0, 0, 0))
        for role in ROLES:
            bone = bones.new(f"b_{role}")
            direction = Vector(random.normal(size=3).tolist()).normalized() * 0.05
            bone.head = back @ Vector(PLACES[role])
            bone.tail = back @ (Vector(PLACES[role]) + direction)
            bone.roll = float(random.uniform(-3, 3))
            bone.parent = bones["body" if role == "neck" else f"b_{PARENTS[role]}"]
    modes = ("QUATERNION", "XYZ", "AXIS_ANGLE", "ZYX", "YXZ")
    for index, role in enumerate(ROLES):
        armature.pose.bones[f"b_{role}"].rotation_mode = modes[(index + seed) % len(modes)]
    bpy.context.view_layer.update()
    settings.register()
    character = face.n2f_character
    character.armature = armature
    for role in ROLES:
        setattr(character, role, f"b_{role}")
    character.meshes.add().item = teeth
    return Other(face, teeth, armature, spelled)


def world_rotation(armature: bpy.types.Object, bone: str) -> Floats:
    """(3, 3) as Blender shows it now."""
    shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array((shown.matrix_world @ shown.pose.bones[bone].matrix).to_quaternion().to_matrix())


def rest_rotation(armature: bpy.types.Object, bone: str) -> Floats:
    """(3, 3) in the world."""
    return np.array((armature.matrix_world @ armature.data.bones[bone].matrix_local).to_quaternion().to_matrix())


def shown_values(item: bpy.types.Object) -> dict[str, float]:
    """Shape key -> value as Blender shows it now."""
    shown = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {key.name: key.value for key in shown.data.shape_keys.key_blocks}
