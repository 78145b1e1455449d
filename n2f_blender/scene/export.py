# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An avatar leaves Blender whole: read as a figure, written as its preset says. The scene is never touched."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import bpy
from bpy_extras.io_utils import axis_conversion

from .. import versions
from ..export.options import Detail, ExportOptions, Hair
from ..export.presets import Format, Preset
from ..export.report import Difference, chosen_rows, difference
from ..export.visemes import with_visemes
from ..export.vrm import write_vrm
from ..formats.cards.worn import TRIANGLES, Groom, groomed, worn_by
from ..formats.figure import Alpha, Figure
from ..formats.glb import GlbOptions, write_glb
from ..formats.strands import Strands
from .figure import figure_of
from .hair_reading import worn_strands
from .levels import at_level
from .lookup import Avatar
from .playback import frame_range, seen
from .stage import Stage, staged

USUAL = ExportOptions()
_CARDS = dict(zip((Detail.FULL, Detail.HALF, Detail.QUARTER), TRIANGLES, strict=True))
_TEXTURES = "textures"  # where the exporter of USD puts its own
VERIFIED = (Format.GLB, Format.VRM)  # what `verify_export` reads


def export_avatar(
    context: bpy.types.Context, avatar: Avatar, path: Path, preset: Preset, options: ExportOptions = USUAL
) -> tuple[Path, ...]:
    """Write `path`, and beside it what the format needs more than one file for. Returns all of them.

    Raises:
        OSError: where it cannot be written; nothing half-written stays.
        RuntimeError: where one of Blender's exporters gives up; nothing half-written stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    figures = _meant(context, avatar, preset, options)
    # A folder of its own beside the target: on the same disk, so that what is complete moves in one step.
    with tempfile.TemporaryDirectory(prefix=".n2f_export_", dir=path.parent) as folder:
        unfinished = Path(folder) / path.name
        _write(context, figures, unfinished, preset, options)
        written = sorted(item.relative_to(folder) for item in Path(folder).rglob("*") if item.is_file())
        for name in written:  # file by file: a folder of pictures may be there from an earlier export
            (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).replace(path.parent / name)
    return tuple(path.parent / name for name in written)


def verify_export(
    context: bpy.types.Context, avatar: Avatar, path: Path, preset: Preset, options: ExportOptions = USUAL
) -> Difference:
    """How far a .glb or .vrm written with these options is from the avatar.

    Raises:
        OSError: where the file cannot be read.
        ValueError: for what is no binary glTF 2.0.
    """
    figure = _meant(context, avatar, preset, options)[0]
    seen_rows = None
    if figure.clip is not None and len(figure.vertices) == len(avatar.head.data.vertices):
        first = frame_range(context.scene, avatar)[0]
        seen_rows = seen(context.scene, avatar, [first + row for row in chosen_rows(figure)])
    return difference(figure, path, seen_rows)


def _meant(context: bpy.types.Context, avatar: Avatar, preset: Preset, options: ExportOptions) -> list[Figure]:
    """The figure that leaves, at each level of detail."""
    figure = figure_of(context.scene, avatar, replace(options, animation=options.animation and preset.animation))
    if preset.visemes:
        figure = with_visemes(figure)
    levels = preset.levels if options.detail is Detail.FULL else (options.detail,)
    heads = [at_level(figure, level) for level in levels]
    strands = None if options.hair is Hair.NONE else worn_strands(avatar, figure.vertices)
    if strands is None:
        return heads
    groom, alpha = _groomed(strands), Alpha.BLEND if options.hair is Hair.BLENDED else Alpha.MASK
    return [
        replace(head, worn=(worn_by(head, groom, _CARDS[level], alpha),))
        for head, level in zip(heads, levels, strict=True)
    ]


_last: dict[bytes, Groom] = {}


def forget_cards() -> None:
    """The next export draws its hair's cards anew."""
    _last.clear()


def _groomed(strands: Strands) -> Groom:
    """Kept until other hair leaves: the second format of an avatar has its cards at once."""
    key = hashlib.blake2b(strands.points.tobytes() + strands.colour.tobytes() + repr(strands.radius).encode()).digest()
    if key not in _last:
        made = groomed(strands)
        forget_cards()
        _last[key] = made
    return _last[key]


