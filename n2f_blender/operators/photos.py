# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing photos: from the file browser, from the image editor or an image empty, dropped on the viewport."""

from pathlib import Path

import bpy

from ..app import properties
from ..app.session import session
from ..formats.numbering import PHOTOS
from ..translations import tr

EXTENSIONS = PHOTOS


class N2F_OT_choose_photos(bpy.types.Operator):
    """Choose one or more photos: of one person, or each of somebody else"""

    bl_idname = "n2f.choose_photos"
    bl_label = "Choose Photos"
    bl_options = {"INTERNAL"}

    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: bpy.props.CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Open the file browser."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remember what was chosen."""
        paths = [Path(self.directory) / item.name for item in self.files if item.name]
        if not paths:
            self.report({"ERROR"}, tr("No photo chosen"))
            return {"CANCELLED"}
        set_photos(context, paths)
        return {"FINISHED"}


class N2F_OT_drop_photos(bpy.types.Operator):
    """Choose photos, or drop them on the viewport's sidebar, and get the heads of the people in them"""

    bl_idname = "n2f.drop_photos"
    bl_label = "Reconstruct Face"
    bl_options = {"INTERNAL"}

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: bpy.props.CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})

    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One job at a time."""
        if session.busy:
            cls.poll_message_set("N2F is at work")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Dropped files are known; from a menu they are asked for."""
        if self.files:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the photos and start."""
        paths = [Path(self.directory) / item.name for item in self.files if item.name]
        if not paths:
            return {"CANCELLED"}
        set_photos(context, paths)
        return bpy.ops.n2f.reconstruct("INVOKE_DEFAULT")


class N2F_OT_try_sample(bpy.types.Operator):
    """See what N2F does with a photo that comes with it: astronaut Eileen Collins, NASA, public domain"""

    bl_idname = "n2f.try_sample"
    bl_label = "Try the Sample Photo"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One job at a time."""
        if session.busy:
            cls.poll_message_set("N2F is at work")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Choose it and start."""
        set_photos(context, [sample_photo()])
        return bpy.ops.n2f.reconstruct("EXEC_DEFAULT" if bpy.app.background else "INVOKE_DEFAULT")


class N2F_OT_use_active_image(bpy.types.Operator):
    """Take the image of the image editor, or of the selected image empty"""

    bl_idname = "n2f.use_active_image"
    bl_label = "Use Active Image"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """An image has to be there."""
        if active_image(context) is None:
            cls.poll_message_set("Open a photo in an image editor, or select an image in the viewport")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Use the image's file; one that has none is saved first, by its user."""
        image = active_image(context)
        if image is None:
            return {"CANCELLED"}
        path = Path(bpy.path.abspath(image.filepath, library=image.library)) if image.filepath else None
        if path is None or not path.is_file():
            self.report({"ERROR"}, tr(f"'{image.name}' has no file. Save the image first"))
            return {"CANCELLED"}
        set_photos(context, [path])
        return {"FINISHED"}


class N2F_OT_clear_photos(bpy.types.Operator):
    """Choose no photo"""

    bl_idname = "n2f.clear_photos"
    bl_label = "Clear"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forget the choice."""
        set_photos(context, [])
        return {"FINISHED"}


class N2F_FH_photos(bpy.types.FileHandler):
    """Photos dropped on the sidebar. In the viewport itself Blender makes them image empties, which also can be used"""

    bl_idname = "N2F_FH_photos"
    bl_label = "N2F: Reconstruct Face"
    bl_import_operator = "n2f.drop_photos"
    bl_file_extensions = ";".join(EXTENSIONS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """The 3D viewport only."""
        return context.area is not None and context.area.type == "VIEW_3D"


def sample_photo() -> Path:
    """In an installed extension, else in a source checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "assets" / "sample.jpg"
    return installed if installed.is_file() else package.parent / "addon_manifest" / "assets" / "sample.jpg"


def set_photos(context: bpy.types.Context, paths: list[Path]) -> None:
    """Replace the chosen photos."""
    photos = properties.settings(context).photos
    photos.clear()
    for path in paths:
        photos.add().path = str(path)


def active_image(context: bpy.types.Context) -> bpy.types.Image | None:
    """The selected image empty's image, else that of the first image editor."""
    active = context.view_layer.objects.active
    if active is not None and active.type == "EMPTY" and active.empty_display_type == "IMAGE" and active.data:
        return active.data
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR" and area.spaces.active.image is not None:
                return area.spaces.active.image
    return None


CLASSES = (
    N2F_OT_choose_photos,
    N2F_OT_drop_photos,
    N2F_OT_try_sample,
    N2F_OT_use_active_image,
    N2F_OT_clear_photos,
    N2F_FH_photos,
)
