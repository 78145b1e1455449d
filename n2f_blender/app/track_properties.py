# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user chooses for a performance. On the window manager, as the choices for photos are."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..core_client import TrackOptions
from ..scene.footage import Footage
from ..scene.performance import WriteMode
from ..scene.placement import Placement
from ..scene.timing import Timing
from .delivery import Delivery
from .properties import SourceChoices, explained, which


class N2FTrackSettings(SourceChoices, bpy.types.PropertyGroup):
    """The options of "Track Performance"."""

    source: bpy.props.StringProperty(options={"HIDDEN"})  # a video, or a pattern as frame_####.png
    label: bpy.props.StringProperty(options={"HIDDEN"})
    note: bpy.props.StringProperty(options={"HIDDEN"})
    is_sequence: bpy.props.BoolProperty(options={"HIDDEN"})  # `source` is a pattern
    stride: bpy.props.FloatProperty(options={"HIDDEN"})  # of a strip or a sequence; 0: by the clip's own clock

    use_range: bpy.props.BoolProperty(
        name="Frame Range", description="Track a part of the clip only. Otherwise all of it"
    )
    first: bpy.props.IntProperty(name="First", description="The clip's first frame is 1", default=1, min=1)
    last: bpy.props.IntProperty(
        name="Last", description="The last frame that is tracked. 0: the clip's last", default=0, min=0
    )
    people: bpy.props.EnumProperty(
        name="People",
        description="Whose performance is tracked",
        items=[
            ("LARGEST", "Largest", "Whoever's face is largest"),
            ("ALL", "All", "Everybody, each on a head of their own"),
            ("NUMBER", "Number", "One person by their number: 0 is seen first"),
        ],
    )
    person: bpy.props.IntProperty(name="Number", description="0 is seen first", default=0, min=0, max=64)
    onto: bpy.props.EnumProperty(
        name="Onto",
        description="Which head performs",
        items=[
            ("NEW", "New Head", "Build the head of the person in the clip"),
            ("ACTIVE", "Active Head", "The active head gets one more take. Its shape stays as it is"),
        ],
    )
    write: bpy.props.EnumProperty(
        name="Write",
        description="What happens to the keyframes that the active head has",
        items=[
            (WriteMode.REPLACE.value, "Replace", "The head plays the new take. The old one stays in the list"),
            (WriteMode.APPEND.value, "Append", "The new take begins where the keyframes end"),
            (WriteMode.NLA.value, "NLA Strip", "The new take is a strip on an NLA track of its own"),
        ],
    )
    identity: bpy.props.EnumProperty(
        name="Identity",
        description="Where the shape of the head comes from. Expressions are more exact with the right one",
        items=[
            ("AUTO", "Automatic", "From the clip. For one more take of a head, that head's own"),
            ("CLIP", "From Clip", "Estimated from the frames of the clip that tell most"),
            ("HEAD", "Active Head", "That of the active head"),
            ("FILE", "Take or Photo", "That of another take, or of a photo of the person"),
        ],
    )
    identity_file: bpy.props.StringProperty(
        name="File", description="A take.npz, or a photo of the person", subtype="FILE_PATH"
    )
    moves: bpy.props.EnumProperty(
        name="Moves",
        description="Both show the same picture through the camera",
        items=[
            (Placement.CAMERA_STILL.value, "Head", "The head moves, the camera is still"),
            (Placement.HEAD_STILL.value, "Camera", "The camera moves, the head is still"),
        ],
    )
    timing: bpy.props.EnumProperty(
        name="Frame Rate",
        description="What gives way when the clip and the scene have different frame rates",
        items=[
            (Timing.CONFORM.value, "Conform Scene", "The scene takes the clip's frame rate: a key on every frame"),
            (Timing.REMAP.value, "Remap Take", "The scene keeps its frame rate. Keys may lie between its frames"),
        ],
    )
    start_frame: bpy.props.IntProperty(
        name="Start Frame", description="The scene's frame where the take begins", default=1
    )
    overlay: bpy.props.BoolProperty(
        name="Overlay Video",
        description="Also write a video of the clip with the tracked head drawn over it, to check the tracking",
        default=True,
    )

    def choose(self, footage: Footage) -> None:
        """Take the clip, its range and its place in the scene."""
        self.source, self.label, self.note = str(footage.source), footage.label, footage.note
        self.is_sequence = footage.is_sequence
        self.use_range = footage.start is not None or footage.end is not None
        self.first = (footage.start or 0) + 1
        self.last = footage.end or 0
        self.stride = footage.stride or 0.0
        placed = footage.scene_frame is not None or footage.is_sequence
        # What is placed in the scene is in its time; a file of its own brings its own.
        self.timing = (Timing.REMAP if placed else Timing.CONFORM).value
        self.start_frame = footage.scene_frame if footage.scene_frame is not None else 1

    def clear(self) -> None:
        """Choose no clip."""
        for name in ("source", "label", "note", "is_sequence", "stride", "use_range", "first", "last", "timing"):
            self.property_unset(name)
        self.property_unset("start_frame")

    def request(self, head: str, identity: tuple[Path, ...], scene_rate: float) -> TrackOptions:
        """For the core. `identity`: what the choice of the identity means in this scene; `scene_rate`: frames a second.

        A sequence of pictures has the scene's rate, as everywhere in Blender.

        Raises:
            ExtensionError: the core would not take it.
        """
        with explained():
            return TrackOptions(
                head=head,
                people=which(self.people, self.person),
                start=self.first - 1 if self.use_range and self.first > 1 else None,
                end=self.last if self.use_range and self.last else None,
                focal_length_px=self.focal_length(),
                fps=scene_rate if self.is_sequence else None,
                identity=tuple(map(str, identity)),
                overlay=self.overlay,
                look=self.look if self.onto == "NEW" else "none",  # a head that is there keeps its skin
            )

    def delivery(self, target: str) -> Delivery:
        """For when the take is there. `target`: the name of the avatar's collection; empty: a new avatar."""
        return Delivery(
            target=target,
            start_frame=self.start_frame,
            timing=self.timing,
            moves=self.moves,
            write=self.write if target else WriteMode.REPLACE.value,
            stride=self.stride,
        )


def track_settings(context: bpy.types.Context) -> N2FTrackSettings:
    """The panel's options."""
    return context.window_manager.n2f_track


CLASSES = (N2FTrackSettings,)


def register() -> None:
    """Attach the options to the window manager."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.n2f_track = bpy.props.PointerProperty(type=N2FTrackSettings)


def unregister() -> None:
    """Take everything away again."""
    del bpy.types.WindowManager.n2f_track
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
