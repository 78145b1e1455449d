"""One take to one file."""

from __future__ import annotations

import enum
from pathlib import Path

import numpy as np

from inference_core.errors import BadInput
from inference_core.export.curves import bvh_text, csv_text, json_text
from inference_core.export.figure_of_take import figure_of, with_hair
from inference_core.formats.figure import Alpha
from inference_core.formats.glb import GlbOptions, write_glb
from inference_core.formats.npz import FAULTS
from inference_core.formats.strands import Strands, read_strands
from inference_core.formats.writing import written_whole
from inference_core.head import Head, load_head
from inference_core.inventory import heads
from inference_core.take import Take, load_take

_RATE = 30.0  # of a BVH where the take names none


class Format(enum.Enum):
    """What a take can leave as; the value is the file's ending."""

    CSV = "csv"
    JSON = "json"
    BVH = "bvh"
    GLB = "glb"


class Hair(enum.Enum):
    """What becomes of the hair beside a take in a glb."""

    CARDS = "cards"
    BLENDED = "blended"
    NONE = "none"


def export_take(
    source: Path, kind: Format, out: Path | None = None, quantised: bool = False, hair: Hair = Hair.CARDS
) -> Path:
    """Write `out`, by default the take's name with the format's ending beside it.

    A file that is there is replaced only if `out` names it.

    Raises:
        BadInput: for a take that cannot be read, has no face or no head here, and for a file that is there or cannot be
            written.
        ModelMissing: where the take's head is damaged.
    """
    take = load_take(source)
    if not take.valid.any():
        raise BadInput(f"{source.name} has no frame with a face.", "Track the clip again.")
    target = out if out is not None else source.with_suffix(f".{kind.value}")
    if target.is_dir():
        target = target / f"{source.stem}.{kind.value}"
    if out is None and target.exists():
        raise BadInput(f"{target.name} is there already.", "Name another file with --out, or the same to replace it.")
    if target.exists() and target.samefile(source):
        raise BadInput("The result would replace the take.", "Name another file with --out.")
    name = Path(take.meta.source).stem or source.parent.name
    head = head_of(take)
    figure = figure_of(take, head, name, source)
    match kind:
        case Format.CSV:
            content = csv_text(figure, take).encode()
        case Format.JSON:
            content = json_text(figure, take).encode()
        case Format.BVH:
            content = bvh_text(figure, take, take.meta.fps or _RATE).encode()
        case Format.GLB:
            if hair is not Hair.NONE and take.meta.hair:
                alpha = Alpha.BLEND if hair is Hair.BLENDED else Alpha.MASK
                figure = with_hair(figure, hair_beside(source, head), alpha)
            content = write_glb(figure, GlbOptions(quantised=quantised))
    _write(target, content)
    return target


def head_of(take: Take) -> Head:
    """The installed head that a take was made on.

    Raises:
        BadInput: where it is not installed in this version.
    """
    for asset in heads():
        if not asset.damage:
            head = load_head(asset.path)
            if head.sha256 == take.meta.head_sha256:
                _check(take, head)
                return head
    raise BadInput(
        f"The head '{take.meta.head_id}' of this take is not installed in this version.",
        "Make the take again, or add the head: n2f models add FILE.",
    )


def hair_beside(source: Path, head: Head) -> Strands | None:
    """The strands that lie beside a take; None for a bald head.

    Raises:
        BadInput: where the file is damaged or grew on another head.
    """
    try:
        return read_strands(source.parent, head.sha256)
    except FAULTS as error:
        raise BadInput(
            f"The hair beside {source.name} cannot be used: {error}.",
            "Reconstruct the photo again, or leave the hair out: --hair none.",
        ) from error


def _check(take: Take, head: Head) -> None:
    if len(take.shape) > head.shape_count or not np.isfinite(take.shape).all():
        raise BadInput("The take's shape does not fit its head.", "Make the take again.")
    if take.meta.expression_names != head.expression_names:
        raise BadInput("The take's expressions are not those of its head.", "Make the take again.")
    moving = (take.expression, take.jaw, take.neck, take.eyes, take.eyelids, take.head_rotation, take.head_translation)
    if not all(np.isfinite(values[take.valid]).all() for values in (*moving, take.timestamp)):
        raise BadInput("The take holds values that are no numbers.", "Make the take again.")
    if (np.diff(take.timestamp[take.valid]) <= 0).any() and take.photos is None:
        raise BadInput("The take's clock does not run forwards.", "Track the clip again.")


def _write(path: Path, content: bytes) -> None:
    """Complete or not at all.

    Raises:
        BadInput: where the disk or a permission refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as file:
            file.write(content)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.", "Choose another file with --out.") from error
