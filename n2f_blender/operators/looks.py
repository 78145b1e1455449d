# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a head: a turntable of it, the photo's light around it, the photo itself as nodes."""

from pathlib import Path

import bpy
import numpy as np

from ..scene.avatar import active_avatar
from ..scene.detail import displace, has_detail
from ..scene.lighting import photo_world
from ..scene.lookup import LIGHT, MARK
from ..scene.photo_nodes import MapsError, photo_group
from ..scene.turntable import MOST_VIEWS, render_turntable
from ..translations import tr


class N2F_OT_turntable(bpy.types.Operator):
    """Render the head from all around under neutral light: pictures and a film, in a folder of your choice"""

    bl_idname = "n2f.turntable"
    bl_label = "Turntable"
    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    views: bpy.props.IntProperty(
        name="Views", description="How many pictures around the head", default=8, min=1, max=MOST_VIEWS
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A head has to be there and be meant."""
        if active_avatar(context) is None:
            cls.poll_message_set("Select a head made by N2F")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blender waits; the mouse's pointer shows how far it is."""
        avatar = active_avatar(context)
        if avatar is None:
            return {"CANCELLED"}
        folder, manager = Path(bpy.path.abspath(self.directory)), context.window_manager
        manager.progress_begin(0.0, 1.0)
        try:
            render_turntable(avatar, folder, self.views, manager.progress_update)
        except (OSError, RuntimeError) as error:
            self.report({"ERROR"}, tr(f"The turntable cannot be written to {folder}: {error}"))
            return {"CANCELLED"}
        finally:
            manager.progress_end()
        self.report({"INFO"}, tr(f"{self.views} views and a film are in {folder}"))
        return {"FINISHED"}


class N2F_OT_photo_light(bpy.types.Operator):
    """Light the scene as the photo was: its light becomes the world. The world that is there stays in the file"""

    bl_idname = "n2f.photo_light"
    bl_label = "Light of the Photo"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A head whose look knows its light."""
        avatar = active_avatar(context)
        if avatar is None or LIGHT not in avatar.collection:
            cls.poll_message_set("Select a head that was painted from a photo")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """A new world, turned with the head."""
        avatar = active_avatar(context)
        if avatar is None:
            return {"CANCELLED"}
        light = np.array(avatar.collection[LIGHT], dtype=np.float64).reshape(9, 3)
        rotation = np.array(avatar.rig.matrix_world.to_quaternion().to_matrix(), dtype=np.float64)
        if context.scene.world is not None:
            context.scene.world.use_fake_user = True
        context.scene.world = photo_world(light, rotation, f"{avatar.head.data.name} Light")
        return {"FINISHED"}


class N2F_OT_photo_nodes(bpy.types.Operator):
    """Make a node group that shows the photo on the head, from the dense maps beside its take: for any material"""

    bl_idname = "n2f.photo_nodes"
    bl_label = "Photo as Nodes"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A head whose camera shows its photo."""
        avatar = active_avatar(context)
        if avatar is None or avatar.camera is None or not _photos_of(avatar.camera):
            cls.poll_message_set("Select a head whose camera shows its photo")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The group stays in the file whether it is used or not."""
        avatar = active_avatar(context)
        if avatar is None or avatar.camera is None:
            return {"CANCELLED"}
        photo = _photos_of(avatar.camera)[0]
        folder = Path(bpy.path.abspath(str(avatar.collection[MARK]))).parent
        try:
            group = photo_group(folder, str(avatar.collection["n2f_head_sha256"]), photo, avatar.head.data.name)
        except MapsError as error:
            self.report({"ERROR"}, tr(str(error)))
            return {"CANCELLED"}
        group.use_fake_user = True
        self.report({"INFO"}, tr(f"The node group is called {group.name}"))
        return {"FINISHED"}


class N2F_OT_displace_detail(bpy.types.Operator):
    """Let the fine detail move the surface in Cycles, finely subdivided in renders, instead of bending its light"""

    bl_idname = "n2f.displace_detail"
    bl_label = "Detail as Displacement"
    bl_options = {"REGISTER", "UNDO"}

    moved: bpy.props.BoolProperty(name="Displacement", default=True)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A head with fine detail."""
        avatar = active_avatar(context)
        if avatar is None or not has_detail(avatar.head):
            cls.poll_message_set("Select a head with fine detail")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Heads that share the material share this."""
        avatar = active_avatar(context)
        if avatar is None:
            return {"CANCELLED"}
        displace(avatar.head, self.moved)
        return {"FINISHED"}


def _photos_of(camera: bpy.types.Object) -> list[bpy.types.Image]:
    """What a camera shows behind the head."""
    return [item.image for item in camera.data.background_images if item.image]


CLASSES = (N2F_OT_turntable, N2F_OT_photo_light, N2F_OT_photo_nodes, N2F_OT_displace_detail)
