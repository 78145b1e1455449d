# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of takes on an avatar's collection: `collection.n2f`. It is saved with the file and undone with it.

What the user may change has a label; the rest is bookkeeping of `scene.takes`.
"""

from collections.abc import Callable
from pathlib import Path

import bpy

from ..formats.smoothing import Smoothing
from .performance import PerformanceOptions, WriteMode
from .placement import Placement
from .timing import Gaps, Timing

PARTS = ("expression", "motion", "camera")
_HIDDEN = {"HIDDEN"}
listeners: list[Callable[["N2FTake"], None]] = []  # are told when a setting that changes the curves was changed


def _changed(item: "N2FTake", _context: bpy.types.Context) -> None:
    for listener in listeners:
        listener(item)


def _strength(name: str, what: str) -> bpy.props.FloatProperty:
    return bpy.props.FloatProperty(
        name=name,
        description=f"How much {what} is smoothed. 0 keeps the raw values, 1 is meant for good footage. "
        "Blinks and touching lips survive",
        default=1.0,
        min=0.0,
        max=10.0,
        soft_max=3.0,
        step=10,
        precision=2,
        update=_changed,
    )


class N2FTake(bpy.types.PropertyGroup):
    """One take of an avatar: its file, how it is written, and what of it is in the scene."""

    name: bpy.props.StringProperty(name="Name")
    path: bpy.props.StringProperty(name="Take", description="The take's file, take.npz", subtype="FILE_PATH")
    clip: bpy.props.StringProperty(
        name="Clip",
        description="The video, or a picture of the image sequence, behind the head. Empty: where the take says",
        subtype="FILE_PATH",
        update=_changed,
    )
    start_frame: bpy.props.IntProperty(
        name="Start Frame", description="Scene frame of the take's first frame", default=1, update=_changed
    )
    timing: bpy.props.EnumProperty(
        name="Frame Rate",
        description="What gives way when the clip and the scene have different frame rates",
        items=[
            (Timing.CONFORM.value, "Conform Scene", "The scene takes the clip's frame rate"),
            (Timing.REMAP.value, "Remap Take", "The scene keeps its rate. Keys lie between its frames"),
        ],
        update=_changed,
    )
    stride: bpy.props.FloatProperty(
        name="Stride",
        description="Frames of the clip per frame of the scene, as with a strip that plays faster or slower",
        min=0.0,
        soft_max=10.0,
        update=_changed,
    )  # 0: by the clip's own clock
    moves: bpy.props.EnumProperty(
        name="Moves",
        description="Both show the same picture through the camera",
        items=[
            (Placement.CAMERA_STILL.value, "Head", "The head moves, the camera is still"),
            (Placement.HEAD_STILL.value, "Camera", "The camera moves, the head is still"),
        ],
        update=_changed,
    )
    write: bpy.props.EnumProperty(
        name="Write",
        description="Where the keyframes go",
        items=[
            (WriteMode.REPLACE.value, "Replace", "An action of its own, which takes the place of the one there was"),
            (WriteMode.APPEND.value, "Append", "Behind the last key, into the same action"),
            (WriteMode.NLA.value, "NLA Strip", "A strip on an NLA track of its own"),
        ],
    )
    gaps: bpy.props.EnumProperty(
        name="Gaps",
        description="What happens while the face is out of sight",
        items=[
            (Gaps.BRIDGE.value, "Bridge", "Move on to where the face is seen again"),
            (Gaps.HOLD.value, "Hold", "Stand still until the face is seen again"),
        ],
        update=_changed,
    )
    smooth_pose: _strength("Pose", "the head's motion")
    smooth_mouth: _strength("Mouth", "jaw and mouth")
    smooth_lids: _strength("Lids", "eyelids and brows")
    smooth_gaze: _strength("Gaze", "the gaze")
    decimate: bpy.props.BoolProperty(
        name="Fewer Keys", description="Keep only the keys that are needed to stay within the error", update=_changed
    )
    decimation_error: bpy.props.FloatProperty(
        name="Error",
        description="Of a shape key's value and of a rotation in radians; a tenth of it in metres for locations",
        default=0.01,
        min=0.0001,
        max=1.0,
        step=0.1,
        precision=4,
        update=_changed,
    )

    has_raw: bpy.props.BoolProperty(options=_HIDDEN)  # raw.npz lies beside the take
    uid: bpy.props.StringProperty(options=_HIDDEN)
    frame_count: bpy.props.IntProperty(options=_HIDDEN)
    valid_count: bpy.props.IntProperty(options=_HIDDEN)
    lost_count: bpy.props.IntProperty(options=_HIDDEN)  # ranges without a face
    cut_count: bpy.props.IntProperty(options=_HIDDEN)
    key_count: bpy.props.IntProperty(options=_HIDDEN)
    first_frame: bpy.props.FloatProperty(options=_HIDDEN)  # scene frames of its first and last key
    last_frame: bpy.props.FloatProperty(options=_HIDDEN)
    action_expression: bpy.props.PointerProperty(type=bpy.types.Action, options=_HIDDEN)
    action_motion: bpy.props.PointerProperty(type=bpy.types.Action, options=_HIDDEN)
    action_camera: bpy.props.PointerProperty(type=bpy.types.Action, options=_HIDDEN)
    slot_expression: bpy.props.IntProperty(options=_HIDDEN)
    slot_motion: bpy.props.IntProperty(options=_HIDDEN)
    slot_camera: bpy.props.IntProperty(options=_HIDDEN)
    keys: bpy.props.StringProperty(options=_HIDDEN)  # JSON: the shape keys that it moves
    markers: bpy.props.StringProperty(options=_HIDDEN)  # JSON: [name, frame] of its timeline markers
    backdrop: bpy.props.StringProperty(options=_HIDDEN)  # JSON: scene.backdrop.Backdrop
    backdrop_missing: bpy.props.StringProperty(options=_HIDDEN)  # why there is none
    lens: bpy.props.StringProperty(options=_HIDDEN)  # JSON: scene.camera.Lens
    rate: bpy.props.FloatProperty(options=_HIDDEN)  # frames a second that its keys are meant for
    rig_stands: bpy.props.FloatVectorProperty(size=16, options=_HIDDEN)  # matrices, for what stands still
    camera_stands: bpy.props.FloatVectorProperty(size=16, options=_HIDDEN)
    digest: bpy.props.StringProperty(options=_HIDDEN)  # of its curves as they were written

    def options(self) -> PerformanceOptions:
        """What the user has set."""
        return PerformanceOptions(
            start_frame=self.start_frame,
            timing=Timing(self.timing),
            stride=self.stride or None,
            moves=Placement(self.moves),
            write=WriteMode(self.write),
            smoothing=Smoothing(self.smooth_pose, self.smooth_mouth, self.smooth_lids, self.smooth_gaze),
            gaps=Gaps(self.gaps),
            decimation_error=self.decimation_error if self.decimate else None,
            clip=_path(self.clip),
        )

    def set_options(self, options: PerformanceOptions) -> None:
        """The other way round."""
        self.start_frame = options.start_frame
        self.timing = options.timing.value
        self.stride = options.stride or 0.0
        automatic = options.moves is Placement.AUTO
        self.moves = Placement.CAMERA_STILL.value if automatic else options.moves.value
        self.write = options.write.value
        self.set_smoothing(options.smoothing)
        self.gaps = options.gaps.value
        self.decimate = options.decimation_error is not None
        if options.decimation_error is not None:
            self.decimation_error = options.decimation_error
        self.clip = str(options.clip) if options.clip else ""

    def set_smoothing(self, smoothing: Smoothing) -> None:
        """The four sliders."""
        self.smooth_pose, self.smooth_mouth = smoothing.pose, smoothing.mouth
        self.smooth_lids, self.smooth_gaze = smoothing.lids, smoothing.gaze


class N2FTakes(bpy.types.PropertyGroup):
    """All takes of an avatar."""

    takes: bpy.props.CollectionProperty(type=N2FTake, override={"LIBRARY_OVERRIDABLE", "USE_INSERTION"})
    index: bpy.props.IntProperty(
        name="Take", options=_HIDDEN, override={"LIBRARY_OVERRIDABLE"}
    )  # the row that is highlighted in the list
    used: bpy.props.StringProperty(
        options=_HIDDEN, override={"LIBRARY_OVERRIDABLE"}
    )  # uid of the take that the avatar plays


CLASSES = (N2FTake, N2FTakes)


def register() -> None:
    """Attach the list to collections. Scripts that use the scene without the extension come here too."""
    if hasattr(bpy.types.Collection, "n2f"):
        return
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Collection.n2f = bpy.props.PointerProperty(type=N2FTakes, override={"LIBRARY_OVERRIDABLE"})


def unregister() -> None:
    """Take it away again; what is in the file stays there."""
    del bpy.types.Collection.n2f
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)


def _path(text: str) -> Path | None:
    return Path(bpy.path.abspath(text)) if text else None
