"""What the faces of other meshes are made from, read once: models, scan, painter, the mean heads of their people."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from inference_core.evaluation.cc0_looks import Wardrobe
from inference_core.evaluation.flame_open import FlameOpen
from inference_core.evaluation.ict import IctModel
from inference_core.evaluation.means import known_head, mean_of_people
from inference_core.evaluation.methods import Method
from inference_core.evaluation.needs import Folders
from inference_core.evaluation.painted_flame import FlamePainter
from inference_core.evaluation.perry_smith import PerrySmith, read_perry_smith
from inference_core.evaluation.target import Target
from inference_core.head import Head
from inference_core.perception.face_mesh import FaceMesher
from inference_core.perception.faces import FaceFinder
from inference_core.perception.normals import NormalEstimator


@dataclass(frozen=True, eq=False)
class FlameFaces:
    """FLAME Open's people and who paints them."""

    model: FlameOpen
    mean: Target
    painter: FlamePainter


class Perception:
    """The product's own eyes, and the bare mesher that finds points on renderings."""

    def __init__(self) -> None:
        self.mesher, self.finder, self.normals = FaceMesher(), FaceFinder(), NormalEstimator()


@dataclass(frozen=True, eq=False)
class Others:
    """None: its folder was not named."""

    ict: tuple[IctModel, Target] | None
    flame: FlameFaces | None
    scan: PerrySmith | None
    means: dict[str, Method] = field(default_factory=dict)
    """Mean heads of other models' people: what they give without a photo."""


def read_others(head: Head, folders: Folders, perception: Perception) -> Others:
    """The other populations that the folders hold; half a minute for all.

    Raises:
        BadInput: where a folder's files are absent or incomplete.
    """
    ict = flame = None
    means: dict[str, Method] = {}
    if folders.ict is not None:
        model = IctModel(folders.ict)
        ict = model, model.target(head, perception.mesher)
        means["mean of ICT's people"] = known_head(head, mean_of_people(head, ict[1]))
    if folders.flame is not None and folders.makehuman is not None:
        flame = read_flame(head, folders.flame, folders.makehuman, perception.mesher)
        means["mean of FLAME's people"] = known_head(head, mean_of_people(head, flame.mean))
    scan = None if folders.scan is None else read_perry_smith(head, folders.scan, perception.mesher)
    return Others(ict, flame, scan, means)


def read_flame(head: Head, folder: Path, makehuman: Path, mesher: FaceMesher) -> FlameFaces:
    """FLAME's people, dressed in MakeHuman's skins, to be photographed.

    Raises:
        BadInput: where either folder is incomplete.
    """
    model = FlameOpen.read(folder)
    laid = model.laid(head)
    painter = FlamePainter(model, head, laid, Wardrobe(head, makehuman))
    return FlameFaces(model, model.target(head, laid, mesher, painter.plain(0)), painter)