def _write(
    context: bpy.types.Context, figures: Sequence[Figure], path: Path, preset: Preset, options: ExportOptions
) -> None:
    glb = GlbOptions(quantised=options.quantised, bone_names=preset.bones)
    match preset.format:
        case Format.GLB:
            path.write_bytes(write_glb(figures[0], glb))
        case Format.VRM:
            path.write_bytes(write_vrm(figures[0], glb))
        case _:
            render = context.scene.render
            with staged(context, figures, preset, (render.fps, render.fps_base)) as stage:
                _BY_BLENDER[preset.format](stage, path, figures[0].clip is not None)
            _write_maps(figures[0], path, preset.format)


def _write_maps(figure: Figure, path: Path, kind: Format) -> None:
    """Beside a file, the hair's maps that it has no place for."""
    if kind is Format.ALEMBIC:
        return
    for part in figure.worn:
        for name, content in part.maps.items():
            (path.parent / _TEXTURES).mkdir(exist_ok=True)
            (path.parent / _TEXTURES / f"{path.stem}_hair_{name}.png").write_bytes(content)


def _write_fbx(stage: Stage, path: Path, animated: bool) -> None:
    for head in (*stage.heads, *stage.hair):  # the exporter plays every frame, for which no surface has to be bent
        head.modifiers[0].show_viewport = False
    for levels in (stage.heads, stage.hair):
        if len(levels) > 1:
            _group(stage, levels)
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        use_selection=False,
        object_types={"ARMATURE", "MESH", "EMPTY"},
        use_mesh_modifiers=False,
        add_leaf_bones=False,  # tips that no engine wants as bones
        bake_anim=animated,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
        mesh_smooth_type="FACE",
        apply_scale_options="FBX_SCALE_UNITS",
        path_mode="COPY",
        embed_textures=True,
    )


def _group(stage: Stage, levels: Sequence[bpy.types.Object]) -> None:
    """What the exporter makes a group of levels of.

    It writes a mesh that a rig bends as it stands in the world, whatever it hangs on. So the group stands where the
    file's own axes are: there as in the group are then the same, also for readers that follow nodes, as three.js does.
    """
    name = levels[0].data.name  # the same for all, which is how Unity knows them; their meshes' are numbered
    group = bpy.data.objects.new(name + " LOD", None)
    group["fbx_type"] = "LodGroup"
    stage.scene.collection.objects.link(group)
    from_file = axis_conversion(from_forward="-Z", from_up="Y").to_4x4()  # the exporter's axes, which we leave as usual
    group.matrix_world = from_file
    for level, item in enumerate(levels):
        item.name = f"{name}_LOD{level}"
        item.parent = group
        item.matrix_parent_inverse = from_file.inverted() @ stage.rig.matrix_world


def _write_usd(stage: Stage, path: Path, animated: bool) -> None:
    for head in stage.heads:  # the file has the cage and says that it is one
        head.modifiers.new("Subdivision", "SUBSURF")
    bpy.ops.wm.usd_export(
        filepath=str(path),
        export_animation=animated,
        export_armatures=True,
        export_shapekeys=True,
        export_subdivision="BEST_MATCH",
        export_materials=True,
        generate_preview_surface=True,
        overwrite_textures=True,
        **versions.usd_with_pictures(),
        relative_paths=True,
        root_prim_path="/root",
    )


def _write_alembic(stage: Stage, path: Path, _animated: bool) -> None:
    scene = stage.scene
    bpy.ops.wm.alembic_export(filepath=str(path), start=scene.frame_start, end=scene.frame_end, flatten=False)


def _write_obj(stage: Stage, path: Path, animated: bool) -> None:
    # The exporter copies no packed picture.
    for image, picture in ((stage.image, path.with_suffix(".jpg")), (stage.hair_image, path.with_suffix(".png"))):
        if image is not None:
            picture.write_bytes(image.packed_file.data)
            image.filepath_raw = str(picture)
    bpy.ops.wm.obj_export(
        filepath=str(path),
        export_animation=animated,
        start_frame=stage.scene.frame_start,
        end_frame=stage.scene.frame_end,
        export_materials=True,
        path_mode="STRIP",
    )


_BY_BLENDER = {
    Format.FBX: _write_fbx,
    Format.USD: _write_usd,
    Format.ALEMBIC: _write_alembic,
    Format.OBJ: _write_obj,
}
